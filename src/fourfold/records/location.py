"""Where runs are, and where their index is: in `FOURFOLD_DB`, or a file in the workspace. Imports no database library.

Checked by: addresses of each kind, and those that are refused; workspaces that are files, or that nobody may write.
"""

import os
from importlib.util import find_spec
from pathlib import Path

from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.extras import to_install

VARIABLE = "FOURFOLD_DB"
FILE = "fourfold.db"
_SCHEMES = {
    "postgresql+psycopg": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "sqlite": "sqlite",
}


def workspace_path(workspace: str | Path | None) -> Path:
    """Return the workspace: the one given, else `FOURFOLD_WORKSPACE`, else `./runs`."""
    return Path(workspace or os.environ.get("FOURFOLD_WORKSPACE") or "runs")


def check_workspace(workspace: Path) -> None:
    """Refuse a workspace in which nothing can be written, which is better said before a run than after.

    Nothing is created.

    Raises:
        InputError: it, or what it would be made in, is no folder or may not be written.
    """
    for folder in (workspace, workspace / "cells"):
        nearest = folder
        while not os.path.lexists(nearest) and nearest != nearest.parent:
            nearest = nearest.parent
        where = "" if nearest == workspace else f" {nearest}:"
        if not os.path.isdir(nearest):
            raise InputError(f"workspace {workspace}:{where} not a folder")
        if not os.access(nearest, os.W_OK | os.X_OK):
            raise InputError(f"workspace {workspace}:{where} no permission to write in it")


def check_folder_of(file: Path) -> None:
    """Refuse a file in a folder that is not there, which is better said before the work than after; none is made.

    Raises:
        InputError: there is no such folder, or it is something else.
    """
    folder = file.parent
    if not folder.is_dir():
        raise InputError(f"{folder}: {'not a folder' if os.path.lexists(folder) else 'no such folder'}")


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
        raise InputError(f"{VARIABLE}: PostgreSQL needs its driver: {to_install('pg')}")
    return f"{_SCHEMES[scheme]}://{rest}"
