"""Iris flowers: 150 of three species, four measurements in centimetres.

Source: R. A. Fisher, The use of multiple measurements in taxonomic problems, Annals of Eugenics 7, 1936; the copy
inside scikit-learn.
Licence: CC BY 4.0 (UCI); the copy BSD-3-Clause.
Checked by: scikit-learn's own load_iris.
"""

from pathlib import Path
from typing import ClassVar, Literal

from fourfold.data.base import SplitDataConfig
from fourfold.data.embedded import read_sklearn_classes
from fourfold.data.in_memory import InMemorySource
from fourfold.data.notes import split_note
from fourfold.data.rows import labelled_rows

NAMES = ("sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)")


class IrisConfig(SplitDataConfig):
    """Fields of `data: iris`."""

    licence: ClassVar[str] = "CC BY 4.0 (UCI); the copy inside scikit-learn BSD-3-Clause"
    origin: ClassVar[str] = "R. A. Fisher, 1936; comes with scikit-learn"

    name: Literal["iris"] = "iris"

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Read the flowers that come with scikit-learn; nothing is downloaded."""
        values, labels, classes = read_sklearn_classes("iris.csv")
        splits = self.splits(len(labels), labels, seed)
        notes = [split_note(splits, self.drawn(seed, in_proportion=True))]
        return labelled_rows(NAMES, values, labels, classes, splits, notes)
