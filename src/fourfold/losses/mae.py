"""Absolute error: pulled less by outliers than squared error, with a gradient of one size everywhere.

    1/K sum_k |y_k - t_k|, K targets an example

Source: Laplace, Sur quelques points du système du monde, 1789 (least absolute deviations).
Checked by: torch.nn.functional.l1_loss; hand values; gradcheck.
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from fourfold.losses.base import Loss, LossConfig, same_shape
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import LossValue, Spec, require_task


class MAEConfig(LossConfig):
    """Fields of `loss: mae`."""

    name: Literal["mae"] = "mae"

    def build(self, spec: Spec) -> "MAE":
        """Return the loss; the task must be regression."""
        require_task(spec, RegressionSpec, "mae")
        return MAE()


def mae(output: Tensor, targets: Tensor) -> LossValue:
    """Return the sum over examples of the absolute error's mean over targets; both `[batch, …]` of one shape.

    The gradient of an exact prediction is 0.
    """
    same_shape(output, targets)
    batch = output.shape[0]
    return LossValue(F.l1_loss(output, targets, reduction="sum") * (batch / max(output.numel(), 1)), batch)


class MAE(Loss):
    """Absolute error as a part of a recipe."""

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        """Return the summed absolute error of `[batch, targets]`."""
        return mae(output, targets)
