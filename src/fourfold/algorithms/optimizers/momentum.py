"""Gradient descent with momentum: the heavy ball.

    v_t     = mu * v_{t-1} + g_t
    theta_t = theta_{t-1} - lr * v_t

Source: Polyak, Some methods of speeding up the convergence of iteration methods, USSR Computational Mathematics and
Mathematical Physics 4(5), 1964; v_t stands for (theta_{t-1} - theta_t) / lr.
Departures: lr multiplies the velocity where it is used, not where it is gathered, as in torch.optim; the two differ
only while lr changes.
Checked by: torch.optim.SGD(momentum=…); two steps by hand.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.algorithms.optimizers.base import Number, Optimizer, OptimizerConfig, Params, States
from fourfold.algorithms.optimizers.cohorts import Cohort
from fourfold.algorithms.optimizers.ranges import require, require_lr


class MomentumConfig(OptimizerConfig):
    """Fields of `optimizer: momentum`."""

    name: Literal["momentum"] = "momentum"
    lr: float = Field(default=1e-3, ge=0, description="step along the velocity")
    momentum: float = Field(default=0.9, ge=0, le=1, description="mu: share of the velocity that is kept each step")

    def build(self, params: Params) -> "Momentum":
        """Return the optimizer of `params`."""
        return Momentum(params, lr=self.lr, momentum=self.momentum)


def momentum_update(
    params: list[Tensor], grads: list[Tensor], velocities: list[Tensor], *, lr: Number, momentum: float
) -> None:
    """Move `params` and `velocities` one step, in place."""
    torch._foreach_mul_(velocities, momentum)
    torch._foreach_add_(velocities, grads)  # v_t = mu v_{t-1} + g_t
    torch._foreach_sub_(params, torch._foreach_mul(velocities, lr))  # theta_t


class Momentum(Optimizer):
    """The heavy ball.

    Args:
        params: parameters or groups of them.
        lr: step along the velocity, at least 0.
        momentum: share of the velocity that is kept each step, in [0, 1].
    """

    state_names = ("velocity",)

    def __init__(self, params: Params, lr: float = 1e-3, momentum: float = 0.9) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    def check(self, hyperparameters: Mapping[str, Any]) -> None:
        require_lr(hyperparameters["lr"])
        require("momentum", hyperparameters["momentum"], 0, 1)

    def equations(
        self, params: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any], step: Number
    ) -> None:
        momentum_update(params, grads, *states, lr=group["lr"], momentum=group["momentum"])

    def update(self, cohort: Cohort, grads: list[Tensor], group: Mapping[str, Any], found_inf: Tensor | None) -> None:
        (velocities,) = cohort.states
        torch._fused_sgd_(
            cohort.params,
            grads,
            velocities if group["momentum"] > 0 else [],  # the kernel refuses a velocity that it would not use
            weight_decay=0.0,
            momentum=group["momentum"],
            lr=group["lr"],
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,  # the velocity starts at zero, so the first step is like any other
            found_inf=found_inf,
        )
