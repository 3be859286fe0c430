"""A process that reads pictures for another one, told by lines of JSON on stdin and answering on stdout.

It is a program of its own and no fork: the process that needs pictures has torch's threads by then, and may be a script
without a `__main__` guard.

Checked by: the same pixels and facts as without it; a worker that is killed.
"""

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fourfold.data.pictures.facts import Told, tell
from fourfold.data.pictures.reading import UnreadableError, Wanted, read_bytes, read_picture


def read_into(path: str, wanted: Wanted, row: np.ndarray | None) -> Told:
    """Read one picture, write its pixels into `row`, and return what there is to tell of it, or why it failed."""
    try:
        data = read_bytes(path)
        picture = read_picture(data, wanted)
    except UnreadableError as error:
        return str(error)
    if row is not None:
        row[:] = picture.pixels
    return tell(picture, hashlib.sha256(data).hexdigest())


def open_pixels(path: str, count: int, wanted: Wanted) -> np.ndarray:
    """Return the pixels of a file as they are shared between processes, uint8 `[pictures, height, width, channels]`."""
    return np.memmap(path, np.uint8, "r+", shape=(count, wanted.height, wanted.width, wanted.channels))


def serve(lines: Iterator[str]) -> None:
    """Answer each line `[[number, path], …]` by a line of what is told of each; the first line says how."""
    setup: dict[str, Any] = json.loads(next(lines))
    wanted = Wanted(*setup["wanted"])
    pixels = open_pixels(setup["pixels"], setup["count"], wanted) if setup["pixels"] else None
    for line in lines:
        job: Sequence[tuple[int, str]] = json.loads(line)
        told = [read_into(path, wanted, None if pixels is None else pixels[number]) for number, path in job]
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    serve(iter(sys.stdin))
