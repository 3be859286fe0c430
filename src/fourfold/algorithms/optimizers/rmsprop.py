"""RMSprop: each gradient is divided by a running root mean square of its past.

    r_t     = alpha * r_{t-1} + (1 - alpha) * g_t^2
    theta_t = theta_{t-1} - lr * g_t / (sqrt(r_t) + eps)

Source: Hinton, Srivastava and Swersky, Neural Networks for Machine Learning, lecture 6e, slide 29, 2012.
Departures: the slide has alpha = 0.9 and no eps; here they are torch.optim's 0.99 and 1e-8, the latter outside the
root. Centring and momentum, which others added, are left out.
Checked by: torch.optim.RMSprop; two steps by hand.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.algorithms.optimizers.base import Number, Optimizer, OptimizerConfig, Params, States
from fourfold.algorithms.optimizers.cohorts import Cohort
from fourfold.algorithms.optimizers.ranges import require, require_lr

LATE = 2.0**60  # alpha to this power is 0 for every double below 1; some kernels read the step as a 64-bit integer


class RMSpropConfig(OptimizerConfig):
    """Fields of `optimizer: rmsprop`."""

    name: Literal["rmsprop"] = "rmsprop"
    lr: float = Field(default=1e-2, ge=0, description="step before it is divided")
    alpha: float = Field(default=0.99, ge=0, lt=1, description="share of the mean square that is kept; the slide: 0.9")
    eps: float = Field(default=1e-8, ge=0, description="added to the root")

    def build(self, params: Params) -> "RMSprop":
        """Return the optimizer of `params`."""
        return RMSprop(params, lr=self.lr, alpha=self.alpha, eps=self.eps)


def rmsprop_update(
    params: list[Tensor], grads: list[Tensor], mean_squares: list[Tensor], *, lr: Number, alpha: float, eps: float
) -> None:
    """Move `params` and `mean_squares` one step, in place."""
    torch._foreach_mul_(mean_squares, alpha)
    torch._foreach_addcmul_(mean_squares, grads, grads, 1 - alpha)  # r_t
    roots = torch._foreach_sqrt(mean_squares)
    torch._foreach_add_(roots, eps)
    steps = torch._foreach_mul(grads, lr)
    torch._foreach_div_(steps, roots)
    torch._foreach_sub_(params, steps)  # theta_t


class RMSprop(Optimizer):
    """RMSprop.

    Args:
        params: parameters or groups of them.
        lr: step before it is divided, at least 0.
        alpha: share of the running mean square that is kept each step, in [0, 1).
        eps: added to the root mean square, at least 0.
    """

    state_names = ("mean_square",)

    def __init__(self, params: Params, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8) -> None:
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps})
        self._late: dict[torch.device, Tensor] = {}

    def check(self, hyperparameters: Mapping[str, Any]) -> None:
        require_lr(hyperparameters["lr"])
        require("alpha", hyperparameters["alpha"], 0, 1, open_high=True)
        require("eps", hyperparameters["eps"], 0, math.inf, open_high=True)

    def equations(
        self, params: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any], step: Number
    ) -> None:
        rmsprop_update(params, grads, *states, lr=group["lr"], alpha=group["alpha"], eps=group["eps"])

    def update(self, cohort: Cohort, grads: list[Tensor], group: Mapping[str, Any], found_inf: Tensor | None) -> None:
        (mean_squares,) = cohort.states
        # Adam's kernel computes RMSprop where beta1 is 0, for then its first moment is the gradient, and where the step
        # is so late that both bias corrections are 1. The gradient stands in for the first moment, so that nothing
        # more is read or written than RMSprop needs; the kernel writes back what it read there.
        device = mean_squares[0].device
        late = self._late.get(device)
        if late is None:
            late = self._late[device] = torch.full((1,), LATE, dtype=torch.float32, device=device)
        torch._fused_adam_(
            cohort.params,
            grads,
            grads,
            mean_squares,
            [],
            [late] * len(grads),
            lr=group["lr"],
            beta1=0.0,
            beta2=group["alpha"],
            weight_decay=0.0,
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
            found_inf=found_inf,
        )
