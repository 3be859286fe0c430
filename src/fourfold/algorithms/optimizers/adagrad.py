"""Adagrad: each parameter's step shrinks with all the gradients it has seen.

    G_t     = G_{t-1} + g_t^2
    theta_t = theta_{t-1} - lr * g_t / (sqrt(G_t) + eps)

Paper: Duchi, Hazan and Singer, Adaptive Subgradient Methods for Online Learning and Stochastic Optimization, JMLR 12,
2011, Figure 1 with diagonal matrices; eps is the paper's delta, outside the root.
Departures: no projection onto a constraint set; a step size that decays by itself (`lr_decay`) and a start of G above
zero are torch.optim's additions, off by default.
Checked by: torch.optim.Adagrad; two steps by hand.
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


class AdagradConfig(OptimizerConfig):
    """Fields of `optimizer: adagrad`."""

    name: Literal["adagrad"] = "adagrad"
    lr: float = Field(default=1e-2, ge=0, description="step before it is divided, eta")
    lr_decay: float = Field(default=0.0, ge=0, description="lr is divided by 1 + (t - 1) * lr_decay; 0 in the paper")
    initial_accumulator_value: float = Field(default=0.0, ge=0, description="G_0; 0 in the paper")
    eps: float = Field(default=1e-10, ge=0, description="added to the root, delta")

    def build(self, params: Params) -> "Adagrad":
        """Return the optimizer of `params`."""
        return Adagrad(params, self.lr, self.lr_decay, self.initial_accumulator_value, self.eps)


def adagrad_update(
    params: list[Tensor],
    grads: list[Tensor],
    sums: list[Tensor],
    *,
    step: Number,
    lr: Number,
    lr_decay: float,
    eps: float,
) -> None:
    """Move `params` and `sums` by step number `step`, the first being 1, in place."""
    torch._foreach_addcmul_(sums, grads, grads)  # G_t
    roots = torch._foreach_sqrt(sums)
    torch._foreach_add_(roots, eps)  # sqrt(G_t) + eps, the paper's H_t
    steps = torch._foreach_mul(grads, lr / (1 + (step - 1) * lr_decay))
    torch._foreach_div_(steps, roots)
    torch._foreach_sub_(params, steps)  # theta_t


class Adagrad(Optimizer):
    """Adagrad.

    Args:
        params: parameters or groups of them.
        lr: step before it is divided, at least 0.
        lr_decay: lr is divided by 1 + (t - 1) * lr_decay at step t, at least 0.
        initial_accumulator_value: where the sum of squares starts, at least 0.
        eps: added to the root of the sum, at least 0.
    """

    state_names = ("sum",)
    counts_steps = True
    fast_devices = ("cpu",)  # a fused kernel for GPUs is missing from some versions of torch

    def __init__(
        self,
        params: Params,
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        own = {"lr": lr, "lr_decay": lr_decay, "initial_accumulator_value": initial_accumulator_value, "eps": eps}
        super().__init__(params, own)

    def check(self, hyperparameters: Mapping[str, Any]) -> None:
        require_lr(hyperparameters["lr"])
        for name in ("lr_decay", "initial_accumulator_value", "eps"):
            require(name, hyperparameters[name], 0, math.inf, open_high=True)

    def initial_state(self, name: str, param: Tensor, group: Mapping[str, Any]) -> Tensor:
        return torch.full_like(param, group["initial_accumulator_value"], requires_grad=False)

    def equations(
        self, params: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any], step: Number
    ) -> None:
        lr, lr_decay, eps = group["lr"], group["lr_decay"], group["eps"]
        adagrad_update(params, grads, *states, step=step, lr=lr, lr_decay=lr_decay, eps=eps)

    def update(self, cohort: Cohort, grads: list[Tensor], group: Mapping[str, Any], found_inf: Tensor | None) -> None:
        (sums,) = cohort.states
        lr, lr_decay, eps = group["lr"], group["lr_decay"], group["eps"]
        torch._fused_adagrad_(
            cohort.params,
            grads,
            sums,
            cohort.steps,
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=0.0,
            eps=eps,
            maximize=False,
            found_inf=found_inf,
        )
