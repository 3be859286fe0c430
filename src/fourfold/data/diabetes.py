"""Diabetes: 442 patients, ten measurements, and how far the disease went in a year (25 to 346).

The measurements are the raw ones, in their own units, standardised here on the training split. scikit-learn's loader
by default scales every column on all 442 patients, so that its squares add up to 1; `load_diabetes(scaled=False)` is
what this file holds. The target is whole numbers, standardised here and given back in its own unit.

Source: B. Efron, T. Hastie, I. Johnstone and R. Tibshirani, Least Angle Regression, Annals of Statistics 32, 2004; the
copy inside scikit-learn.
Licence: none stated by its authors; the copy BSD-3-Clause.
Checked by: scikit-learn's own load_diabetes.
"""

from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field

from fourfold.data.base import SplitDataConfig
from fourfold.data.embedded import read_sklearn_csv
from fourfold.data.in_memory import InMemorySource
from fourfold.data.notes import split_note
from fourfold.data.rows import RegressionTask, measured_rows

NAMES = ("age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6")
TARGET = "progression"


class DiabetesConfig(SplitDataConfig):
    """Fields of `data: diabetes`."""

    licence: ClassVar[str] = "none stated by its authors; the copy inside scikit-learn BSD-3-Clause"
    origin: ClassVar[str] = "B. Efron et al., Annals of Statistics 2004; comes with scikit-learn"

    name: Literal["diabetes"] = "diabetes"
    task: RegressionTask = Field(
        default="regression", description="predict a number, or a mean and a variance (probabilistic_regression)"
    )

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Read the patients that come with scikit-learn; nothing is downloaded."""
        values = torch.from_numpy(read_sklearn_csv("diabetes_data_raw.csv.gz", header=0, delimiter=None))
        targets = torch.from_numpy(read_sklearn_csv("diabetes_target.csv.gz", header=0, delimiter=None))
        splits = self.splits(len(targets), None, seed)
        notes = [split_note(splits, self.drawn(seed, in_proportion=False))]
        return measured_rows(NAMES, values, (TARGET,), targets, splits, self.task, notes)
