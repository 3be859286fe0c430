"""Durable writes: after any crash a file holds either its old bytes or its new ones, never a part of them.

The order is what makes it so: write a temporary file in the same directory, fsync it, rename it over the target,
fsync the directory. Source: the rename and fsync rules of POSIX.1-2017 (`rename`, `fsync`).

Checked by: faults injected at each system call; a disk that is really full.
"""

import contextlib
import errno
import os
import secrets
import shutil
from pathlib import Path

_CHUNK = 64 * 1024 * 1024  # Linux writes at most 2 GiB a call; smaller pieces also notice a full disk sooner


def write_atomically(path: Path, data: bytes | memoryview) -> None:
    """Replace the file `path` by `data`; when this returns, the bytes survive a power cut.

    Raises:
        OSError: disk full, no permission, read-only folder; `path` is as it was and no temporary file is left
            (only if the last step, the directory's fsync, failed is `path` new and its durability unknown).
    """
    temporary = temporary_beside(path)
    try:
        write_durably(temporary, data)
        rename_durably(temporary, path)
    except BaseException as error:
        remove(temporary)
        if isinstance(error, OSError):
            raise named(error, path) from None
        raise


def write_durably(path: Path, data: bytes | memoryview) -> None:
    """Create the file `path`, which must not exist, and fsync it. Its directory is not fsynced.

    Raises:
        OSError: with `path` as its filename; what was written so far is left for the caller to remove.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise named(error, path) from None


def rename_durably(source: Path, target: Path) -> None:
    """Rename a file or directory over `target`, in the same directory, and fsync that directory.

    `source` and everything in it must have been fsynced before.

    Raises:
        OSError: with `target` as its filename.
    """
    try:
        os.replace(source, target)
    except OSError as error:
        raise named(error, target) from None
    fsync_directory(target.parent)


def fsync_file(path: Path) -> None:
    """Make the content of a file durable that another library wrote.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def fsync_directory(path: Path) -> None:
    """Make the names in the directory `path` durable, after a file was created, renamed or removed there.

    Raises:
        OSError: with `path` as its filename.
    """
    if os.name == "nt":  # Windows has no directory descriptors, and its renames are journalled
        return
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        except OSError as error:
            if error.errno != errno.EINVAL:  # some network file systems cannot, and say so with EINVAL
                raise
        finally:
            os.close(descriptor)
    except OSError as error:
        raise named(error, path) from None


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """Write every byte of `data`: `os.write` may write fewer than asked and say nothing.

    Raises:
        OSError: from the system, or EIO if it accepts no more bytes.
    """
    rest = memoryview(data).cast("B")
    while rest:
        count = os.write(descriptor, rest[:_CHUNK])
        if count <= 0:
            raise OSError(errno.EIO, "the file accepts no more bytes")
        rest = rest[count:]


def temporary_beside(path: Path) -> Path:
    """Return an unused name in the directory of `path`, such as `.result.json.3fa9c1d2.tmp`."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")


def is_temporary(path: Path) -> bool:
    """Whether `path` has a name from `temporary_beside`: the remains of a write that never finished."""
    return path.name.startswith(".") and path.name.endswith(".tmp")


def remove(path: Path) -> None:
    """Remove a file or a directory tree if it is there; an error is ignored, for what is left is only litter."""
    with contextlib.suppress(OSError):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def named(error: OSError, path: Path) -> OSError:
    """Return `error` with `path` in its message; `os.write` and `os.fsync` know only a descriptor."""
    return OSError(error.errno, error.strerror or str(error), str(path))
