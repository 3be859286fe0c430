"""Handwritten digits, 8x8: 1,797 grey pictures of ten classes, pixels 0 to 16.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998; the copy inside scikit-learn.
Licence: CC BY 4.0 (UCI); the copy BSD-3-Clause.
Checked by: scikit-learn's own load_digits.
"""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch

from fourfold.data.embedded import read_sklearn_csv
from fourfold.data.in_memory import InMemorySource
from fourfold.data.labelled_pictures import Labelled
from fourfold.data.pooled_pictures import PooledPicturesConfig


class DigitsConfig(PooledPicturesConfig):
    """Fields of `data: digits`."""

    licence: ClassVar[str] = "CC BY 4.0 (UCI); the copy inside scikit-learn BSD-3-Clause"
    origin: ClassVar[str] = "E. Alpaydin and C. Kaynak, UCI 1998; comes with scikit-learn"

    name: Literal["digits"] = "digits"

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Read the digits that come with scikit-learn; nothing is downloaded."""
        table = read_sklearn_csv("digits.csv.gz", header=0)
        images = torch.from_numpy(table[:, :-1].astype(np.uint8)).view(-1, 1, 8, 8)
        labels = torch.from_numpy(table[:, -1].astype(np.int64))
        return self.source_of(Labelled(images, labels), tuple("0123456789"), seed, [], maximum=16)
