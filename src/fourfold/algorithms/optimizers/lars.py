"""Layer-wise adaptive rate scaling: every weight tensor moves by a share of its own length.

    r_t     = trust * ||theta_{t-1}|| / ||g_t||    of each tensor; 1 where either is zero
    v_t     = mu * v_{t-1} + lr * r_t * g_t
    theta_t = theta_{t-1} - v_t

Biases, and the gains and shifts of normalisations, which are vectors or single numbers, have r_t = 1.

Paper: You, Gitman and Ginsburg, Large Batch Training of Convolutional Networks, 2017, arXiv:1708.03888, Algorithm 1;
without biases and normalisations as Chen et al., A Simple Framework for Contrastive Learning of Visual Representations,
ICML 2020, arXiv:2002.05709, use it.
Departures: decay is a regularizer apart from this. With `weight_decay` of rate beta its gradient is a part of g_t, so
that the divisor is ||g + beta w||, as in the code of Chen et al., where the paper has ||g|| + beta ||w||.
Checked by: the equations in NumPy, float64, step by step; torch.optim.SGD where nothing is adapted.
"""

import math
from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.algorithms.optimizers.base import Number, Optimizer, OptimizerConfig, Params, States
from fourfold.algorithms.optimizers.ranges import require, require_lr


class LARSConfig(OptimizerConfig):
    """Fields of `optimizer: lars`."""

    name: Literal["lars"] = "lars"
    lr: float = Field(
        default=0.3, ge=0, description="step along the velocity; Chen et al.: 0.3 times the batch size / 256"
    )
    momentum: float = Field(default=0.9, ge=0, le=1, description="mu: share of the velocity that is kept each step")
    trust: float = Field(default=1e-3, gt=0, description="share of its own length that a weight tensor moves at lr 1")

    def build(self, params: Params) -> "LARS":
        """Return the optimizer of `params`."""
        return LARS(params, lr=self.lr, momentum=self.momentum, trust=self.trust)


def lars_update(
    params: list[Tensor], grads: list[Tensor], velocities: list[Tensor], *, lr: Number, momentum: float, trust: float
) -> None:
    """Move `params` and `velocities` one step, in place."""
    moves = list(torch._foreach_mul(grads, lr))
    adapted = [i for i, param in enumerate(params) if param.dim() > 1]
    if adapted:
        lengths = torch._foreach_norm([params[i] for i in adapted])
        slopes = torch._foreach_norm([grads[i] for i in adapted])
        for i, length, slope in zip(adapted, lengths, slopes, strict=True):
            ratio = torch.where((length > 0) & (slope > 0), trust * length / slope, 1.0)  # r_t
            moves[i] = moves[i] * ratio.to(moves[i].dtype)
    torch._foreach_mul_(velocities, momentum)
    torch._foreach_add_(velocities, moves)  # v_t
    torch._foreach_sub_(params, velocities)  # theta_t


class LARS(Optimizer):
    """Layer-wise adaptive rate scaling.

    Args:
        params: parameters or groups of them.
        lr: step along the velocity, at least 0.
        momentum: share of the velocity that is kept each step, in [0, 1].
        trust: share of its own length that a weight tensor moves at lr 1, above 0.
    """

    state_names = ("velocity",)
    fast_devices = ()

    def __init__(self, params: Params, lr: float = 0.3, momentum: float = 0.9, trust: float = 1e-3) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "trust": trust})

    def check(self, hyperparameters: Mapping[str, Any]) -> None:
        require_lr(hyperparameters["lr"])
        require("momentum", hyperparameters["momentum"], 0, 1)
        require("trust", hyperparameters["trust"], 0, math.inf, open_low=True, open_high=True)

    def equations(
        self, params: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any], step: Number
    ) -> None:
        lars_update(params, grads, *states, lr=group["lr"], momentum=group["momentum"], trust=group["trust"])
