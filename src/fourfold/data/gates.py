"""Logic gates: the four rows of a truth table, for what one line can and cannot divide.

Source: M. Minsky and S. Papert, Perceptrons, 1969, on XOR.
Licence: none needed; a truth table is a fact.
Checked by: Python's own `and`, `or` and `^`.
"""

from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field

from fourfold.data.base import DataConfig
from fourfold.data.encoding import FeaturesEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.data.notes import classes_note
from fourfold.data.rows import class_counts
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Features

INPUTS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
OUTPUTS = {"and": [0, 0, 0, 1], "or": [0, 1, 1, 1], "xor": [0, 1, 1, 0]}


class GatesConfig(DataConfig):
    """Fields of `data: gates`."""

    licence: ClassVar[str] = "none needed; a truth table is a fact"
    origin: ClassVar[str] = "written out here"

    name: Literal["gates"] = "gates"
    gate: Literal["and", "or", "xor"] = Field(default="xor", description="which truth table")

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Return the four rows, as training, validation and test split alike."""
        inputs, labels = torch.tensor(INPUTS, dtype=torch.float64), torch.tensor(OUTPUTS[self.gate])
        names = ("a", "b")
        classes, counts = ("0", "1"), class_counts(labels, 2)
        splits = ("train", "validation", "test")
        return InMemorySource(
            ClassificationSpec(Features(names), classes, counts),
            dict.fromkeys(splits, inputs),
            dict.fromkeys(splits, labels),
            FeaturesEncoding.unchanged(names),
            notes=[
                "training, validation and test split are the same four rows: a truth table has no others",
                classes_note(classes, counts),
                "inputs are 0 and 1 as they are, not standardised",
            ],
        )
