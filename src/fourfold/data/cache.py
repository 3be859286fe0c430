"""The data cache: files that were fetched once, checked by digest each time they are used.

A file appears in the cache whole or not at all: it is fetched into a temporary folder beside it, checked, made durable
and renamed. Two processes that need the same files take turns, and the second finds them there. A damaged file is
fetched again. While the files are sound there is no network call.

Checked by: faults between any two steps; two processes at once; damaged and truncated files; an empty PATH.
"""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fourfold.core.errors import InputError
from fourfold.records.atomic import fsync_directory, fsync_file
from fourfold.records.digest import sha256_of

LOCK_SECONDS = 3600.0  # how long to wait for another process that is fetching the same files


@dataclass(frozen=True)
class CachedFile:
    """A file as it must be."""

    name: str
    sha256: str


Fetch = Callable[[Path], None]  # puts every file, under its name, into an empty folder


def ensure(folder: Path, files: Sequence[CachedFile], fetch: Fetch) -> bool:
    """Make `folder` hold `files`, fetching what is missing or damaged.

    Returns:
        Whether anything was fetched.

    Raises:
        InputError: it cannot be fetched, is not what was expected, or the cache cannot be written.
    """
    if not unsound(folder, files):
        return False
    from filelock import FileLock, Timeout

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock"), timeout=LOCK_SECONDS):
            if not unsound(folder, files):  # another process fetched them while this one waited
                return False
            _fetch(folder, files, fetch)
            return True
    except Timeout:
        raise InputError(f"{folder}: another process has been fetching this data for an hour; is it stuck?") from None
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise InputError(f"{error.filename or folder}: {problem}, while fetching data") from None


def unsound(folder: Path, files: Sequence[CachedFile]) -> list[str]:
    """Return the names of `files` that `folder` does not hold exactly."""
    return [file.name for file in files if digest_if_there(folder / file.name) != file.sha256]


def _fetch(folder: Path, files: Sequence[CachedFile], fetch: Fetch) -> None:
    """Fetch into a temporary folder, check, and rename each file into place; the caller holds the lock."""
    temporary = folder.with_name(f".{folder.name}.fetching")
    shutil.rmtree(temporary, ignore_errors=True)  # what a killed process left
    temporary.mkdir()
    try:
        fetch(temporary)
        wrong = unsound(temporary, files)
        if wrong:
            absent = not (temporary / wrong[0]).is_file()
            problem = "was not in what was fetched" if absent else "is not the file that was expected (SHA-256 differs)"
            raise InputError(f"{folder.name}: {wrong[0]} {problem}; nothing was put into the cache")
        for file in files:
            fsync_file(temporary / file.name)
            target = folder / file.name
            if target.is_dir():
                shutil.rmtree(target)
            os.replace(temporary / file.name, target)
        fsync_directory(folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def digest_if_there(path: Path) -> str | None:
    """Return a file's SHA-256, or None where there is no file that can be read."""
    try:
        return sha256_of(path)
    except OSError:
        return None
