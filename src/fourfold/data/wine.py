"""Wines: 178 from three growers, thirteen chemical measurements.

Source: M. Forina et al., PARVUS; S. Aeberhard, UCI 1991; the copy inside scikit-learn.
Licence: CC BY 4.0 (UCI); the copy BSD-3-Clause.
Checked by: scikit-learn's own load_wine.
"""

from pathlib import Path
from typing import ClassVar, Literal

from fourfold.data.base import SplitDataConfig
from fourfold.data.embedded import read_sklearn_classes
from fourfold.data.in_memory import InMemorySource
from fourfold.data.notes import split_note
from fourfold.data.rows import labelled_rows

NAMES = (
    "alcohol",
    "malic_acid",
    "ash",
    "alcalinity_of_ash",
    "magnesium",
    "total_phenols",
    "flavanoids",
    "nonflavanoid_phenols",
    "proanthocyanins",
    "color_intensity",
    "hue",
    "od280/od315_of_diluted_wines",
    "proline",
)


class WineConfig(SplitDataConfig):
    """Fields of `data: wine`."""

    licence: ClassVar[str] = "CC BY 4.0 (UCI); the copy inside scikit-learn BSD-3-Clause"
    origin: ClassVar[str] = "M. Forina et al., PARVUS; S. Aeberhard, UCI 1991; comes with scikit-learn"

    name: Literal["wine"] = "wine"

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Read the wines that come with scikit-learn; nothing is downloaded."""
        values, labels, classes = read_sklearn_classes("wine_data.csv")
        splits = self.splits(len(labels), labels, seed)
        notes = [split_note(splits, self.drawn(seed, in_proportion=True))]
        return labelled_rows(NAMES, values, labels, classes, splits, notes)
