"""GELU by its approximation: torch's own is the oracle."""

import pytest
import torch
from torch.nn import functional as F

from fourfold.nn.gelu import gelu


def draw(*shape: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return (4 * torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=dtype)).requires_grad_()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_values_and_gradients_are_torch_s(dtype: torch.dtype) -> None:
    x = draw(50, 20).detach().to(dtype).requires_grad_()
    upstream = draw(50, 20).detach().to(dtype)
    ours, theirs = gelu(x), F.gelu(x, approximate="tanh")
    torch.testing.assert_close(ours, theirs)
    (slope,), (true) = torch.autograd.grad(ours, x, upstream), torch.autograd.grad(theirs, x, upstream)[0]
    torch.testing.assert_close(slope, true)
    torch.testing.assert_close(gelu(x.detach()), theirs.detach())


def test_far_from_zero_it_is_x_or_nothing() -> None:
    x = torch.tensor([-1e4, -30.0, 0.0, 30.0, 1e4], requires_grad=True)
    y = gelu(x)
    assert y.tolist() == [0.0, 0.0, 0.0, 30.0, 1e4]
    y.sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]


def test_first_and_second_derivatives() -> None:
    x = draw(7, dtype=torch.float64)
    assert torch.autograd.gradcheck(gelu, (x,))
    assert torch.autograd.gradgradcheck(gelu, (x,))


def test_mapped_over_a_stack_with_its_gradient() -> None:
    x = draw(5, 9).detach()
    slopes = torch.func.vmap(torch.func.grad(lambda row: gelu(row).sum()))(x)
    torch.testing.assert_close(slopes, torch.func.grad(lambda all: F.gelu(all, approximate="tanh").sum())(x))


def test_compiled_as_a_graph() -> None:
    x = draw(5, 9)
    compiled = torch.compile(gelu, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), F.gelu(x, approximate="tanh"))
    (slope,) = torch.autograd.grad(compiled(x).sum(), x)
    torch.testing.assert_close(slope, torch.autograd.grad(F.gelu(x, approximate="tanh").sum(), x)[0])
