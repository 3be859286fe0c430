"""JPEGs that need nothing but decoding, and perhaps resizing: of the colours wanted, and the right way up.

simplejpeg gives the same pixels as Pillow, for both are libjpeg-turbo, in half of the time, and it lets go of Python's
lock, so that threads share the work and no process must be started. Everything else, and whatever it refuses, is left
to `reading`, which knows every form of picture and says what is wrong with one; so is everything where Pillow was built
on another libjpeg.

Checked by: the same pixels and facts as `reading`, bit by bit, over sizes, colours and ways to save a JPEG;
files that must be left to it.
"""

import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import simplejpeg

from fourfold.data.pictures.facts import Facts
from fourfold.data.pictures.reading import (
    MAX_PIXELS,
    OPENED,
    ORIENTATION,
    SCALES,
    Wanted,
    of_size,
    placed,
    read_bytes,
)

CHUNK, BYTES = 64, 1 << 24  # pictures that a thread takes at a time, and of how many bytes in all
SMALL = 1 << 16  # bytes of a file that are asked for at once
FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive: their headers give the size
EXIF, ICC = b"Exif\0\0", b"ICC_PROFILE\0"
ORDERS: dict[bytes, Literal["little", "big"]] = {b"II*\0": "little", b"MM\0*": "big"}
SHORT = {"little": b"\3\0\1\0\0\0", "big": b"\0\3\0\0\0\1"}  # one number of 16 bits, as TIFF says it
COLOURS = {1: "GRAY", 3: "RGB"}


class _Header(NamedTuple):
    """What a JPEG's headers say."""

    height: int
    width: int
    channels: int


