"""Huber's loss: squared for small errors, absolute for large ones.

    e^2 / 2                    where |e| <= delta
    delta (|e| - delta / 2)    elsewhere

Paper: Huber, Robust estimation of a location parameter, Annals of Mathematical Statistics 35, 1964.
Checked by: torch.nn.functional.huber_loss; hand values; gradcheck.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from fourfold.losses.base import Loss, LossConfig, same_shape
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import LossValue, Spec, require_task


class HuberConfig(LossConfig):
    """Fields of `loss: huber`."""

    name: Literal["huber"] = "huber"
    delta: float = Field(
        default=1.0, gt=0, description="error where squared turns into absolute, in the target's training deviations"
    )

    def build(self, spec: Spec) -> "Huber":
        """Return the loss; the task must be regression."""
        require_task(spec, RegressionSpec, "huber")
        return Huber(self.delta)


def huber(output: Tensor, targets: Tensor, delta: float = 1.0) -> LossValue:
    """Return the sum over examples of Huber's loss, a mean over targets; both `[batch, …]` of one shape."""
    same_shape(output, targets)
    batch = output.shape[0]
    total = F.huber_loss(output, targets, reduction="sum", delta=delta)
    return LossValue(total * (batch / max(output.numel(), 1)), batch)


class Huber(Loss):
    """Huber's loss as a part of a recipe."""

    def __init__(self, delta: float = 1.0) -> None:
        super().__init__()
        self.delta = delta

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        """Return the summed loss of `[batch, targets]`."""
        return huber(output, targets, self.delta)
