"""Negative log likelihood of a normal distribution whose mean and variance the model gives: maximum likelihood.

    1/2 (log(2 pi v) + (t - mu)^2 / v)

Paper: Nix and Weigend, Estimating the mean and variance of the target probability distribution, ICNN 1994, which
leaves out the constant log(2 pi) / 2.
Departures: v below `eps` counts as `eps` in the value, so that one exact prediction cannot send the loss to minus
infinity; the gradient passes as if v had not been raised, as in torch.nn.GaussianNLLLoss.
Checked by: torch.nn.functional.gaussian_nll_loss (full=True); torch.distributions.Normal; gradcheck.
"""

import math
from typing import Literal

from pydantic import Field
from torch import Tensor

from fourfold.losses.base import Loss, LossConfig, same_shape
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec, gaussian
from fourfold.tasks.seam import LossValue, Spec, require_task


class GaussianNLLConfig(LossConfig):
    """Fields of `loss: gaussian_nll`."""

    name: Literal["gaussian_nll"] = "gaussian_nll"
    eps: float = Field(default=1e-6, gt=0, description="smallest variance, in squared training deviations")

    def build(self, spec: Spec) -> "GaussianNLL":
        """Return the loss; the task must be probabilistic regression."""
        require_task(spec, ProbabilisticRegressionSpec, "gaussian_nll")
        return GaussianNLL(self.eps)


def gaussian_nll(output: Tensor, targets: Tensor, eps: float = 1e-6) -> LossValue:
    """Return the sum over examples of the negative log likelihood, a mean over targets.

    Args:
        output: means, then logarithms of variances, `[batch, 2 * targets]`.
        targets: `[batch, targets]`.
        eps: smallest variance.
    """
    mean, variance = gaussian(output)
    same_shape(mean, targets)
    raised = variance + (variance.detach().clamp(min=eps) - variance.detach())  # its gradient is variance's own
    nll = 0.5 * ((2 * math.pi * raised).log() + (targets - mean).square() / raised)
    batch = output.shape[0]
    return LossValue(nll.sum() * (batch / max(targets.numel(), 1)), batch)


class GaussianNLL(Loss):
    """Gaussian negative log likelihood as a part of a recipe."""

    def __init__(self, eps: float = 1e-6) -> None:
        super().__init__()
        self.eps = eps

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        """Return the summed negative log likelihood of raw outputs `[batch, 2 * targets]`."""
        return gaussian_nll(output, targets, self.eps)
