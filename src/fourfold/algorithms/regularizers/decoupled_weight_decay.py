"""Decoupled weight decay: weights shrink by themselves, apart from the gradient and what the optimizer makes of it.

    theta_t = theta_{t-1} - lr_t * rate * theta_{t-1} - (the optimizer's step)

Paper: Loshchilov and Hutter, Decoupled Weight Decay Regularization, ICLR 2019, arXiv:1711.05101, Algorithm 1 and 2
(with Adam this is AdamW).
Departures: the paper scales the decay by the schedule alone, not by the learning rate; here, as in torch.optim.AdamW,
it is scaled by both, so the paper's lambda is lr * rate. Biases and normalisation gains are left alone unless asked
for.
Checked by: torch.optim.AdamW.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig, decayed
from fourfold.tasks.seam import Plan, Spec


class DecoupledWeightDecayConfig(RegularizerConfig):
    """Fields of `decoupled_weight_decay`."""

    name: Literal["decoupled_weight_decay"] = "decoupled_weight_decay"
    rate: float = Field(default=1e-2, ge=0, description="a step takes away lr * rate of each weight")
    biases: bool = Field(default=False, description="whether biases and normalisation gains decay as well")

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "DecoupledWeightDecay":
        """Return the regularizer of `model`."""
        return DecoupledWeightDecay(model, plan, self.rate, self.biases)


def decay_weights(weights: list[Tensor], lr: float, rate: float) -> None:
    """Take away the share lr * rate of each weight, in place (Algorithm 2, line 12, without Adam's step)."""
    torch._foreach_mul_(weights, 1 - lr * rate)


class DecoupledWeightDecay(Regularizer):
    """Shrinks the weights just before each update, at that step's learning rate."""

    def __init__(self, model: nn.Module, plan: Plan, rate: float, biases: bool) -> None:
        super().__init__(model, plan)
        self.rate, self.biases = rate, biases

    @torch.no_grad()
    def before_update(self, params: list[nn.Parameter], lr: float) -> None:
        if chosen := decayed(params, self.biases):
            decay_weights([params[i] for i in chosen], lr, self.rate)

    def explain(self) -> list[tuple[str, str]]:
        return [("before_update", f"decoupled weight decay: weights shrink by lr x {self.rate:g}")]
