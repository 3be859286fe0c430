"""The random numbers that a generator makes examples from.

Checked by: moments and range of draws; a seed's draws; what is drawn in evaluation.
"""

from typing import Literal, Protocol

import torch
from torch import Tensor

Prior = Literal["uniform", "normal"]


class _Drawing(Protocol):
    training: bool

    def latents(self, count: int, generator: torch.Generator | None = None) -> Tensor: ...


def draw_latents(prior: Prior, count: int, size: int, generator: torch.Generator | None = None) -> Tensor:
    """Draw `[count, size]` on the CPU: uniform in [-1, 1], or standard normal; None: by torch's global generator."""
    if prior == "uniform":
        return torch.rand(count, size, generator=generator).mul_(2).sub_(1)
    return torch.randn(count, size, generator=generator)


def latents_for(model: _Drawing, examples: Tensor) -> Tensor:
    """Return latents for as many examples, where and as those are; out of training always the same: so are scores."""
    fixed = None if model.training else torch.Generator().manual_seed(0)
    return model.latents(len(examples), fixed).to(examples)  # float64 where the curvature of a landscape is taken
