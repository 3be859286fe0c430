"""JPEGs that need nothing but decoding: of the size and colours wanted, and of nothing that could turn them.

torchvision's decoder gives the same pixels as Pillow's, for both are libjpeg, in a third of the time, and it lets go of
Python's lock, so that threads share the work and no process must be started. Everything else, and whatever it refuses,
is left to `reading`, which knows every form of picture and says what is wrong with one.

torchvision itself is not imported, which would take seconds; its library of operators is loaded by itself. Where a
torchvision has none by this name, every picture is left to `reading`.

Checked by: the same pixels and facts as `reading`, bit by bit; files that must be left to it.
"""

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fourfold.data.pictures.facts import Facts
from fourfold.data.pictures.reading import UnreadableError, Wanted, read_bytes

CHUNK = 64  # pictures that a thread takes at a time
FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive: their headers give the size
# EXIF or XMP may turn the picture, APP2 may name further pictures, Adobe's changes what colours mean.
UNSURE = (0xE1, 0xE2, 0xEE)


def read_plain(paths: Sequence[str], wanted: Wanted, rows: np.ndarray | None, facts: Facts, threads: int) -> list[int]:
    """Read the plain JPEGs among `paths`; return the numbers of all others, ascending, about which nothing is told.

    Args:
        paths: of the files.
        wanted: what to make of each.
        rows: where pixels go, uint8 `[pictures, height, width, channels]`; None throws them away.
        facts: where what is known of each goes.
        threads: that share the work.
    """
    decode = _decoder()
    if decode is None:
        return list(range(len(paths)))

    def read(start: int) -> list[int]:
        return _read_some(decode, paths[start : start + CHUNK], start, wanted, rows, facts)

    with ThreadPoolExecutor(threads) as pool:
        return [number for left in pool.map(read, range(0, len(paths), CHUNK)) for number in left]


def _read_some(
    decode: Callable[..., Tensor],
    paths: Sequence[str],
    start: int,
    wanted: Wanted,
    rows: np.ndarray | None,
    facts: Facts,
) -> list[int]:
    left: list[int] = []
    numbers: list[int] = []
    pixels = np.empty((len(paths), wanted.height, wanted.width, wanted.channels), np.uint8)
    for number, path in enumerate(paths, start):
        if (data := _plain(path, wanted)) is None:
            left.append(number)
            continue
        try:
            picture = decode(
                torch.frombuffer(data, dtype=torch.uint8), 0
            )  # 0: as it is stored, [channels, height, width]
        except RuntimeError:  # damaged; how, says who reads it next
            left.append(number)
            continue
        pixels[len(numbers)] = picture.permute(1, 2, 0).numpy()
        numbers.append(number)
        facts.digests[number] = np.frombuffer(hashlib.sha256(data).digest(), np.uint8)
    pixels = pixels[: len(numbers)]
    if rows is not None:
        rows[numbers] = pixels
    facts.sizes[numbers] = wanted.width, wanted.height
    facts.grey[numbers] = wanted.channels == 1
    facts.sums[numbers] = _sums(pixels)
    return left


def _sums(pixels: np.ndarray) -> np.ndarray:
    """Return the sum and the sum of squares of each picture's channels, exact, int64 `[pictures, 2, channels]`.

    By numpy, for torch would start threads of its own in each of ours, which made this three times as slow.
    """
    count, height, width, channels = pixels.shape
    values = pixels.reshape(count, height, width * channels)
    squares = np.multiply(values, values, dtype=np.uint16)  # at most 255^2
    # Columns first: their inner loop is over a whole row of pixels, and not over three channels.
    columns = [np.add.reduce(each, 1, dtype=np.uint32) for each in (values, squares)]  # exact to 66,051 rows
    return np.stack(columns, 1).reshape(count, 2, width, channels).sum(2, dtype=np.int64)


def _plain(path: str, wanted: Wanted) -> bytearray | None:
    """Return the bytes of a plain JPEG's file, or None of another's, and of one that cannot be read."""
    try:
        data = bytearray(read_bytes(path))
    except UnreadableError:  # why, says who reads it next
        return None
    return data if _size(data) == (wanted.height, wanted.width, wanted.channels) else None


def _size(data: bytearray) -> tuple[int, int, int] | None:
    """Return a JPEG's height, width and channels as its headers say, or None where they leave a doubt."""
    place = 2
    if data[:2] != b"\xff\xd8":
        return None
    while place + 10 <= len(data) and data[place] == 0xFF:
        marker = data[place + 1]
        if marker in FRAMES:
            height, width = int.from_bytes(data[place + 5 : place + 7]), int.from_bytes(data[place + 7 : place + 9])
            return height, width, data[place + 9]
        if marker in UNSURE or not (0xC4 <= marker <= 0xFE) or 0xD0 <= marker <= 0xD9:
            return None
        place += 2 + int.from_bytes(data[place + 2 : place + 4])
    return None


@cache
def _decoder() -> Callable[..., Tensor] | None:
    """Return torchvision's operator that decodes a JPEG, or None where it has none of this name."""
    found = find_spec("torchvision")
    libraries = sorted(Path(found.origin).parent.glob("image*.so")) if found is not None and found.origin else []
    if not libraries:
        return None
    try:
        for library in libraries:
            torch.ops.load_library(str(library))
        operators: Any = torch.ops.image
        return operators.decode_jpeg.default
    except (OSError, AttributeError, RuntimeError):
        return None
