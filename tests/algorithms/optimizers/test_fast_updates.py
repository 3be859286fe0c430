"""The fast path equals the readable equations, in every type and memory layout that tensors come in."""

import pytest
import torch
from torch import nn

from fourfold.algorithms.optimizers import SGD, Adadelta, Adagrad, Adam, Momentum, Nesterov, RMSprop, adadelta

OPTIMIZERS = [SGD, Momentum, Nesterov, Adagrad, Adadelta, RMSprop, Adam]
each_optimizer = pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=lambda cls: cls.__name__)


def by_the_equations(optimizer: type) -> type:
    return type("ByTheEquations", (optimizer,), {"fast_devices": ()})


@pytest.mark.promise("R14")
@each_optimizer
@pytest.mark.parametrize(
    ("dtype", "rtol", "atol"),
    [
        (torch.float64, 1e-12, 1e-13),
        (torch.float32, 1e-5, 1e-6),
        (torch.bfloat16, 5e-2, 5e-2),
        (torch.float16, 1e-2, 1e-2),
    ],
    ids=str,
)
def test_equals_the_equations(problem, optimizer, dtype, rtol, atol) -> None:
    own = {"eps": 1e-3} if dtype == torch.float16 and "eps" in optimizer.__init__.__annotations__ else {}
    a, b = problem(dtype), problem(dtype)
    fast, slow = optimizer(a.params, lr=0.01, **own), by_the_equations(optimizer)(b.params, lr=0.01, **own)
    steps = range(60) if dtype.itemsize >= 4 else range(5)
    torch.testing.assert_close(a.run(fast, steps), b.run(slow, steps), rtol=rtol, atol=atol)


@each_optimizer
def test_large_tensors_in_blocks(problem, monkeypatch, optimizer) -> None:
    monkeypatch.setattr(adadelta, "BLOCK", 7)
    shapes = [(40, 5), (6, 4, 3, 3), (3,)]
    a, b = problem(shapes=shapes), problem(shapes=shapes)
    a.params[1].data = a.params[1].data.to(memory_format=torch.channels_last)
    moved = a.run(optimizer(a.params, lr=0.01), range(20))
    expected = b.run(by_the_equations(optimizer)(b.params, lr=0.01), range(20))
    torch.testing.assert_close(moved, expected, rtol=1e-12, atol=1e-13)


LAYOUTS = {
    "channels last": lambda w: w.to(memory_format=torch.channels_last),
    "transposed": lambda w: w.transpose(0, 1).contiguous().transpose(0, 1),
    "with gaps": lambda w: torch.cat([w, w], 3)[..., : w.shape[3]],
}


@each_optimizer
@pytest.mark.parametrize("param_layout", [*LAYOUTS, "contiguous"])
@pytest.mark.parametrize("grad_layout", [*LAYOUTS, "contiguous"])
def test_any_memory_layout(optimizer, param_layout, grad_layout) -> None:
    """Kernels that run through memory would pair a parameter with another one's gradient."""
    lay_param, lay_grad = LAYOUTS.get(param_layout, torch.clone), LAYOUTS.get(grad_layout, torch.clone)
    draw = torch.Generator().manual_seed(0)
    start = torch.randn(4, 3, 2, 2, generator=draw, dtype=torch.float64)
    a, b = nn.Parameter(lay_param(start.clone())), nn.Parameter(start.clone())
    fast, slow = optimizer([a], lr=0.01), by_the_equations(optimizer)([b], lr=0.01)
    for _ in range(4):
        grad = torch.randn(start.shape, generator=draw, dtype=torch.float64)
        a.grad, b.grad = lay_grad(grad), grad.clone()
        fast.step()
        slow.step()
        torch.testing.assert_close(a.grad, grad, rtol=0, atol=0)
    torch.testing.assert_close(a.detach(), b.detach(), rtol=1e-12, atol=1e-13, check_stride=False)


@each_optimizer
def test_layout_or_type_that_changes_between_steps(problem, optimizer) -> None:
    shapes = [(4, 3, 2, 2), (4,)]
    a, b = problem(shapes=shapes), problem(shapes=shapes)
    fast, slow = optimizer(a.params, lr=0.01), by_the_equations(optimizer)(b.params, lr=0.01)
    a.run(fast, range(3)), b.run(slow, range(3))
    a.params[0].data = a.params[0].data.to(memory_format=torch.channels_last)
    moved, expected = a.run(fast, range(3, 6)), b.run(slow, range(3, 6))
    torch.testing.assert_close(moved, expected, rtol=1e-12, atol=1e-13, check_stride=False)


@each_optimizer
def test_parameters_of_several_types(problem, optimizer) -> None:
    single, double, both = problem(torch.float32), problem(), [problem(torch.float32), problem()]
    apart = (
        single.run(optimizer(single.params, lr=0.01), range(5)),
        double.run(optimizer(double.params, lr=0.01), range(5)),
    )
    together = optimizer([*both[0].params, *both[1].params], lr=0.01)
    for step in range(5):
        both[0].set_grads(step), both[1].set_grads(step)
        together.step()
    torch.testing.assert_close([p.detach() for p in both[0].params], apart[0], rtol=0, atol=0)
    torch.testing.assert_close([p.detach() for p in both[1].params], apart[1], rtol=0, atol=0)


@each_optimizer
def test_gradients_are_left_as_they_were(problem, optimizer) -> None:
    a = problem()
    a.set_grads(0)
    before = [p.grad.clone() for p in a.params]
    optimizer(a.params).step()
    torch.testing.assert_close([p.grad for p in a.params], before, rtol=0, atol=0)
