"""Gradient clipping by norm: a gradient longer than a limit is shortened to it, its direction kept.

    g <- g * min(1, max_norm / ||g||)

Paper: Pascanu, Mikolov and Bengio, On the difficulty of training recurrent neural networks, ICML 2013,
arXiv:1211.5063, Algorithm 1.
Departures: 1e-6 is added to the norm, as torch does, so that what is clipped ends a hair below the limit.
Checked by: torch.nn.utils.clip_grad_norm_.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.tasks.seam import Plan, Spec


class GradientClippingConfig(RegularizerConfig):
    """Fields of `gradient_clipping`."""

    name: Literal["gradient_clipping"] = "gradient_clipping"
    max_norm: float = Field(default=1.0, gt=0, description="longest gradient, as one vector of all parameters")

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "GradientClipping":
        """Return the regularizer of `model`."""
        return GradientClipping(model, plan, self.max_norm)


def clip_by_norm(grads: list[Tensor], max_norm: float) -> Tensor:
    """Shorten `grads` in place so that together they are no longer than `max_norm`; return their norm before, `[]`."""
    if not grads:
        return torch.zeros(())
    norm = torch.stack(torch._foreach_norm(grads, 2)).norm(2)
    factor = (max_norm / (norm + 1e-6)).clamp(max=1.0)
    if factor.device.type != "cpu" or factor.item() < 1:  # another device need not be waited for
        torch._foreach_mul_(grads, factor)
    return norm


class GradientClipping(Regularizer):
    """Clips the gradient's norm before each update."""

    def __init__(self, model: nn.Module, plan: Plan, max_norm: float) -> None:
        super().__init__(model, plan)
        self.max_norm = max_norm

    @torch.no_grad()
    def on_gradients(self, params: list[nn.Parameter], grads: list[Tensor]) -> None:
        clip_by_norm(grads, self.max_norm)

    def explain(self) -> list[tuple[str, str]]:
        return [("on_gradients", f"gradient clipping: the gradient's norm is at most {self.max_norm:g}")]
