"""Stochastic gradient descent.

    theta_t = theta_{t-1} - lr * g_t

How many examples the gradient is of is not the optimizer's business: with `budget.batch_size: full` this is gradient
descent (Cauchy 1847), with 1 it is Robbins and Monro's one-sample method, and between them mini-batch descent.

Source: Robbins and Monro, A Stochastic Approximation Method, Annals of Mathematical Statistics 22, 1951.
Departures: the step size need not shrink; use a schedule for that.
Checked by: torch.optim.SGD; two steps by hand.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.algorithms.optimizers.base import Number, Optimizer, OptimizerConfig, Params, States
from fourfold.algorithms.optimizers.cohorts import Cohort
from fourfold.algorithms.optimizers.ranges import require_lr


class SGDConfig(OptimizerConfig):
    """Fields of `optimizer: sgd`."""

    name: Literal["sgd"] = "sgd"
    lr: float = Field(default=1e-3, ge=0, description="step along the gradient")

    def build(self, params: Params) -> "SGD":
        """Return the optimizer of `params`."""
        return SGD(params, lr=self.lr)


def sgd_update(params: list[Tensor], grads: list[Tensor], *, lr: Number) -> None:
    """Move `params` one step, in place."""
    torch._foreach_sub_(params, torch._foreach_mul(grads, lr))  # theta_t


class SGD(Optimizer):
    """Stochastic gradient descent.

    Args:
        params: parameters or groups of them.
        lr: step along the gradient, at least 0.
    """

    def __init__(self, params: Params, lr: float = 1e-3) -> None:
        super().__init__(params, {"lr": lr})

    def check(self, hyperparameters: Mapping[str, Any]) -> None:
        require_lr(hyperparameters["lr"])

    def equations(
        self, params: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any], step: Number
    ) -> None:
        sgd_update(params, grads, lr=group["lr"])

    def update(self, cohort: Cohort, grads: list[Tensor], group: Mapping[str, Any], found_inf: Tensor | None) -> None:
        torch._fused_sgd_(
            cohort.params,
            grads,
            [],
            weight_decay=0.0,
            momentum=0.0,
            lr=group["lr"],
            dampening=0.0,
            nesterov=False,
            maximize=False,
            is_first_step=False,
            found_inf=found_inf,
        )
