"""A small problem that every optimizer is run on."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

SHAPES = ((5, 3), (3,), (2, 3, 3, 3), ())


class Problem:
    """Parameters on a noisy quadratic bowl whose gradients are the same for everyone who stands at the same place."""

    def __init__(self, dtype: torch.dtype = torch.float64, shapes: Iterable[tuple[int, ...]] = SHAPES) -> None:
        draw = torch.Generator().manual_seed(1)
        self.params = [nn.Parameter(torch.randn(s, generator=draw, dtype=torch.float64).to(dtype)) for s in shapes]
        self.curvatures = [
            (0.1 + torch.rand(p.shape, generator=draw, dtype=torch.float64)).to(dtype) for p in self.params
        ]

    def set_grads(self, step: int, has_grad: Callable[[int, int], bool] = lambda step, i: True) -> None:
        draw = torch.Generator().manual_seed(1000 + step)
        for i, (param, curvature) in enumerate(zip(self.params, self.curvatures, strict=True)):
            noise = torch.randn(param.shape, generator=draw, dtype=torch.float64).to(param.dtype)
            grad = curvature * param.detach() + 0.3 * noise
            param.grad = grad if has_grad(step, i) else None

    def run(self, optimizer: Any, steps: Iterable[int], **kwargs: Any) -> list[Tensor]:
        for step in steps:
            self.set_grads(step, **kwargs)
            optimizer.step()
        return [p.detach().clone() for p in self.params]


@pytest.fixture
def problem() -> type[Problem]:
    return Problem
