"""An L1 penalty: the loss gains rate * sum |w|, which drives weights that matter little to zero.

Source: Tibshirani, Regression Shrinkage and Selection via the Lasso, Journal of the Royal Statistical Society B 58,
1996.
Departures: a subgradient step, sign(w) with sign(0) = 0, so weights come near zero and rarely rest on it. Biases and
normalisation gains are left alone unless asked for. The penalty enters the gradient, not the loss that is reported.
Checked by: autograd of the penalised loss.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig, decayed
from fourfold.tasks.seam import Plan, Spec


class L1Config(RegularizerConfig):
    """Fields of `l1`."""

    name: Literal["l1"] = "l1"
    rate: float = Field(default=1e-5, ge=0, description="lambda: the penalty is rate times the sum of magnitudes")
    biases: bool = Field(default=False, description="whether biases and normalisation gains are penalised as well")

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "L1":
        """Return the regularizer of `model`."""
        return L1(model, plan, self.rate, self.biases)


def add_l1_gradient(grads: list[Tensor], weights: list[Tensor], rate: float) -> None:
    """Add the subgradient of rate * sum |w|, in place."""
    torch._foreach_add_(grads, torch._foreach_sign(weights), alpha=rate)


class L1(Regularizer):
    """Adds the L1 penalty's subgradient before each update."""

    def __init__(self, model: nn.Module, plan: Plan, rate: float, biases: bool) -> None:
        super().__init__(model, plan)
        self.rate, self.biases = rate, biases

    @torch.no_grad()
    def on_gradients(self, params: list[nn.Parameter], grads: list[Tensor]) -> None:
        if chosen := decayed(params, self.biases):
            add_l1_gradient([grads[i] for i in chosen], [params[i] for i in chosen], self.rate)

    def explain(self) -> list[tuple[str, str]]:
        return [("on_gradients", f"L1 penalty: add {self.rate:g} x sign of the weights to the gradient")]
