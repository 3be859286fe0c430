"""Adadelta: steps in the parameters' own units, and so without a learning rate to choose.

    RMS[g]_t^2 = rho * RMS[g]_{t-1}^2 + (1 - rho) * (g_t^2 + eps)
    d_t        = RMS[d]_{t-1} / RMS[g]_t * g_t
    RMS[d]_t^2 = rho * RMS[d]_{t-1}^2 + (1 - rho) * (d_t^2 + eps)
    theta_t    = theta_{t-1} - lr * d_t,   lr = 1

Paper: Zeiler, ADADELTA: An Adaptive Learning Rate Method, arXiv:1212.5701, 2012, Algorithm 1 and Eq. 8, 9, 14.
Departures: none in what is computed. The state is RMS[x]^2 = E[x^2] + eps itself rather than E[x^2], which saves two
passes over memory; adding eps to both sides of Eq. 8 gives the recurrence above. So a new eps in a parameter group
takes hold at the rate 1 - rho. `lr` is torch.optim's addition; the paper's rule is lr = 1.
Checked by: torch.optim.Adadelta; two steps by hand.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.algorithms.optimizers.base import Number, Optimizer, OptimizerConfig, Params, States
from fourfold.algorithms.optimizers.cohorts import Cohort
from fourfold.algorithms.optimizers.ranges import require, require_lr

BLOCK = 1 << 18  # elements a thread; five such arrays of float32 stay in a shared cache of a few MiB


class AdadeltaConfig(OptimizerConfig):
    """Fields of `optimizer: adadelta`."""

    name: Literal["adadelta"] = "adadelta"
    lr: float = Field(default=1.0, ge=0, description="factor on the step; 1 in the paper")
    rho: float = Field(default=0.9, ge=0, le=1, description="share of each mean square that is kept; the paper: 0.95")
    eps: float = Field(default=1e-6, gt=0, description="added to both mean squares; without it nothing would start")

    def build(self, params: Params) -> "Adadelta":
        """Return the optimizer of `params`."""
        return Adadelta(params, lr=self.lr, rho=self.rho, eps=self.eps)


def adadelta_update(
    params: list[Tensor],
    grads: list[Tensor],
    grad_squares: list[Tensor],
    step_squares: list[Tensor],
    *,
    lr: Number,
    rho: float,
    eps: float,
) -> None:
    """Move `params` and both squared RMS one step, in place (Algorithm 1)."""
    torch._foreach_mul_(grad_squares, rho)
    torch._foreach_add_(grad_squares, (1 - rho) * eps)
    torch._foreach_addcmul_(grad_squares, grads, grads, 1 - rho)  # RMS[g]_t^2, Eq. 8 and 9
    steps = torch._foreach_div(step_squares, grad_squares)
    torch._foreach_sqrt_(steps)
    torch._foreach_mul_(steps, grads)  # -d_t, Eq. 14
    torch._foreach_mul_(step_squares, rho)
    torch._foreach_add_(step_squares, (1 - rho) * eps)
    torch._foreach_addcmul_(step_squares, steps, steps, 1 - rho)  # RMS[d]_t^2
    torch._foreach_mul_(steps, lr)
    torch._foreach_sub_(params, steps)  # theta_t


class Adadelta(Optimizer):
    """Adadelta.

    Args:
        params: parameters or groups of them.
        lr: factor on the step, at least 0; 1 in the paper.
        rho: share of each mean square that is kept each step, in [0, 1].
        eps: added to both mean squares, above 0.
    """

    state_names = ("grad_square", "step_square")
    fast_devices = ("cpu",)
    fast_reads_found_inf = False

    def __init__(self, params: Params, lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6) -> None:
        super().__init__(params, {"lr": lr, "rho": rho, "eps": eps})

    def check(self, hyperparameters: Mapping[str, Any]) -> None:
        require_lr(hyperparameters["lr"])
        require("rho", hyperparameters["rho"], 0, 1)
        require("eps", hyperparameters["eps"], 0, math.inf, open_low=True, open_high=True)

    def initial_state(self, name: str, param: Tensor, group: Mapping[str, Any]) -> Tensor:
        return torch.full_like(param, group["eps"], requires_grad=False)  # E[x^2]_0 = 0

    def equations(
        self, params: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any], step: Number
    ) -> None:
        adadelta_update(params, grads, *states, lr=group["lr"], rho=group["rho"], eps=group["eps"])

    def update(self, cohort: Cohort, grads: list[Tensor], group: Mapping[str, Any], found_inf: Tensor | None) -> None:
        lr, rho, eps = group["lr"], group["rho"], group["eps"]
        floor = torch.tensor((1 - rho) * eps, dtype=grads[0].dtype)
        block = BLOCK * torch.get_num_threads()
        for tensors in zip(cohort.params, grads, *cohort.states, strict=True):
            for param, grad, grad_square, step_square in _blocks(tensors, block):
                torch.add(floor, grad_square, alpha=rho, out=grad_square).addcmul_(grad, grad, value=1 - rho)
                step = torch.div(grad_square, step_square).rsqrt_().mul_(grad)  # several times as fast as sqrt
                torch.add(floor, step_square, alpha=rho, out=step_square).addcmul_(step, step, value=1 - rho)
                param.sub_(step, alpha=lr)


def _blocks(tensors: tuple[Tensor, ...], size: int) -> Iterator[tuple[Tensor, ...]]:
    """Cut dense tensors of one layout into pieces that stay in cache from the first pass to the last."""
    numel = tensors[0].numel()
    if numel <= size:
        return iter((tensors,))
    return zip(*(tensor.as_strided((numel,), (1,)).split(size) for tensor in tensors), strict=True)
