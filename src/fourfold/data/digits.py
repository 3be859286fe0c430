"""Handwritten digits, 8x8: 1,797 grey pictures of ten classes, pixels 0 to 16.

Source: E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits, UCI 1998; the copy inside scikit-learn.
Licence: CC BY 4.0 (UCI); the copy BSD-3-Clause.
Checked by: scikit-learn's own load_digits.
"""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from fourfold.data.augment.base import AnyAugment
from fourfold.data.base import SplitDataConfig
from fourfold.data.embedded import read_sklearn_csv
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource, take
from fourfold.data.notes import augment_note, classes_note, pictures_note, split_note
from fourfold.data.rows import class_counts
from fourfold.tasks.classification import ClassificationSpec


class DigitsConfig(SplitDataConfig):
    """Fields of `data: digits`."""

    licence: ClassVar[str] = "CC BY 4.0 (UCI); the copy inside scikit-learn BSD-3-Clause"
    origin: ClassVar[str] = "E. Alpaydin and C. Kaynak, UCI 1998; comes with scikit-learn"

    name: Literal["digits"] = "digits"
    augment: list[AnyAugment] = Field(default=[], description="changes to training pictures, in this order")

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Read the digits that come with scikit-learn; nothing is downloaded."""
        table = read_sklearn_csv("digits.csv.gz", header=0)
        images = torch.from_numpy(table[:, :-1].astype(np.uint8)).view(-1, 1, 8, 8)
        labels = torch.from_numpy(table[:, -1].astype(np.int64))
        splits = self.splits(len(labels), labels, seed)
        examples, targets = take(images, splits), take(labels, splits)
        encoding = ImageEncoding.fit(examples["train"], maximum=16)
        names, counts = tuple("0123456789"), class_counts(targets["train"], 10)
        augment = [part.build(encoding.image) for part in self.augment]
        notes = [
            split_note(splits, self.drawn(seed, in_proportion=True)),
            classes_note(names, counts),
            pictures_note(encoding),
            *augment_note([part.name for part in self.augment]),
        ]
        spec = ClassificationSpec(encoding.image, names, counts)
        return InMemorySource(spec, examples, targets, encoding, augment, notes)
