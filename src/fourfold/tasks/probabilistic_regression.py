"""Probabilistic regression: a mean and a variance for each number, so that a prediction says how sure it is.

Output: `[batch, 2 * targets]`, standardised; the first half is the mean, the second half the logarithm of the variance
(as in the paper, an exponential keeps the variance above zero).
Targets: float32 `[batch, targets]`, standardised as in `tasks.regression`.

Paper: Nix and Weigend, Estimating the mean and variance of the target probability distribution, ICNN 1994.
Departures: the model decides what mean and variance share (the paper gives each its own hidden layer).
Checked by: torch.distributions.Normal; scipy.stats.norm; scikit-learn's metrics.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

from fourfold.tasks.inputs import AnyInput
from fourfold.tasks.regression import RegressionScorer, check_targets, in_own_unit
from fourfold.tasks.seam import Batch, Constant, Spec

INTERVAL = 1.959964  # a normal value lies within this many deviations of its mean 95 times in 100


class Gaussian(NamedTuple):
    """A normal distribution for each target of each example."""

    mean: Tensor  # [batch, targets]
    variance: Tensor  # [batch, targets], above zero


def gaussian(output: Tensor) -> Gaussian:
    """Read a model's raw output `[batch, 2 * targets]`: means, then logarithms of variances."""
    mean, log_variance = output.chunk(2, dim=1)
    return Gaussian(mean, log_variance.exp())


@dataclass(frozen=True)
class ProbabilisticRegressionSpec(Spec):
    """What a source of examples with numbers to predict promises; its fields are `RegressionSpec`'s."""

    input: AnyInput
    target_names: tuple[str, ...]
    target_mean: tuple[float, ...]
    target_deviation: tuple[float, ...]

    task = "probabilistic_regression"
    headline = "nll"
    higher_is_better = False
    metrics = {"nll": False, "rmse": False, "mae": False}  # noqa: RUF012 - more coverage than the nominal is no better

    def __post_init__(self) -> None:
        check_targets(self.target_names, self.target_mean, self.target_deviation)

    @property
    def num_outputs(self) -> int:
        """A mean and a log variance for each target."""
        return 2 * len(self.target_names)

    def scorer(self) -> "ProbabilisticRegressionScorer":
        """Return empty sums."""
        return ProbabilisticRegressionScorer(self.target_deviation)

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """Return `{"price": {"mean": …, "deviation": …, "low": …, "high": …}}`; low to high is the 95 % interval."""
        mean, deviation = self.in_own_unit(output)
        low, high = mean - INTERVAL * deviation, mean + INTERVAL * deviation
        rows = torch.stack([mean, deviation, low, high], dim=2).tolist()  # [batch, targets, 4]
        keys = ("mean", "deviation", "low", "high")
        return [
            {name: dict(zip(keys, four, strict=True)) for name, four in zip(self.target_names, row, strict=True)}
            for row in rows
        ]

    def in_own_unit(self, output: Tensor) -> tuple[Tensor, Tensor]:
        """Return mean and deviation of raw outputs, each float64 `[batch, targets]` in the target's own unit."""
        mean, variance = gaussian(output.detach().cpu().double())
        scale = torch.tensor(self.target_deviation, dtype=torch.float64)
        return in_own_unit(mean, self.target_mean, self.target_deviation), variance.sqrt() * scale

    def draw(self, batch: Batch, output: Tensor, raw: Any) -> Any:
        """Return a figure of predicted against true values with 95 % intervals."""
        from fourfold.tasks.drawing import draw_predicted  # matplotlib only when something is drawn

        return draw_predicted(self, batch, output)

    def constant(self) -> Constant:
        """Return the mean and deviation of the training split."""
        says = "always answering the mean and deviation of the training split"
        return Constant(torch.zeros(1, self.num_outputs), says)


class ProbabilisticRegressionScorer(RegressionScorer):
    """`RegressionScorer`'s sums for the mean, and two more, float64 `[targets]`: log likelihood and coverage."""

    def __init__(self, target_deviation: tuple[float, ...]) -> None:
        super().__init__(target_deviation)
        self.nll, self.covered = torch.zeros_like(self.deviation), torch.zeros_like(self.deviation)

    def update(self, output: Tensor, batch: Batch) -> None:
        """Add one batch of raw outputs `[batch, 2 * targets]`."""
        mean, log_variance = output.detach().cpu().double().chunk(2, dim=1)
        super().update(mean, batch)
        error = batch.targets.detach().cpu().double() - mean
        self.nll += 0.5 * (log_variance + error.square() * (-log_variance).exp() + math.log(2 * math.pi)).sum(0)
        self.covered += (error.abs() <= INTERVAL * (0.5 * log_variance).exp()).sum(0)

    def merge(self, other: RegressionScorer) -> None:
        """Add another scorer's sums."""
        assert isinstance(other, ProbabilisticRegressionScorer)
        super().merge(other)
        self.nll += other.nll
        self.covered += other.covered

    def compute(self) -> dict[str, float]:
        """Return nll (of a density in the target's own unit), coverage, rmse and mae, each a mean over targets.

        nll is in nats an example; a density in other units has another value, but differences between models do not.
        coverage is the share of true values inside the 95 % interval: well below 0.95 is over-confident.
        """
        count = max(self.count, 1)
        point = super().compute()
        return {
            "nll": float((self.nll / count + self.deviation.log()).mean()) if self.count else 0.0,
            "rmse": point["rmse"],
            "mae": point["mae"],
            "coverage": float((self.covered / count).mean()),
        }
