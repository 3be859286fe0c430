"""Handwritten digits, 8x8: 1,797 grey images of ten classes, values 0 to 16.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998; the copy inside scikit-learn.
Licence: CC BY 4.0 (UCI); the copy BSD-3-Clause.
Checked by: scikit-learn's own load_digits.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import torch

from fourfold.data.base import SplitDataConfig
from fourfold.data.embedded import read_sklearn_csv
from fourfold.data.encoding import Standardise
from fourfold.data.in_memory import InMemorySource, take
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Source


class DigitsConfig(SplitDataConfig):
    """Fields of `data: digits`."""

    name: Literal["digits"] = "digits"

    def build(self, seed: int, cache: Path) -> Source:
        """Read the digits that come with scikit-learn; nothing is downloaded."""
        table = read_sklearn_csv("digits.csv.gz", header=0)
        images = torch.from_numpy(table[:, :-1].astype(np.uint8)).view(-1, 1, 8, 8)
        labels = torch.from_numpy(table[:, -1].astype(np.int64))
        splits = self.splits(len(labels), labels, seed)
        examples = take(images, splits)
        counts = tuple(torch.bincount(labels[splits["train"]], minlength=10).tolist())
        spec = ClassificationSpec(Image(1, 8, 8), tuple("0123456789"), counts)
        return InMemorySource(spec, examples, take(labels, splits), Standardise.fit(examples["train"]))
