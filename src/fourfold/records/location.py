"""Where the index of runs is: `FOURFOLD_DB`, or a file in the workspace. Imports no database library.

Checked by: addresses of each kind, and those that are refused.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from fourfold.core.errors import InputError, did_you_mean

VARIABLE = "FOURFOLD_DB"
FILE = "fourfold.db"
_SCHEMES = {
    "postgresql+psycopg": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "sqlite": "sqlite",
}


def database_address() -> str | None:
    """Return the SQLAlchemy URL in `FOURFOLD_DB`, None where the workspace's own file is meant.

    Raises:
        InputError: not a database we can use, or its driver is not installed. The address itself is not repeated,
            for it may hold a password.
    """
    address = os.environ.get(VARIABLE, "").strip()
    if not address:
        return None
    scheme, found, rest = address.partition("://")
    if not found or scheme not in _SCHEMES:
        known = did_you_mean(scheme, ["postgresql+psycopg", "sqlite"]) if found else ""
        raise InputError(f"{VARIABLE}: expected postgresql+psycopg://USER@HOST/NAME or sqlite:///FILE{known}")
    if scheme != "sqlite" and find_spec("psycopg") is None:
        raise InputError(f'{VARIABLE}: PostgreSQL needs its driver: pip install "fourfold[pg]"')
    return f"{_SCHEMES[scheme]}://{rest}"


def path_to_text(path: Path) -> str:
    """Return `path` as UTF-8 text for a database: one text for each folder, whatever the locale and current folder."""
    return os.fsencode(path.parent.resolve() / path.name).decode("utf-8", errors="backslashreplace")


def text_to_path(text: str) -> Path:
    """Return the path that `path_to_text` was given; one whose bytes are not UTF-8 does not come back."""
    return Path(os.fsdecode(text.encode("utf-8")))
