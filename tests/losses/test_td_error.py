"""The temporal-difference error against torch's Huber, the paper's clipped error, and finite differences."""

import pytest
import torch
from torch.nn import functional as F
from verification import verified

from fourfold.core.errors import InputError
from fourfold.losses import LOSSES
from fourfold.losses.td_error import TDError
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.control import ControlSpec, TDTargets
from fourfold.tasks.seam import Batch, Features

SPEC = ControlSpec(Features(("a", "b")), ("left", "right", "wait"))
GENERATOR = torch.Generator().manual_seed(0)
OUTPUT = torch.randn(9, 3, generator=GENERATOR, dtype=torch.float64) * 2
ACTIONS = torch.arange(9) % 3
RETURNS = torch.randn(9, generator=GENERATOR, dtype=torch.float64)
WEIGHTS = torch.rand(9, generator=GENERATOR, dtype=torch.float64)
TAKEN = OUTPUT[torch.arange(9), ACTIONS]


@pytest.mark.promise("R14")
def test_value_and_gradient_are_torch_s() -> None:
    values, gradients = [], []
    for mean in (
        lambda o: TDError(0.7)(o, Batch((), TDTargets(ACTIONS, RETURNS))).mean,
        lambda o: F.huber_loss(o[torch.arange(9), ACTIONS], RETURNS, delta=0.7),
    ):
        at = OUTPUT.clone().requires_grad_()
        values.append(mean(at))
        gradients += torch.autograd.grad(values[-1], at)
    torch.testing.assert_close(*values, rtol=1e-12, atol=0)
    torch.testing.assert_close(*gradients, rtol=1e-12, atol=1e-14)
    verified("loss", "td_error", "torch's huber_loss of the actions taken", "values", *values)
    verified("loss", "td_error", "torch's huber_loss of the actions taken", "gradients", *gradients)


def test_only_actions_that_were_taken_count_by_huber_s_loss() -> None:
    value = TDError(0.7)(OUTPUT, Batch((), TDTargets(ACTIONS, RETURNS)))
    torch.testing.assert_close(value.total, F.huber_loss(TAKEN, RETURNS, reduction="sum", delta=0.7))
    assert value.count == 9
    square = TDError(None)(OUTPUT, TDTargets(ACTIONS, RETURNS))  # type: ignore[arg-type]
    torch.testing.assert_close(square.total, ((TAKEN - RETURNS) ** 2).sum() / 2)


def test_weights_are_each_example_s() -> None:
    for delta in (0.7, None):
        whole = TDError(delta)(OUTPUT, Batch((), TDTargets(ACTIONS, RETURNS, WEIGHTS))).total
        rows = [
            TDError(delta)(OUTPUT[i : i + 1], Batch((), TDTargets(ACTIONS[i : i + 1], RETURNS[i : i + 1]))).total
            for i in range(9)
        ]
        torch.testing.assert_close(whole, (torch.stack(rows) * WEIGHTS).sum())


def test_the_gradient_is_the_paper_s_clipped_error() -> None:
    output = OUTPUT.clone().requires_grad_()
    TDError(1.0)(output, Batch((), TDTargets(ACTIONS, RETURNS))).total.backward()
    expected = torch.zeros(9, 3, dtype=torch.float64)
    expected[torch.arange(9), ACTIONS] = (TAKEN - RETURNS).clamp(-1, 1)
    assert output.grad is not None
    torch.testing.assert_close(output.grad, expected)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("delta", [0.7, None])
def test_gradient(delta) -> None:
    def total(output: torch.Tensor) -> torch.Tensor:
        return TDError(delta)(output, Batch((), TDTargets(ACTIONS, RETURNS, WEIGHTS))).total

    assert torch.autograd.gradcheck(total, OUTPUT.clone().requires_grad_())


def test_the_field_of_a_recipe_reaches_it_and_the_wrong_task_is_refused() -> None:
    batch = Batch((), TDTargets(ACTIONS, RETURNS))
    for delta in (0.3, None):
        built = LOSSES.parse({"name": "td_error", "delta": delta}, "loss").build(SPEC)  # type: ignore[attr-defined]
        assert torch.equal(built(OUTPUT, batch).total, TDError(delta)(OUTPUT, batch).total)
    with pytest.raises(InputError, match="td_error is for control"):
        LOSSES.parse("td_error", "loss").build(ClassificationSpec(Features(("a",)), ("x", "y")))  # type: ignore[attr-defined]
