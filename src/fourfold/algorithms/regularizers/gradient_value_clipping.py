"""Gradient clipping by value: each component is held within a limit of either sign, so the direction may change.

Source: Mikolov, Statistical Language Models Based on Neural Networks, PhD thesis, Brno, 2012.
Departures: none.
Checked by: torch.nn.utils.clip_grad_value_.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.tasks.seam import Plan, Spec


class GradientValueClippingConfig(RegularizerConfig):
    """Fields of `gradient_value_clipping`."""

    name: Literal["gradient_value_clipping"] = "gradient_value_clipping"
    max_value: float = Field(default=1.0, gt=0, description="largest magnitude of a component of the gradient")

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "GradientValueClipping":
        """Return the regularizer of `model`."""
        return GradientValueClipping(model, plan, self.max_value)


def clip_by_value(grads: list[Tensor], max_value: float) -> None:
    """Hold every component of `grads` within [-max_value, max_value], in place."""
    torch._foreach_clamp_min_(grads, -max_value)
    torch._foreach_clamp_max_(grads, max_value)


class GradientValueClipping(Regularizer):
    """Clips the gradient's components before each update."""

    def __init__(self, model: nn.Module, plan: Plan, max_value: float) -> None:
        super().__init__(model, plan)
        self.max_value = max_value

    @torch.no_grad()
    def on_gradients(self, params: list[nn.Parameter], grads: list[Tensor]) -> None:
        clip_by_value(grads, self.max_value)

    def explain(self) -> list[tuple[str, str]]:
        return [("on_gradients", f"gradient clipping: each component is within ±{self.max_value:g}")]
