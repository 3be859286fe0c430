"""Breast tumours: 569, malignant or benign, thirty measurements of cell nuclei.

Ten properties of the nuclei in a picture, each as its mean, its standard error, and the mean of its three worst values.

Source: W. N. Street, W. H. Wolberg and O. L. Mangasarian, Nuclear feature extraction for breast tumor diagnosis,
SPIE 1905, 1993; UCI 1995; the copy inside scikit-learn.
Licence: CC BY 4.0 (UCI); the copy BSD-3-Clause.
Checked by: scikit-learn's own load_breast_cancer.
"""

from pathlib import Path
from typing import ClassVar, Literal

from fourfold.data.base import SplitDataConfig
from fourfold.data.embedded import read_sklearn_classes
from fourfold.data.in_memory import InMemorySource
from fourfold.data.notes import split_note
from fourfold.data.rows import labelled_rows

PROPERTIES = (
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave points",
    "symmetry",
    "fractal dimension",
)
NAMES = (
    *(f"mean {name}" for name in PROPERTIES),
    *(f"{name} error" for name in PROPERTIES),
    *(f"worst {name}" for name in PROPERTIES),
)


class BreastCancerConfig(SplitDataConfig):
    """Fields of `data: breast_cancer`."""

    licence: ClassVar[str] = "CC BY 4.0 (UCI); the copy inside scikit-learn BSD-3-Clause"
    origin: ClassVar[str] = "W. N. Street, W. H. Wolberg and O. L. Mangasarian, UCI 1995; comes with scikit-learn"

    name: Literal["breast_cancer"] = "breast_cancer"

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Read the measurements that come with scikit-learn; nothing is downloaded."""
        values, labels, classes = read_sklearn_classes("breast_cancer.csv")
        splits = self.splits(len(labels), labels, seed)
        notes = [split_note(splits, self.drawn(seed, in_proportion=True))]
        return labelled_rows(NAMES, values, labels, classes, splits, notes)
