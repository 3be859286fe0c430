"""Gradient clipping equals torch.nn.utils."""

import pytest
import torch
from torch import nn
from verification import verified

from fourfold.algorithms.regularizers.gradient_clipping import clip_by_norm
from fourfold.algorithms.regularizers.gradient_value_clipping import clip_by_value


def pair(dtype: torch.dtype) -> tuple[list[torch.Tensor], list[nn.Parameter]]:
    torch.manual_seed(0)
    grads = [torch.randn(s, dtype=dtype) for s in ((4, 3), (5,), (), (2, 2, 2))]
    params = [nn.Parameter(torch.zeros_like(g)) for g in grads]
    for param, grad in zip(params, grads, strict=True):
        param.grad = grad.clone()
    return grads, params


@pytest.mark.promise("R14")
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("max_norm", [1e-3, 1.0, 1e3])
def test_by_norm_equals_torch(dtype, max_norm) -> None:
    grads, params = pair(dtype)
    before = torch.nn.utils.clip_grad_norm_(params, max_norm)
    assert clip_by_norm(grads, max_norm).item() == pytest.approx(before.item(), rel=1e-6)
    if dtype == torch.float64:
        clipped = [p.grad for p in params]
        verified("regularizer", "gradient_clipping", "torch's clip_grad_norm_", "values", grads, clipped)
    torch.testing.assert_close(grads, [p.grad for p in params])


def test_by_norm_keeps_what_is_short_bit_for_bit() -> None:
    grads, _ = pair(torch.float32)
    kept = [g.clone() for g in grads]
    clip_by_norm(grads, 100.0)
    torch.testing.assert_close(grads, kept, rtol=0, atol=0)


def test_by_norm_of_zero_and_of_nothing() -> None:
    zeros = [torch.zeros(3)]
    assert clip_by_norm(zeros, 1.0).item() == 0
    assert zeros[0].tolist() == [0.0, 0.0, 0.0]
    assert clip_by_norm([], 1.0).item() == 0


@pytest.mark.promise("R14")
@pytest.mark.parametrize("max_value", [0.1, 10.0])
def test_by_value_equals_torch(max_value) -> None:
    grads, params = pair(torch.float32)
    torch.nn.utils.clip_grad_value_(params, max_value)
    clip_by_value(grads, max_value)
    clipped = [p.grad for p in params]
    verified("regularizer", "gradient_value_clipping", "torch's clip_grad_value_", "values", grads, clipped)
    torch.testing.assert_close(grads, [p.grad for p in params], rtol=0, atol=0)


def test_in_a_run_the_update_is_of_the_clipped_gradient(toy) -> None:
    for name, limit, field in (
        ("gradient_clipping", 0.01, "max_norm"),
        ("gradient_value_clipping", 0.002, "max_value"),
    ):
        ours = toy.training([{"name": name, field: limit}], {"name": "sgd", "lr": 0.5})
        twin = toy.net()
        toy.by_hand(twin, 0).backward()
        if name == "gradient_clipping":
            torch.nn.utils.clip_grad_norm_(twin.parameters(), limit)
        else:
            torch.nn.utils.clip_grad_value_(twin.parameters(), limit)
        ours.step()
        expected = [p.detach() - 0.5 * p.grad for p in twin.parameters() if p.grad is not None]
        torch.testing.assert_close([p.detach() for p in ours.network.parameters()], expected, rtol=1e-12, atol=1e-14)
