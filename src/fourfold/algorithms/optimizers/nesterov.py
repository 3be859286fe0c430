"""Nesterov's accelerated gradient: momentum that looks where it is going.

    v_t     = mu * v_{t-1} + g_t
    theta_t = theta_{t-1} - lr * (g_t + mu * v_t)

Paper: Nesterov, A method of solving a convex programming problem with convergence rate O(1/k^2), Soviet Mathematics
Doklady 27, 1983; as momentum in Sutskever et al., On the importance of initialization and momentum in deep learning,
ICML 2013, Eq. 3 and 4.
Departures: the parameters held are the ones looked ahead to, phi = theta + mu * (theta - theta_before), so that the
gradient is taken where they stand (Bengio et al., Advances in optimizing recurrent networks, ICASSP 2013); mu is
constant; lr multiplies the velocity where it is used, as in torch.optim.
Checked by: torch.optim.SGD(nesterov=True); two steps by hand; Sutskever's Eq. 3 and 4 after the change of variable.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.algorithms.optimizers.base import Number, Optimizer, OptimizerConfig, Params, States
from fourfold.algorithms.optimizers.cohorts import Cohort
from fourfold.algorithms.optimizers.ranges import require, require_lr


class NesterovConfig(OptimizerConfig):
    """Fields of `optimizer: nesterov`."""

    name: Literal["nesterov"] = "nesterov"
    lr: float = Field(default=1e-3, ge=0, description="step along the velocity")
    momentum: float = Field(default=0.9, gt=0, le=1, description="mu: share of the velocity that is kept each step")

    def build(self, params: Params) -> "Nesterov":
        """Return the optimizer of `params`."""
        return Nesterov(params, lr=self.lr, momentum=self.momentum)


def nesterov_update(
    params: list[Tensor], grads: list[Tensor], velocities: list[Tensor], *, lr: Number, momentum: float
) -> None:
    """Move `params` and `velocities` one step, in place."""
    torch._foreach_mul_(velocities, momentum)
    torch._foreach_add_(velocities, grads)  # v_t = mu v_{t-1} + g_t
    ahead = torch._foreach_add(grads, velocities, alpha=momentum)  # g_t + mu v_t
    torch._foreach_sub_(params, torch._foreach_mul(ahead, lr))  # theta_t


class Nesterov(Optimizer):
    """Nesterov's accelerated gradient.

    Args:
        params: parameters or groups of them.
        lr: step along the velocity, at least 0.
        momentum: share of the velocity that is kept each step, in (0, 1].
    """

    state_names = ("velocity",)

    def __init__(self, params: Params, lr: float = 1e-3, momentum: float = 0.9) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum})

    def check(self, hyperparameters: Mapping[str, Any]) -> None:
        require_lr(hyperparameters["lr"])
        require("momentum", hyperparameters["momentum"], 0, 1, open_low=True)

    def equations(
        self, params: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any], step: Number
    ) -> None:
        nesterov_update(params, grads, *states, lr=group["lr"], momentum=group["momentum"])

    def update(self, cohort: Cohort, grads: list[Tensor], group: Mapping[str, Any], found_inf: Tensor | None) -> None:
        (velocities,) = cohort.states
        torch._fused_sgd_(
            cohort.params,
            grads,
            velocities,
            weight_decay=0.0,
            momentum=group["momentum"],
            lr=group["lr"],
            dampening=0.0,
            nesterov=True,
            maximize=False,
            is_first_step=False,  # the velocity starts at zero, so the first step is like any other
            found_inf=found_inf,
        )
