"""The frame around every page: one file that loads nothing, with a policy that lets no script run but its own.

Checked by: the tests of each page.
"""

import base64
import hashlib
from collections.abc import Iterable
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from fourfold.core.errors import InputError
from fourfold.records.atomic import write_atomically


def to_document(title: str, body: Iterable[str], script: str = "copy.js", style: str = "") -> str:
    """Return a whole page.

    Args:
        title: as text; it is escaped.
        body: sections of HTML, empty ones left out; whatever a person named in them is escaped already.
        script: the file beside this one that holds the page's script, the only one its policy lets run.
        style: the file beside this one that holds what only this page's style needs; none by default.
    """
    code = _own(script)
    digest = base64.b64encode(hashlib.sha256(code.encode("utf-8")).digest()).decode("ascii")
    return Template(_own("page.html")).substitute(
        title=escape(title),
        style=(_own("style.css") + (_own(style) if style else "")).strip(),
        body="\n".join(part for part in body if part),
        script=code,
        script_hash=f"sha256-{digest}",
    )


def write_document(page: str, path: Path) -> Path:
    """Write a page and return its path.

    Raises:
        InputError: it cannot be written.
    """
    if path.is_dir():
        raise InputError(f"{path}: a folder; name the page in it, such as {path / 'page.html'}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, page.encode("utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    return path


def _own(name: str) -> str:
    return (files("fourfold.report") / name).read_text(encoding="utf-8")
