"""Regression: one or several numbers for each example.

Targets travel standardised (mean 0, deviation 1 on the training split), so that a loss and a learning rate mean the
same whatever the unit; metrics and predictions are given back in the target's own unit.

Output: `[batch, targets]`. Targets: float32 `[batch, targets]`, both standardised.
Checked by: scikit-learn's root_mean_squared_error, mean_absolute_error and r2_score.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.tasks.inputs import AnyInput
from fourfold.tasks.seam import Batch, Constant, Scorer, Spec

CONSTANT = 1e-12  # a variance below this share of the training split's is rounding: the targets do not vary


@dataclass(frozen=True)
class RegressionSpec(Spec):
    """What a source of examples with numbers to predict promises.

    Attributes:
        target_names: one name a target.
        target_mean: of each target over the training split, in its own unit.
        target_deviation: of each target over the training split, in its own unit, above zero.
    """

    input: AnyInput
    target_names: tuple[str, ...]
    target_mean: tuple[float, ...]
    target_deviation: tuple[float, ...]

    task = "regression"
    headline = "rmse"
    higher_is_better = False
    metrics = {"rmse": False, "mae": False, "r2": True}  # noqa: RUF012

    def __post_init__(self) -> None:
        check_targets(self.target_names, self.target_mean, self.target_deviation)

    @property
    def num_outputs(self) -> int:
        """One number a target."""
        return len(self.target_names)

    def scorer(self) -> "RegressionScorer":
        """Return empty sums."""
        return RegressionScorer(self.target_deviation)

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """Return each target's value in its own unit, `{"price": 312.5}`."""
        values = in_own_unit(output, self.target_mean, self.target_deviation).tolist()
        return [dict(zip(self.target_names, row, strict=True)) for row in values]

    def draw(self, batch: Batch, output: Tensor, raw: Any) -> Any:
        """Return a figure of predicted against true values, and of what is left over."""
        from fourfold.tasks.drawing import draw_predicted  # matplotlib only when something is drawn

        return draw_predicted(self, batch, output)

    def constant(self) -> Constant:
        """Return the mean of the training split."""
        return Constant(torch.zeros(1, self.num_outputs), "always answering the mean of the training split")


class RegressionScorer(Scorer):
    """Sums over examples, float64 `[targets]`, in standardised units."""

    def __init__(self, target_deviation: tuple[float, ...]) -> None:
        self.deviation = torch.tensor(target_deviation, dtype=torch.float64)
        zeros = torch.zeros_like(self.deviation)
        self.count = 0
        self.squared, self.absolute, self.target, self.target_squared = (zeros.clone() for _ in range(4))

    def update(self, output: Tensor, batch: Batch) -> None:
        """Add one batch of outputs `[batch, targets]`."""
        target = batch.targets.detach().cpu().double()  # Apple's GPU has no float64
        error = output.detach().cpu().double() - target
        self.count += len(target)
        self.squared += error.square().sum(0)
        self.absolute += error.abs().sum(0)
        self.target += target.sum(0)
        self.target_squared += target.square().sum(0)

    def merge(self, other: "RegressionScorer") -> None:
        """Add another scorer's sums."""
        self.count += other.count
        self.squared += other.squared
        self.absolute += other.absolute
        self.target += other.target
        self.target_squared += other.target_squared

    def compute(self) -> dict[str, float]:
        """Return rmse and mae in the target's own unit, and r2; of several targets, the plain mean over targets.

        r2 is 1 - squared error / spread around the split's own mean. Where the targets do not vary it is 1 for exact
        predictions and 0 otherwise.
        """
        count = max(self.count, 1)
        mse = self.squared / count
        variance = self.target_squared / count - (self.target / count).square()
        r2 = torch.where(variance > CONSTANT, 1 - mse / variance.clamp(min=CONSTANT), (mse <= CONSTANT).double())
        return {
            "rmse": float((mse.sqrt() * self.deviation).mean()),
            "mae": float((self.absolute / count * self.deviation).mean()),
            "r2": float(r2.mean()),
        }


def in_own_unit(standardised: Tensor, mean: tuple[float, ...], deviation: tuple[float, ...]) -> Tensor:
    """Return values `[batch, targets]` in the targets' own units, float64 on the CPU."""
    return standardised.detach().cpu().double() * torch.tensor(deviation).double() + torch.tensor(mean).double()


def check_targets(names: tuple[str, ...], mean: tuple[float, ...], deviation: tuple[float, ...]) -> None:
    """Raise InputError unless there is a mean and a positive deviation for each of one or more targets."""
    if not names or len(mean) != len(names) or len(deviation) != len(names):
        raise InputError(
            f"target_names: {len(names)} targets, {len(mean)} means and {len(deviation)} deviations; "
            "there must be one of each for every target"
        )
    for name, value in zip(names, deviation, strict=True):
        if not value > 0:
            raise InputError(f"target_deviation: {value} for '{name}'; must be above zero (1 where it does not vary)")
