"""Squared error.

    1/K sum_k (y_k - t_k)^2, K targets an example

Source: Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805 (least squares).
Checked by: torch.nn.functional.mse_loss; hand values; gradcheck.
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from fourfold.losses.base import Loss, LossConfig, same_shape
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import LossValue, Spec, require_task


class MSEConfig(LossConfig):
    """Fields of `loss: mse`."""

    name: Literal["mse"] = "mse"

    def build(self, spec: Spec) -> "MSE":
        """Return the loss; the task must be regression."""
        require_task(spec, RegressionSpec, "mse")
        return MSE()


def mse(output: Tensor, targets: Tensor) -> LossValue:
    """Return the sum over examples of the squared error's mean over targets; both `[batch, …]` of one shape."""
    same_shape(output, targets)
    batch = output.shape[0]
    return LossValue(F.mse_loss(output, targets, reduction="sum") * (batch / max(output.numel(), 1)), batch)


class MSE(Loss):
    """Squared error as a part of a recipe."""

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        """Return the summed squared error of `[batch, targets]`."""
        return mse(output, targets)

    def totals(self, output: Tensor, targets: Tensor) -> Tensor:
        """Return each model's summed squared error, from outputs `[stack, batch, targets]`."""
        same_shape(output, targets)
        return F.mse_loss(output, targets, reduction="none").flatten(2).mean(2).sum(1)

    def totals_and_gradient(self, output: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return each model's summed squared error, `[stack]`, and its gradient, 2 (y - t) / K."""
        same_shape(output, targets)
        error = output - targets
        return error.square().flatten(2).mean(2).sum(1), error * (2 / error[0, 0].numel())
