"""Texts fetched from a package, many small files kept as one: JSON from each text's name to what it holds.

Checked by: the sources that are made of it; the same files give the same bytes.
"""

import json
from collections.abc import Sequence
from pathlib import Path

FILE = "texts.json"


def join(folder: Path, names: Sequence[str]) -> None:
    """Put a folder's files, UTF-8, into one and remove them."""
    texts = {name: (folder / name).read_text(encoding="utf-8") for name in sorted(names)}
    (folder / FILE).write_text(json.dumps(texts, ensure_ascii=False, indent=0), encoding="utf-8", newline="\n")
    for name in names:
        (folder / name).unlink()


def read(folder: Path) -> dict[str, str]:
    """Return the texts by name."""
    return json.loads((folder / FILE).read_text(encoding="utf-8"))
