"""Gaussian noise on the weights, new at each step: the gradient is taken near the weights, and moves the weights.

Paper: An, The Effects of Adding Noise During Backpropagation Training on a Generalization Performance, Neural
Computation 8, 1996, section 5.
Departures: none. The noise is there for forward and backward only; evaluation and the optimizer see the weights.
Checked by: the gradient equals one taken at the noisy weights; weights come back bit for bit.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.tasks.seam import Plan, Spec


class WeightNoiseConfig(RegularizerConfig):
    """Fields of `weight_noise`."""

    name: Literal["weight_noise"] = "weight_noise"
    deviation: float = Field(default=0.01, ge=0, description="of the noise, in the weights' own units")

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "WeightNoise":
        """Return the regularizer of `model`."""
        return WeightNoise(model, plan, self.deviation)


def perturb(weights: list[Tensor], deviation: float, generator: torch.Generator) -> None:
    """Add independent Gaussian noise to each weight, in place."""
    for weight in weights:
        noise = torch.randn(weight.shape, generator=generator, device=weight.device, dtype=weight.dtype)
        weight.add_(noise, alpha=deviation)


class WeightNoise(Regularizer):
    """Perturbs every trained parameter for one forward and backward pass, then puts it back."""

    def __init__(self, model: nn.Module, plan: Plan, deviation: float) -> None:
        super().__init__(model, plan)
        self.deviation = deviation
        self._params: list[Tensor] = [p for p in model.parameters() if p.requires_grad]
        self._clean: list[Tensor] = []  # adding and subtracting would not give the same bits

    @torch.no_grad()
    def before_forward(self, step: int) -> None:
        self._clean = [param.clone() for param in self._params]
        perturb(self._params, self.deviation, self.generator(step))

    @torch.no_grad()
    def after_backward(self) -> None:
        torch._foreach_copy_(self._params, self._clean)
        self._clean = []

    def explain(self) -> list[tuple[str, str]]:
        return [
            ("before_forward", f"weight noise: add Gaussian noise of deviation {self.deviation:g} to the weights"),
            ("after_backward", "weight noise: put the weights back"),
        ]
