"""Weight decay by an L2 penalty: the loss gains rate / 2 * ||w||^2, so the gradient gains rate * w.

Source: Krogh and Hertz, A Simple Weight Decay Can Improve Generalization, NeurIPS 1991.
Departures: biases and normalisation gains are left alone unless asked for. The penalty enters the gradient, not the
loss that is reported. With an optimizer that divides by past gradients it is divided too; `decoupled_weight_decay` is
not.
Checked by: autograd of the penalised loss; each optimizer of torch.optim with its own weight_decay.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig, decayed
from fourfold.tasks.seam import Plan, Spec


class WeightDecayConfig(RegularizerConfig):
    """Fields of `weight_decay`."""

    name: Literal["weight_decay"] = "weight_decay"
    rate: float = Field(default=1e-4, ge=0, description="lambda: the penalty is rate / 2 times the sum of squares")
    biases: bool = Field(default=False, description="whether biases and normalisation gains decay as well")

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "WeightDecay":
        """Return the regularizer of `model`."""
        return WeightDecay(model, plan, self.rate, self.biases)


def add_l2_gradient(grads: list[Tensor], weights: list[Tensor], rate: float) -> None:
    """Add the gradient of rate / 2 * ||w||^2, in place."""
    torch._foreach_add_(grads, weights, alpha=rate)


class WeightDecay(Regularizer):
    """Adds the L2 penalty's gradient before each update."""

    def __init__(self, model: nn.Module, plan: Plan, rate: float, biases: bool) -> None:
        super().__init__(model, plan)
        self.rate, self.biases = rate, biases

    @torch.no_grad()
    def on_gradients(self, params: list[nn.Parameter], grads: list[Tensor]) -> None:
        if chosen := decayed(params, self.biases):
            add_l2_gradient([grads[i] for i in chosen], [params[i] for i in chosen], self.rate)

    def explain(self) -> list[tuple[str, str]]:
        return [("on_gradients", f"weight decay: add {self.rate:g} x weights to the gradient")]
