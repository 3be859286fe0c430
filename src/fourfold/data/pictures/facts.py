"""What is known of pictures once they were read: kept as columns, for there may be millions.

Checked by: NumPy over the pixels themselves; files written and read back.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fourfold.data.pictures.reading import Picture


@dataclass
class Facts:
    """Of each picture, in the order of its files; those of a file that failed are zero.

    Attributes:
        digests: SHA-256 of its file, uint8 `[pictures, 32]`.
        sizes: width and height in the file, upright, int32 `[pictures, 2]`.
        grey: whether the file has no colour, bool `[pictures]`.
        sums: sum and sum of squares of each channel's pixels, exact, int64 `[pictures, 2, channels]`.
        failures: why a file gave no picture, by its number.
        remarks: what was done to pictures that their owner may not expect -> their numbers.
    """

    digests: np.ndarray
    sizes: np.ndarray
    grey: np.ndarray
    sums: np.ndarray
    failures: dict[int, str] = field(default_factory=dict)
    remarks: dict[str, list[int]] = field(default_factory=dict)

    @classmethod
    def empty(cls, count: int, channels: int) -> "Facts":
        """Return the facts of `count` pictures that nobody has read yet."""
        return cls(
            np.zeros((count, 32), np.uint8),
            np.zeros((count, 2), np.int32),
            np.zeros(count, np.bool_),
            np.zeros((count, 2, channels), np.int64),
        )

    @property
    def read(self) -> np.ndarray:
        """The numbers of the files that gave a picture, int64, ascending."""
        failed = np.zeros(len(self.grey), np.bool_)
        failed[list(self.failures)] = True
        return np.flatnonzero(~failed)

    def add(self, number: int, told: "Told") -> None:
        """Write down what was told of a picture."""
        if isinstance(told, str):
            self.failures[number] = told
            return
        digest, width, height, grey, sums, kinds = told
        self.digests[number] = np.frombuffer(bytes.fromhex(digest), np.uint8)
        self.sizes[number] = width, height
        self.grey[number] = grey
        self.sums[number] = sums
        for kind in kinds:
            self.remarks.setdefault(kind, []).append(number)

    def mean_and_deviation(self, numbers: np.ndarray, pixels: int) -> tuple[list[float], list[float]]:
        """Return each channel's mean and deviation over some pictures, from exact sums; that of no variation is 1.

        Args:
            numbers: of the pictures; one that stands twice counts twice.
            pixels: of each.
        """
        count = len(numbers) * pixels
        totals, squares = self.sums[numbers].astype(object).sum(0)  # Python's integers never overflow
        mean = [int(total) / count for total in totals]
        variance = [(count * int(s) - int(t) ** 2) / count**2 for t, s in zip(totals, squares, strict=True)]
        return mean, [math.sqrt(value) if value > 0 else 1.0 for value in variance]


Told = str | Sequence[Any]  # why it failed, or digest, width, height, grey, sums and kinds of remarks; JSON-ready


def tell(picture: Picture, digest: str) -> Told:
    """Return what there is to tell of a picture that was read from a file of this SHA-256."""
    counts = np.array(picture.image.histogram(), dtype=np.int64).reshape(-1, 256)
    values = np.arange(256, dtype=np.int64)
    sums = [(counts @ values).tolist(), (counts @ (values * values)).tolist()]
    kinds = [remark.kind for remark in picture.remarks]
    return [digest, picture.width, picture.height, picture.grey, sums, kinds]
