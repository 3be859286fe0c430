"""Points in the plane, drawn here: the base of the sets on which a decision boundary can be seen."""

from pathlib import Path
from typing import ClassVar

import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.data.base import SplitDataConfig
from fourfold.data.in_memory import InMemorySource
from fourfold.data.notes import split_note
from fourfold.data.rows import labelled_rows


class PlaneConfig(SplitDataConfig):
    """The fields that all sets of points share."""

    licence: ClassVar[str] = "none needed; the points are drawn here"

    num_examples: int = Field(default=1000, ge=10, le=1_000_000, description="points, shared out between the classes")
    noise: float = Field(default=0.1, ge=0, le=10, description="standard deviation added to each coordinate")
    imbalance: float = Field(
        default=1.0, ge=1, le=1000, description="points of the first class for one of the last; 1 is as many of each"
    )
    data_seed: int | None = Field(default=0, ge=0, description="null: the points vary with the run's seed")

    def curves(self) -> list[Tensor]:
        """Return each class's points without noise, float64 `[points, 2]`, evenly spaced along its curve."""
        raise NotImplementedError

    def class_names(self) -> tuple[str, ...]:
        """Return a name for each curve."""
        raise NotImplementedError

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Draw the points."""
        curves = self.curves()
        points = torch.cat(curves)
        labels = torch.cat([torch.full((len(curve),), k) for k, curve in enumerate(curves)])
        data_seed = seed if self.data_seed is None else self.data_seed
        generator = torch.Generator().manual_seed(stream_seed(data_seed, "sample"))
        points = points + self.noise * torch.randn(points.shape, generator=generator, dtype=torch.float64)
        splits = self.splits(len(labels), labels, seed)
        by = f"the run's seed, {seed}" if self.data_seed is None else f"data.data_seed={self.data_seed}"
        notes = [
            f"{len(points):,} points along {len(curves)} curves, each coordinate with Gaussian noise "
            f"of deviation {self.noise:g} drawn with {by}",
            split_note(splits, self.drawn(seed, in_proportion=True)),
        ]
        return labelled_rows(("x", "y"), points, labels, self.class_names(), splits, notes)


def shares(total: int, parts: int, imbalance: float = 1.0) -> list[int]:
    """Return `parts` whole numbers that add up to `total`.

    Without imbalance they differ by at most one, smaller ones first. With it each is the same factor below the one
    before it, to rounding, and none is below 1: the long tail of Cui et al., CVPR 2019, arXiv:1901.05555, section 5.1.

    Raises:
        InputError: `total` is too small for that.
    """
    if imbalance == 1:
        return [(total + part) // parts for part in range(parts)]
    weights = [imbalance ** (-part / (parts - 1)) for part in range(parts)]
    rest = [max(1, int(total * weight / sum(weights))) for weight in weights[1:]]
    if total - sum(rest) < rest[0]:
        raise InputError(
            f"data.num_examples: {total} are too few for {parts} classes with data.imbalance={imbalance:g}"
        )
    return [total - sum(rest), *rest]
