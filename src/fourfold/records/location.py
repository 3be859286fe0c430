"""Where the index of runs is: `FOURFOLD_DB`, or a file in the workspace. Imports no database library.

Checked by: addresses of each kind, and those that are refused.
"""

import os
from importlib.util import find_spec

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
