"""NT-Xent against Eq. 1 of its paper in two nested loops."""

import math

import pytest
import torch
from torch import Tensor
from verification import verified

from fourfold.core.errors import InputError
from fourfold.losses import LOSSES, NTXent
from fourfold.losses.nt_xent import nt_xent
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.contrastive import ContrastiveOutput, ContrastiveSpec, ContrastiveTargets
from fourfold.tasks.seam import Features, Image


def views(count: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(count, 6, generator=generator, dtype=torch.float64, requires_grad=True) for _ in range(2))  # type: ignore[return-value]


def by_loops(first: Tensor, second: Tensor, temperature: float) -> Tensor:
    """Eq. 1, the mean over all ordered pairs of views of one picture."""
    z = [row for pair in zip(first, second, strict=True) for row in pair]  # 2k-1 and 2k belong together

    def s(i: int, j: int) -> Tensor:
        return (z[i] * z[j]).sum() / ((z[i] ** 2).sum().sqrt() * (z[j] ** 2).sum().sqrt())

    def surprise(i: int, j: int) -> Tensor:
        others = sum((s(i, k) / temperature).exp() for k in range(len(z)) if k != i)
        return -((s(i, j) / temperature).exp() / others).log()

    pairs = [surprise(2 * k, 2 * k + 1) + surprise(2 * k + 1, 2 * k) for k in range(len(first))]
    return sum(pairs) / len(z)  # type: ignore[return-value]


@pytest.mark.promise("R14")
@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("count", [2, 5])
def test_value_and_gradients_are_those_of_the_equation(count, temperature) -> None:
    first, second = views(count)
    ours = nt_xent(first, second, temperature)
    assert ours.count == count
    ours.mean.backward()
    a, b = views(count)
    expected = by_loops(a, b, temperature)
    expected.backward()
    torch.testing.assert_close(ours.mean, expected, rtol=1e-12, atol=0)
    torch.testing.assert_close(first.grad, a.grad, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(second.grad, b.grad, rtol=1e-10, atol=1e-12)
    verified("loss", "nt_xent", "the equation in a double loop", "values", ours.mean, expected)
    verified(
        "loss", "nt_xent", "the equation in a double loop", "gradients", [first.grad, second.grad], [a.grad, b.grad]
    )


def test_gradcheck() -> None:
    assert torch.autograd.gradcheck(lambda a, b: nt_xent(a, b, 0.2).total, views(4, seed=3))


def test_lengths_and_the_order_of_the_views_change_nothing() -> None:
    first, second = (view.detach() for view in views(4))
    value = nt_xent(first, second, 0.5).total
    assert float(nt_xent(second, first, 0.5).total) == pytest.approx(float(value))
    assert float(nt_xent(7 * first, 0.1 * second, 0.5).total) == pytest.approx(float(value))


def test_views_that_say_nothing_cost_the_logarithm_of_the_others() -> None:
    same = torch.ones(8, 3)
    assert float(nt_xent(same, same, 0.5).mean) == pytest.approx(math.log(15))
    apart = torch.eye(8)
    best = -math.log(math.exp(1 / 0.1) / (math.exp(1 / 0.1) + 14))
    assert float(nt_xent(apart, apart, 0.1).mean) == pytest.approx(best, rel=1e-4)


def test_half_precision_is_summed_in_float32() -> None:
    first, second = (view.detach().bfloat16() for view in views(4))
    value = nt_xent(first, second, 0.5).total
    assert value.dtype == torch.float32
    assert float(value) == pytest.approx(float(nt_xent(first.double(), second.double(), 0.5).total), rel=1e-5)


def test_its_place_in_a_recipe() -> None:
    spec = ContrastiveSpec(Image(1, 4, 4))
    loss = LOSSES.parse({"name": "nt_xent", "temperature": 0.2}, "loss").build(spec)  # type: ignore[attr-defined]
    assert isinstance(loss, NTXent)
    assert loss.couples_examples
    first, second = (view.detach() for view in views(3))
    targets = ContrastiveTargets(torch.full((3,), -100), torch.empty(3, 0))
    expected = nt_xent(first, second, 0.2)
    assert float(loss(ContrastiveOutput(first, second, first), targets).total) == float(expected.total)
    with pytest.raises(InputError, match="two views of each picture are needed"):
        loss(ContrastiveOutput(first, None, first), targets)
    with pytest.raises(InputError, match="nt_xent is for contrastive, but this data poses classification"):
        LOSSES.parse("nt_xent", "loss").build(ClassificationSpec(Features(("a",)), ("x", "y")))  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"loss\.temperature"):
        LOSSES.parse({"name": "nt_xent", "temperature": 0}, "loss")
