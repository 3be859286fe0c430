"""The bases of all data configs: one pool that is split here, or a pool with a test split of its own."""

from pathlib import Path
from typing import ClassVar, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor

from fourfold.core.config import PartConfig
from fourfold.core.seeds import stream_seed
from fourfold.data.splitting import Splits, divide, subset
from fourfold.tasks.seam import Source


class Truth(NamedTuple):
    """What who draws the data knows of the test split, and nobody knows of data that were measured."""

    targets: Tensor  # without noise, in their own units, float64 [examples, targets]
    variance: float  # of the noise


class DataConfig(PartConfig):
    """The fields of a data source.

    Attributes:
        licence: what the data may be used for, for `fourfold show data NAME`.
        origin: who made the data, and where this copy comes from.
        fetched_files: what the first run fetches into the cache, in a folder of the part's name; empty for most.
        client: the program that fetches them; empty where none is needed.
    """

    licence: ClassVar[str]
    origin: ClassVar[str]
    fetched_files: ClassVar[tuple[str, ...]] = ()
    client: ClassVar[str] = "pip"

    @classmethod
    def is_here(cls, cache: Path) -> bool:
        """Return whether the data can be read without fetching anything, as far as names tell; `build` checks digests.

        Args:
            cache: folder for downloaded files.
        """
        folder = cache / cls.model_fields["name"].default if cls.fetched_files else cache
        return all((folder / name).is_file() for name in cls.fetched_files)

    def build(self, seed: int, cache: Path) -> Source:
        """Read the data and return the source.

        Args:
            seed: the run's seed.
            cache: folder for downloaded files; used only by sources that download.

        Raises:
            InputError: the data cannot be read or used; the message names the file or field.
        """
        raise NotImplementedError

    def truth(self) -> Truth | None:
        """Return the test targets without noise, where every run's seed draws a training sample of its own, or None."""
        return None


class DividedDataConfig(DataConfig):
    """A source whose validation split is chosen here; the base of the two below."""

    split_seed: int | None = Field(default=0, ge=0, description="null: the split varies with the run's seed")
    folds: int | None = Field(
        default=None, ge=2, le=1000, description="k-fold cross-validation over everything but the test split"
    )
    fold: int | None = Field(default=None, ge=0, description="which fold validates; null runs them all")
    bootstrap: bool = Field(
        default=False,
        description="train on as many examples as the training split has, drawn from it with replacement by the "
        "run's seed",
    )

    @model_validator(mode="after")
    def _check_fold(self) -> "DividedDataConfig":
        if self.fold is not None and (self.folds is None or self.fold >= self.folds):
            raise ValueError(f"data.fold: {self.fold} is not one of data.folds={self.folds} folds, counted from 0")
        return self

    def seed_of_split(self, seed: int) -> int:
        """Return the seed that decides the splits of a run with `seed`."""
        return seed if self.split_seed is None else self.split_seed

    def drawn(self, seed: int, in_proportion: bool) -> str:
        """Say how the splits of a run with `seed` were drawn, `in_proportion` to the classes or not."""
        how = "drawn in proportion to the classes" if in_proportion else "drawn at random"
        by = f"the run's seed, {seed}" if self.split_seed is None else f"data.split_seed={self.split_seed}"
        fold = f"; validation is fold {self.fold or 0} of {self.folds}, counted from 0" if self.folds else ""
        again = f"; training examples drawn from theirs with replacement, by the run's seed, {seed}"
        return f"{how} with {by}{fold}{again if self.bootstrap else ''}"

    def sampled(self, members: Tensor, seed: int) -> Tensor:
        """Return the example numbers to train on, ascending: the training split's `members`, or a bootstrap of them."""
        if not self.bootstrap:
            return members
        generator = torch.Generator().manual_seed(stream_seed(seed, "bootstrap"))
        return members[torch.randint(len(members), (len(members),), generator=generator)].sort().values


class SplitDataConfig(DividedDataConfig):
    """A source that is one pool of examples and must be split here."""

    validation: float = Field(default=0.15, ge=0, lt=1, description="share of the examples that steers training")
    test: float = Field(default=0.15, ge=0, lt=1, description="share of the examples that is kept for the end")

    @model_validator(mode="after")
    def _check_shares(self) -> "SplitDataConfig":
        if self.validation + self.test >= 1:
            raise ValueError(
                "data.validation and data.test leave no training examples; together they must stay below 1"
            )
        return self

    def splits(self, num_examples: int, labels: Tensor | None, seed: int, groups: Tensor | None = None) -> Splits:
        """Return disjoint example numbers; of a bootstrap, some of the training split's more than once.

        Args:
            num_examples: how many there are.
            labels: class numbers, int64 `[examples]`, to stratify by.
            seed: the run's seed.
            groups: group numbers, int64 `[examples]`; a group is never parted.

        Raises:
            InputError: a split would be empty.
        """
        return self._by_shares(num_examples, round(self.test * num_examples), labels, seed, groups)

    def splits_with_test(
        self, num_examples: int, num_test: int, labels: Tensor | None, seed: int, groups: Tensor | None
    ) -> Splits:
        """Return the same where a test split is given: its `num_test` examples follow the others.

        Args:
            num_examples: how many there are to train and validate on.
            num_test: how many come after them.
            labels: class numbers of the former, int64 `[num_examples]`, to stratify by.
            seed: the run's seed.
            groups: group numbers of the former, int64 `[num_examples]`; a group is never parted.

        Raises:
            InputError: a split would be empty.
        """
        test = torch.arange(num_examples, num_examples + num_test)
        return {**self._by_shares(num_examples, 0, labels, seed, groups), "test": test}

    def _by_shares(
        self, num_examples: int, num_test: int, labels: Tensor | None, seed: int, groups: Tensor | None
    ) -> Splits:
        splits = divide(
            num_examples,
            self.seed_of_split(seed),
            num_validation=round(self.validation * num_examples),
            num_test=num_test,
            folds=self.folds,
            fold=self.fold or 0,
            labels=labels,
            groups=groups,
        )
        return {**splits, "train": self.sampled(splits["train"], seed)}


class FixedTestDataConfig(DividedDataConfig):
    """A source whose makers set the test split; validation examples are taken from their training split."""

    validation_examples: int = Field(default=5000, ge=0, description="examples of the training pool that steer it")
    train_examples: int | None = Field(
        default=None, ge=1, description="train on this many only, the first of a seeded permutation; null is all"
    )

    def pool_splits(self, labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
        """Return example numbers of the training and the validation split, from the pool's labels int64 `[examples]`.

        Raises:
            InputError: a split would be empty.
        """
        split_seed = self.seed_of_split(seed)
        splits = divide(
            len(labels),
            split_seed,
            num_validation=self.validation_examples,
            folds=self.folds,
            fold=self.fold or 0,
            labels=labels,
        )
        train = subset(splits["train"], self.train_examples, split_seed)
        return self.sampled(train, seed), splits["validation"]
