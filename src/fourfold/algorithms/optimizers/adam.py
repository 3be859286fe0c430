"""Adam: momentum and RMSprop together, each corrected for its start at zero.

    m_t     = beta1 * m_{t-1} + (1 - beta1) * g_t
    v_t     = beta2 * v_{t-1} + (1 - beta2) * g_t^2
    theta_t = theta_{t-1} - lr * mhat_t / (sqrt(vhat_t) + eps),   mhat_t = m_t / (1 - beta1^t),  vhat_t alike

Without bias correction mhat_t = m_t and vhat_t = v_t: what 1 - beta^t tends to as t grows, from the first step on.

Paper: Kingma and Ba, Adam: A Method for Stochastic Optimization, ICLR 2015, arXiv:1412.6980, Algorithm 1; without bias
correction, section 6.4.
Departures: none. eps is Algorithm 1's, added to the root of the *corrected* second moment, as in torch.optim. The
faster form at the end of the paper's section 2, which TensorFlow and Keras use, adds its "epsilon hat" to the root of
the uncorrected one; the two agree where eps_hat = eps * sqrt(1 - beta2^t), so the same number means a larger eps
there early on.
Checked by: torch.optim.Adam; two steps by hand; with decoupled decay, torch.optim.AdamW; without bias correction and
beta1, torch.optim.RMSprop; claim bias-correction.
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


class AdamConfig(OptimizerConfig):
    """Fields of `optimizer: adam`; the defaults are the paper's."""

    name: Literal["adam"] = "adam"
    lr: float = Field(default=1e-3, ge=0, description="about the largest change of a parameter in one step, alpha")
    beta1: float = Field(default=0.9, ge=0, lt=1, description="share of the first moment that is kept")
    beta2: float = Field(default=0.999, ge=0, lt=1, description="share of the second moment that is kept")
    eps: float = Field(default=1e-8, ge=0, description="added to the root of the corrected second moment, Algorithm 1")
    bias_correction: bool = Field(
        default=True, description="whether moments are corrected for their start at zero; false is section 6.4's arm"
    )

    def build(self, params: Params) -> "Adam":
        """Return the optimizer of `params`."""
        return Adam(params, self.lr, (self.beta1, self.beta2), self.eps, self.bias_correction)


def adam_update(
    params: list[Tensor],
    grads: list[Tensor],
    firsts: list[Tensor],
    seconds: list[Tensor],
    *,
    step: Number,
    lr: Number,
    beta1: float,
    beta2: float,
    eps: float,
) -> None:
    """Move `params` and both moments by step number `step`, the first being 1, in place (Algorithm 1).

    At an infinite step both corrections are 1: there is none.
    """
    torch._foreach_lerp_(firsts, grads, 1 - beta1)  # m_t
    torch._foreach_mul_(seconds, beta2)
    torch._foreach_addcmul_(seconds, grads, grads, 1 - beta2)  # v_t
    roots = torch._foreach_div(seconds, 1 - beta2**step)  # vhat_t
    torch._foreach_sqrt_(roots)
    torch._foreach_add_(roots, eps)
    steps = torch._foreach_mul(firsts, lr / (1 - beta1**step))  # with mhat_t's divisor
    torch._foreach_div_(steps, roots)
    torch._foreach_sub_(params, steps)  # theta_t


class Adam(Optimizer):
    """Adam.

    Args:
        params: parameters or groups of them.
        lr: about the largest change of a parameter in one step, at least 0.
        betas: shares of the first and second moment that are kept each step, each in [0, 1).
        eps: added to the root of the corrected second moment, at least 0.
        bias_correction: whether both moments are corrected for their start at zero.
    """

    state_names = ("first_moment", "second_moment")
    counts_steps = True

    def __init__(
        self,
        params: Params,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        bias_correction: bool = True,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "bias_correction": bias_correction})

    def check(self, hyperparameters: Mapping[str, Any]) -> None:
        require_lr(hyperparameters["lr"])
        betas = hyperparameters["betas"]
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ValueError(f"betas: expected two numbers, got {betas!r}")
        require("beta1", betas[0], 0, 1, open_high=True)
        require("beta2", betas[1], 0, 1, open_high=True)
        require("eps", hyperparameters["eps"], 0, math.inf, open_high=True)
        if not isinstance(hyperparameters["bias_correction"], bool):
            raise ValueError(f"bias_correction: expected true or false, got {hyperparameters['bias_correction']!r}")

    def equations(
        self, params: list[Tensor], grads: list[Tensor], states: States, group: Mapping[str, Any], step: Number
    ) -> None:
        lr, (beta1, beta2), eps = group["lr"], group["betas"], group["eps"]
        step = step if group["bias_correction"] else math.inf
        adam_update(params, grads, *states, step=step, lr=lr, beta1=beta1, beta2=beta2, eps=eps)

    def update(self, cohort: Cohort, grads: list[Tensor], group: Mapping[str, Any], found_inf: Tensor | None) -> None:
        firsts, seconds = cohort.states
        lr, (beta1, beta2), eps = group["lr"], group["betas"], group["eps"]
        steps = cohort.steps
        if not group["bias_correction"]:
            steps = [torch.full_like(steps[0], math.inf)] * len(steps)
        torch._fused_adam_(
            cohort.params,
            grads,
            firsts,
            seconds,
            [],
            steps,
            lr=lr,
            beta1=beta1,
            beta2=beta2,
            weight_decay=0.0,
            eps=eps,
            amsgrad=False,
            maximize=False,
            found_inf=found_inf,
        )
