"""Names as text and names as files: the same UTF-8 bytes on disk, whatever the locale.

Where the locale is not UTF-8, Python holds a file name's other bytes as halves of surrogate pairs. Here they become
the text that they spell, and text becomes the file name that spells it.

Source: PEP 383.
Checked by: names in many scripts; a process in the C locale with Python's UTF-8 mode off.
"""

import os
import re
import unicodedata
from pathlib import Path


def slug(name: str) -> str:
    """Return `name` as a readable part of a file name: letters and digits of any script, `.`, `_` and `-`."""
    composed = unicodedata.normalize("NFC", name)
    kept = "".join(c if unicodedata.category(c)[0] in "LMN" or c in "._-" else "-" for c in composed)
    short = re.sub("-{2,}", "-", kept).encode("utf-8")[:120].decode("utf-8", errors="ignore")
    return short.strip("-.") or "run"


def to_text(name: str) -> str:
    """Return a file name, or a word from the command line, as text that UTF-8 can hold."""
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        try:
            return os.fsencode(name).decode("utf-8", errors="backslashreplace")
        except UnicodeEncodeError:  # halves of surrogate pairs that no file name gave
            return name.encode("utf-8", errors="backslashreplace").decode("utf-8")
    return name


def to_file_name(text: str) -> str:
    """Return the file name that spells `text` in UTF-8."""
    return os.fsdecode(text.encode("utf-8"))


def is_plain_name(text: str) -> bool:
    """Return whether `text` can name an entry of a folder, and no other place."""
    return text not in ("", ".", "..") and not any(c in text for c in "/\\\0")


def path_to_text(path: Path) -> str:
    """Return one text for each folder, however it was reached."""
    return to_text(str(path.parent.resolve() / path.name))


def text_to_path(text: str) -> Path:
    """Return the path that `path_to_text` was given; one whose bytes are not UTF-8 does not come back."""
    return Path(to_file_name(text))
