"""Pictures decoded once: one file of 8-bit pixels in the data cache, mapped into memory, and what is known of each.

Its name is a digest of what it was made from: each file's place, size and times of change, the settings, and the
versions of Pillow and simplejpeg. So a file that changes is decoded anew, and while nothing does, no picture is opened
again. The folder appears whole or not at all, unless the power goes; each of its files is checked by SHA-256 at every
use, and a damaged one is made again. What was made from an earlier state of the same files goes when the new one is
there.

Checked by: no file opened at the second use; every file of the cache damaged; a kill while it is written; processes
that want it at once.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fourfold.core.errors import InputError
from fourfold.data.pictures.choosing import Request, choose, guess
from fourfold.data.pictures.facts import Facts
from fourfold.data.pictures.pool import cores, read_all
from fourfold.data.pictures.reading import Wanted
from fourfold.data.pictures.worker import read_into
from fourfold.records.atomic import temporary_beside

FORMAT = 2
PIXELS, FACTS, INDEX = "pixels.u8", "facts.npz", "index.json"
LOCK_SECONDS = 24 * 3600.0
PART = 1 << 22  # bytes that one digest is of


class PictureFile(NamedTuple):
    """A file as a listing of its folder shows it."""

    name: str  # for a person: relative to the folder that was given
    path: str
    size: int
    changed: tuple[int, int]  # modification and status change, nanoseconds


class Decoded(NamedTuple):
    """Pictures as they are used.

    Attributes:
        wanted: how they were made, nothing left open.
        facts: what is known of each.
        pixels: uint8 `[pictures, height, width, channels]`, mapped from the cache; None where it would be too large.
        made: whether they were decoded just now.
    """

    wanted: Wanted
    facts: Facts
    pixels: np.memmap | None
    made: bool


def decode(
    root: Path, files: Sequence[PictureFile], request: Request, cache: Path, most_bytes: int | None = None
) -> Decoded:
    """Return the pictures of `files`, from the cache, or decoded now.

    Args:
        root: where the files are; an earlier state of what is there makes room in the cache for the present one.
        files: at least one; a file that gives no picture is among the failures, its pixels zero.
        request: what to make of them.
        cache: the data cache.
        most_bytes: the largest file of pixels that is kept; None is half of the free space. What would be larger is
            read all the same, for its facts, and its pixels are thrown away.

    Raises:
        InputError: the cache cannot be written.
    """
    place = _digest([str(root.absolute()), request])[:12]
    folder = cache / "pictures" / f"{place}-{_digest([FORMAT, _decoders(), request, files])[:20]}"
    if (found := _load(folder, files)) is not None:
        return found
    from filelock import FileLock, Timeout

    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.parent / f".{place}.lock", timeout=LOCK_SECONDS):
            if (found := _load(folder, files)) is not None:  # another process made it while this one waited
                return found
            index = _make(folder, files, request, most_bytes)
            _remove_earlier(folder, place)
            found = _open(folder, index, len(files))
    except Timeout:
        raise InputError(f"{folder}: another process has been decoding pictures for a day; is it stuck?") from None
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise InputError(f"{error.filename or folder}: {problem}, while decoding pictures into the cache") from None
    return found._replace(made=True)


def _make(folder: Path, files: Sequence[PictureFile], request: Request, most_bytes: int | None) -> dict[str, Any]:
    """Decode the pictures into `folder`, and return its index.

    Nothing is waited for until it is on the disk: what a loss of power leaves shows in the digests, and is made again.
    """
    temporary = temporary_beside(folder)
    temporary.mkdir()
    try:
        paths = [file.path for file in files]
        wanted = guess(paths, request)
        while True:
            facts, kept = _read(paths, wanted, temporary / PIXELS, most_bytes)
            chosen = choose(facts, request, wanted)
            if chosen == wanted:
                break
            wanted = chosen  # a picture that nobody had looked at is larger, or has colours: once more
        with (temporary / FACTS).open("wb") as file:
            np.savez(file, digests=facts.digests, sizes=facts.sizes, grey=facts.grey, sums=facts.sums)
        names = [FACTS, PIXELS] if kept else [FACTS]
        index = {
            "wanted": wanted,
            "digests": {name: _digest_of(temporary / name) for name in names},
            "failures": facts.failures,
            "remarks": facts.remarks,
        }
        text = json.dumps(index)
        (temporary / INDEX).write_bytes(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}".encode())
        if folder.exists():
            shutil.rmtree(folder)
        os.replace(temporary, folder)
        return json.loads(text)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _read(paths: Sequence[str], wanted: Wanted, pixels: Path, most_bytes: int | None) -> tuple[Facts, bool]:
    """Read all pictures, into the file `pixels` if it may be so large; return their facts, and whether it may."""
    pixels.unlink(missing_ok=True)
    size = len(paths) * wanted.height * wanted.width * wanted.channels
    if size > (shutil.disk_usage(pixels.parent).free // 2 if most_bytes is None else most_bytes):
        return read_all(paths, wanted, None), False
    with pixels.open("wb") as file:
        if hasattr(os, "posix_fallocate"):  # so that a full disk is an error here, and not a crash of who writes
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
    return read_all(paths, wanted, pixels), True


def _load(folder: Path, files: Sequence[PictureFile]) -> Decoded | None:
    """Return what a folder of the cache holds, or None where it is missing, damaged or no longer the whole truth."""
    try:
        digest, _, text = (folder / INDEX).read_text(encoding="utf-8").partition("\n")
        if hashlib.sha256(text.encode()).hexdigest() != digest:
            return None
        index: dict[str, Any] = json.loads(text)
        if any(_digest_of(folder / name) != sha256 for name, sha256 in index["digests"].items()):
            return None
        found = _open(folder, index, len(files))
        if any(not isinstance(read_into(files[n].path, found.wanted, None), str) for n in found.facts.failures):
            return None  # a file that could not be read can be now: of a disk, say, that was not there
        return found
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _open(folder: Path, index: dict[str, Any], count: int) -> Decoded:
    """Return what a folder of the cache holds of `count` pictures."""
    wanted = Wanted(*index["wanted"])
    with np.load(folder / FACTS, allow_pickle=False) as columns:
        facts = Facts(**columns, remarks=index["remarks"])
    facts.failures = {int(number): reason for number, reason in index["failures"].items()}
    pixels = None
    if PIXELS in index["digests"]:
        shape = (count, wanted.height, wanted.width, wanted.channels)
        pixels = np.memmap(folder / PIXELS, np.uint8, "c", shape=shape)  # "c": nothing is ever written back
    return Decoded(wanted, facts, pixels, made=False)


def _remove_earlier(folder: Path, place: str) -> None:
    """Remove what was made from the same files before they changed, and what a killed process left."""
    for other in folder.parent.glob(f"*{place}-*"):
        if other != folder and other.name.lstrip(".").startswith(place):
            shutil.rmtree(other, ignore_errors=True)


def _digest_of(path: Path) -> str:
    """Return the SHA-256 of the SHA-256 of each part of a file: all cores share them.

    Raises:
        OSError: it cannot be read.
    """

    def of_part(start: int) -> bytes:
        with path.open("rb") as file:
            file.seek(start)
            return hashlib.sha256(file.read(PART)).digest()

    with ThreadPoolExecutor(cores()) as threads:
        return hashlib.sha256(b"".join(threads.map(of_part, range(0, path.stat().st_size, PART)))).hexdigest()


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()


def _decoders() -> list[str]:
    from importlib.metadata import version

    return [version("pillow"), version("simplejpeg")]
