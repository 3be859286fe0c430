"""The base of all data configs, and splitting into train, validation and test."""

from pathlib import Path

import torch
from pydantic import Field, model_validator
from torch import Tensor

from fourfold.core.config import PartConfig
from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.tasks.seam import Source

Splits = dict[str, Tensor]  # "train", "validation", "test" -> example numbers, int64, disjoint


class DataConfig(PartConfig):
    """The fields of a data source."""

    def build(self, seed: int, cache: Path) -> Source:
        """Read the data and return the source.

        Args:
            seed: the run's seed.
            cache: folder for downloaded files; used only by sources that download.

        Raises:
            InputError: the data cannot be read or used; the message names the file or field.
        """
        raise NotImplementedError


class SplitDataConfig(DataConfig):
    """A source that is one pool of examples and must be split here."""

    validation: float = Field(default=0.15, ge=0, lt=1, description="share of the examples that steers training")
    test: float = Field(default=0.15, ge=0, lt=1, description="share of the examples that is kept for the end")
    split_seed: int | None = Field(default=0, ge=0, description="null: the split varies with the run's seed")
    folds: int | None = Field(
        default=None, ge=2, le=1000, description="k-fold cross-validation over everything but the test split"
    )
    fold: int | None = Field(default=None, ge=0, description="which fold validates; null runs them all")

    @model_validator(mode="after")
    def _check(self) -> "SplitDataConfig":
        if self.validation + self.test >= 1:
            raise ValueError(
                "data.validation and data.test leave no training examples; together they must stay below 1"
            )
        if self.fold is not None and (self.folds is None or self.fold >= self.folds):
            raise ValueError(f"data.fold: {self.fold} is not one of data.folds={self.folds} folds, counted from 0")
        return self

    def splits(self, num_examples: int, labels: Tensor | None, seed: int) -> Splits:
        """Return disjoint example numbers; stratified by `labels` (int64 `[examples]`) where given."""
        split_seed = seed if self.split_seed is None else self.split_seed
        rank = _shuffled(num_examples, labels, stream_seed(split_seed, "split"))
        num_test = round(self.test * num_examples)
        test, rest = rank[:num_test], rank[num_test:]
        if self.folds is not None:
            if self.folds > len(rest):
                raise InputError(f"data.folds: {self.folds} folds of {len(rest)} examples leave some empty")
            fold = self.fold or 0
            members = torch.arange(len(rest)) % self.folds == fold
            validation, train = rest[members], rest[~members]
        else:
            num_validation = round(self.validation * num_examples)
            validation, train = rest[:num_validation], rest[num_validation:]
        if len(train) == 0:
            raise InputError(f"data: {num_examples} examples leave none for training")
        return {"train": train.sort().values, "validation": validation.sort().values, "test": test.sort().values}


def _shuffled(num_examples: int, labels: Tensor | None, seed: int) -> Tensor:
    """Return example numbers in a random order whose every stretch holds the classes in proportion."""
    order = torch.randperm(num_examples, generator=torch.Generator().manual_seed(seed))
    if labels is None:
        return order
    position = torch.empty(num_examples, dtype=torch.float64)
    for label in labels.unique():
        members = order[labels[order] == label]
        # The j-th of a class's m members stands at (j + 0.5) / m of the whole order.
        position[members] = (torch.arange(len(members), dtype=torch.float64) + 0.5) / len(members)
    return order[position[order].sort(stable=True).indices]
