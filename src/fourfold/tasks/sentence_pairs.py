"""Sentence pairs: a number for two texts, such as how alike they are.

It is regression, where what counts is the order of the pairs: the headline is the correlation with the true numbers.
Inputs are `Tokens` of two segments. Output and targets: float32 `[batch, 1]`, standardised.

Checked by: scipy's pearsonr and spearmanr, ties included.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.tasks.regression import RegressionScorer, RegressionSpec
from fourfold.tasks.seam import Batch


@dataclass(frozen=True)
class SentencePairsSpec(RegressionSpec):
    """What a source of pairs of texts with a number promises."""

    task = "sentence_pairs"
    headline = "pearson"
    higher_is_better = True
    metrics = {"pearson": True, "spearman": True, "rmse": False, "mae": False}  # noqa: RUF012

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.target_names) != 1:
            raise InputError(f"target_names: {len(self.target_names)} targets; a pair of texts has one number")

    def scorer(self) -> "SentencePairsScorer":
        """Return a scorer that has seen nothing."""
        return SentencePairsScorer(self.target_deviation)

    def constant(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return None: the same answer for every pair correlates with nothing."""
        return None


class SentencePairsScorer(RegressionScorer):
    """Every prediction and every true number, for correlations, beside the sums of regression."""

    def __init__(self, target_deviation: tuple[float, ...]) -> None:
        super().__init__(target_deviation)
        self.predicted: list[Tensor] = []
        self.true: list[Tensor] = []

    def update(self, output: Tensor, batch: Batch) -> None:
        """Add one batch of outputs `[batch, 1]`."""
        super().update(output, batch)
        self.predicted.append(output.detach().cpu().double().flatten())
        self.true.append(batch.targets.detach().cpu().double().flatten())

    def merge(self, other: "SentencePairsScorer") -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Add what another scorer has seen."""
        super().merge(other)
        self.predicted += other.predicted
        self.true += other.true

    def compute(self) -> dict[str, float]:
        """Return both correlations, 0 where one side does not vary, and rmse and mae in the target's own unit."""
        metrics = super().compute()
        none = torch.zeros(0, dtype=torch.float64)
        predicted, true = torch.cat([none, *self.predicted]), torch.cat([none, *self.true])
        return {
            "pearson": correlation(predicted, true),
            "spearman": correlation(ranks(predicted), ranks(true)),
            "rmse": metrics["rmse"],
            "mae": metrics["mae"],
        }


def correlation(a: Tensor, b: Tensor) -> float:
    """Return Pearson's correlation of two float64 `[pairs]`, or 0 where one of them does not vary."""
    if len(a) < 2:
        return 0.0
    a, b = a - a.mean(), b - b.mean()
    spread = a.norm() * b.norm()
    return float((a @ b / spread).clamp(-1, 1)) if spread > 0 else 0.0


def ranks(values: Tensor) -> Tensor:
    """Return the place of each of `values [pairs]` among them, from 1, float64; equal ones share their mean place."""
    _, which, counts = values.unique(return_inverse=True, return_counts=True)
    last = counts.cumsum(0)
    return (last - (counts - 1) / 2)[which].double()