def read_plain(
    paths: Sequence[str],
    wanted: Wanted,
    pixels: Path | None,
    facts: Facts,
    threads: int,
    seen: Callable[[int], None] = lambda count: None,
) -> list[int]:
    """Read the plain JPEGs among `paths`; return the numbers of all others, ascending, about which nothing is told.

    Args:
        paths: of the files.
        wanted: what to make of each.
        pixels: a file of exactly their size, which their pixels are written into, in order; None throws them away.
        facts: where what is known of each goes.
        threads: that share the work.
        seen: hears how many more were read.
    """
    from PIL import features

    if not features.check_feature("libjpeg_turbo"):
        return list(range(len(paths)))
    chunk = max(1, min(CHUNK, BYTES // (wanted.height * wanted.width * wanted.channels)))

    def read(start: int) -> list[int]:
        left = _read_some(paths[start : start + chunk], start, wanted, pixels, facts)
        seen(min(chunk, len(paths) - start) - len(left))
        return left

    with ThreadPoolExecutor(threads) as pool:
        return [number for left in pool.map(read, range(0, len(paths), chunk)) for number in left]


def _read_some(paths: Sequence[str], start: int, wanted: Wanted, pixels: Path | None, facts: Facts) -> list[int]:
    left: list[int] = []
    numbers: list[int] = []
    digests: list[bytes] = []
    sizes: list[tuple[int, int]] = []
    room = np.empty((len(paths), wanted.height, wanted.width, wanted.channels), np.uint8)
    for number, path in enumerate(paths, start):
        try:
            data = _whole(path)
        except (OSError, ValueError):  # why, says who reads it next
            left.append(number)
            continue
        header = _header(data)
        if (
            header is None
            or header.channels != wanted.channels
            or not _decode(data, header, wanted, room[len(numbers)])
        ):
            left.append(number)
            continue
        numbers.append(number)
        digests.append(hashlib.sha256(data).digest())
        sizes.append((header.width, header.height))
    found = room[: len(numbers)]
    if numbers:
        if pixels is not None:
            _write(found, numbers, pixels)
        facts.digests[numbers] = np.frombuffer(b"".join(digests), np.uint8).reshape(-1, 32)
        facts.sizes[numbers] = sizes
        facts.grey[numbers] = wanted.channels == 1
        facts.sums[numbers] = _sums(found)
    return left


def _whole(path: str) -> bytes:
    """Return what a file holds.

    A small one is not asked about first, which would take as long as reading it: what is no plain file gives nothing
    here, no JPEG, or so much that it is asked about.

    Raises:
        OSError, ValueError: no file that can be read.
    """
    file = os.open(path, OPENED)
    try:
        data = os.read(file, SMALL)
    finally:
        os.close(file)
    return data if len(data) < SMALL else read_bytes(path)


def _write(found: np.ndarray, numbers: list[int], pixels: Path) -> None:
    """Write the pictures to where their numbers say.

    By writing, not through a new memory map, which faults at each of its pages while it holds Python's lock.
    """
    gaps = np.flatnonzero(np.diff(numbers) > 1) + 1
    with pixels.open("r+b") as file:
        for first, run in zip([0, *gaps.tolist()], np.split(found, gaps), strict=True):
            file.seek(numbers[first] * run[0].nbytes)
            file.write(run.data)


def _decode(data: bytes, header: _Header, wanted: Wanted, out: np.ndarray) -> bool:
    """Write a picture's pixels to `out`; return whether it could be done."""
    height, width = _decoded(header, wanted)
    fits = (height, width) == out.shape[:2]
    try:
        found = simplejpeg.decode_jpeg(
            data, COLOURS[header.channels], min_height=height, min_width=width, buffer=out if fits else None
        )
    except ValueError:  # damaged; how, says who reads it next
        return False
    if found.shape[:2] != (height, width):
        return False
    if not fits:
        import PIL.Image

        image = PIL.Image.fromarray(found if header.channels == 3 else found[:, :, 0])
        out[:] = np.asarray(of_size(image, wanted)).reshape(out.shape)
    return True


@lru_cache
def _decoded(header: _Header, wanted: Wanted) -> tuple[int, int]:
    """Return the height and width that `reading` would let the decoder give a picture."""
    full = header.width, header.height
    size = placed(*full, wanted)
    scale = next(s for s in SCALES if s == 1 or min(full[0] // size[0], full[1] // size[1]) >= s)
    width, height = (-(-side // scale) for side in full)
    return height, width


def _sums(pixels: np.ndarray) -> np.ndarray:
    """Return the sum and the sum of squares of each picture's channels, exact, int64 `[pictures, 2, channels]`."""
    count, height, width, channels = pixels.shape
    values = pixels.reshape(count, height, width * channels)
    squares = np.multiply(values, values, dtype=np.uint16)  # at most 255^2
    # Columns first: their inner loop is over a whole row of pixels, and not over three channels.
    columns = [np.add.reduce(each, 1, dtype=np.uint32) for each in (values, squares)]  # exact to 66,051 rows
    return np.stack(columns, 1).reshape(count, 2, width, channels).sum(2, dtype=np.int64)


def _header(data: bytes) -> _Header | None:
    """Return what a JPEG's headers say, or None where they leave a doubt about the size, the colours or what is up."""
    place = 2
    if data[:2] != b"\xff\xd8":
        return None
    while place + 10 <= len(data) and data[place] == 0xFF:
        marker, length = data[place + 1], int.from_bytes(data[place + 2 : place + 4])
        if marker in FRAMES:
            height, width = int.from_bytes(data[place + 5 : place + 7]), int.from_bytes(data[place + 7 : place + 9])
            fits = 0 < height * width <= MAX_PIXELS
            return _Header(height, width, data[place + 9]) if fits else None
        if not (0xC4 <= marker <= 0xFE) or 0xD0 <= marker <= 0xD9:
            return None
        if marker == 0xE1 and not _is_upright(data[place + 4 : place + 2 + length]):
            return None
        if marker == 0xE2 and data[place + 4 : place + 4 + len(ICC)] != ICC:  # which may name further pictures
            return None
        place += 2 + length
    return None


def _is_upright(segment: bytes) -> bool:
    """Return whether EXIF says that the picture is stored as it is seen; XMP, and what is damaged, may say anything.

    Read by hand, for Pillow warns of odd metadata, and warnings cannot be kept quiet in one thread.
    """
    data = segment.removeprefix(EXIF)
    order = ORDERS.get(data[:4])
    if data == segment or order is None:
        return False
    place = int.from_bytes(data[4:8], order)
    count = int.from_bytes(data[place : place + 2], order)
    entries = [data[place + 2 + 12 * i : place + 14 + 12 * i] for i in range(count)]
    if len(data) < 8 or any(len(entry) < 12 for entry in entries):
        return False
    said = [entry for entry in entries if int.from_bytes(entry[:2], order) == ORIENTATION]
    return all(entry[2:8] == SHORT[order] and int.from_bytes(entry[8:10], order) == 1 for entry in said)
