"""Linear regression twice: by hand-derived gradient descent and in closed form."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

from fourfold.algorithms import ALGORITHMS
from fourfold.algorithms.linear_gradient_descent import partials
from fourfold.algorithms.normal_equation import least_squares
from fourfold.core.errors import DivergedError, InputError
from fourfold.data.in_memory import InMemorySource
from fourfold.losses import MAE, MSE, Huber
from fourfold.models import MLP, LinearRegression
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Features, LossValue, Plan, Training

BOTH = ["linear_gradient_descent", "normal_equation"]


def examples(count: int = 50) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(count, 3, generator=generator)
    true = torch.tensor([[1.0, -2.0, 0.5], [0.0, 0.3, 4.0]])
    return x, x @ true.T + torch.tensor([0.7, -1.0]) + 0.2 * torch.randn(count, 2, generator=generator)


class Rows(InMemorySource):
    """The examples as they are, shuffled anew each epoch."""

    def __init__(self, x: torch.Tensor, t: torch.Tensor) -> None:
        spec = RegressionSpec(Features(tuple("abc")), ("u", "v"), (0.0, 0.0), (1.0, 1.0))
        from fourfold.data.encoding import FeaturesEncoding

        super().__init__(spec, {"train": x}, {"train": t}, FeaturesEncoding.unchanged(tuple("abc")))


def build(name: str, source: Rows | None = None, batch_size: int = 50, **fields: object) -> Training:
    source = source or Rows(*examples())
    config = ALGORITHMS.parse({"name": name, **fields}, "algorithm")
    return config.build(LinearRegression(3, 2), MSE(), source, Plan(seed=1, steps=300, batch_size=batch_size))


def closed_form(x: torch.Tensor, t: torch.Tensor) -> tuple[np.ndarray, np.ndarray, float]:
    ones = np.c_[x.double().numpy(), np.ones(len(x))]
    solution, *_ = np.linalg.lstsq(ones, t.double().numpy(), rcond=None)
    return solution[:-1].T, solution[-1], float(((ones @ solution - t.double().numpy()) ** 2).mean())


@pytest.mark.promise("R14")
def test_partial_derivatives_equal_autograds() -> None:
    x, t = (part.double() for part in examples())
    model = LinearRegression(3, 2).double()
    for param in model.parameters():
        nn.init.normal_(param)
    nn.functional.mse_loss(model(x), t).backward()
    dw, db = partials(x, model(x).detach(), t)
    torch.testing.assert_close(dw * 2 / (50 * 2), model.weight.grad, rtol=1e-12, atol=0)
    torch.testing.assert_close(db * 2 / (50 * 2), model.bias.grad, rtol=1e-12, atol=0)


@pytest.mark.parametrize("batch_size", [50, 8])
def test_steps_equal_autograd_descent_on_the_same_batches(batch_size) -> None:
    training = build("linear_gradient_descent", batch_size=batch_size, lr=0.05)
    stream = Rows(*examples()).train(training.plan.order)
    theirs = LinearRegression(3, 2)
    for _ in range(20):
        batch = next(stream)
        theirs.zero_grad()
        mean = MSE()(theirs(*batch.inputs), batch).mean
        mean.backward()
        with torch.no_grad():
            for param in theirs.parameters():
                param -= 0.05 * param.grad
        assert training.step().mean.item() == pytest.approx(mean.item(), rel=1e-5)
    torch.testing.assert_close(training.model.weight, theirs.weight)
    torch.testing.assert_close(training.model.bias, theirs.bias)


def test_gradient_descent_reaches_the_closed_form_and_says_how_near_it_is() -> None:
    training = build("linear_gradient_descent", lr=0.2)
    for _ in range(5):
        training.step()
    [early] = training.finish()
    for _ in range(300):
        training.step()
    weight, bias, mse = closed_form(*examples())
    np.testing.assert_allclose(training.model.weight.detach(), weight, atol=1e-5)
    np.testing.assert_allclose(training.model.bias.detach(), bias, atol=1e-5)
    [finding] = training.finish()
    distance = [float(text.split("weight is ")[1].split(" away")[0]) for text in (early, finding)]
    assert distance[0] > 0.01 > 1e-5 > distance[1]
    assert f"training MSE {mse:.6g}, closed form {mse:.6g}." in finding


@pytest.mark.promise("R14")
def test_the_closed_form_equals_numpys_lstsq() -> None:
    training = build("normal_equation", batch_size=7)
    value = training.step()
    weight, bias, mse = closed_form(*examples())
    solution = least_squares(Rows(*examples()), torch.nn.Flatten())
    np.testing.assert_allclose(solution.weight, weight, rtol=1e-9)
    np.testing.assert_allclose(solution.bias, bias, rtol=1e-9)
    assert solution.mse == pytest.approx(mse, rel=1e-9)
    np.testing.assert_allclose(training.model.weight.detach(), weight, rtol=1e-6)
    assert value.count == 7
    assert value.mean.item() < 0.1  # measured at the solution
    assert f"training MSE {mse:.6g}" in training.finish()[0]
    assert "50 equations for 4 weights a target" in training.finish()[0]


def test_the_gradient_at_the_solution_is_zero() -> None:
    x, t = examples()
    training = build("normal_equation")
    training.step()
    dw, db = partials(x, training.model(x).detach(), t)
    assert max(dw.abs().max(), db.abs().max()).item() < 1e-4


def test_later_steps_change_nothing() -> None:
    training = build("normal_equation")
    training.step()
    before = training.model.weight.clone()
    training.model.weight.data[0, 0] += 1  # would be undone if it solved again
    training.step()
    assert training.model.weight[0, 0].item() == pytest.approx(before[0, 0].item() + 1)


def test_of_many_solutions_the_smallest_is_taken_and_it_is_said() -> None:
    x, t = examples()
    x[:, 2] = x[:, 1]
    training = build("normal_equation", Rows(x, t))
    training.step()
    weight, _, _ = closed_form(x, t)
    np.testing.assert_allclose(training.model.weight.detach(), weight, rtol=1e-5)
    assert "leave 1 of 4 weights open (rank 3)" in training.finish()[1]


@pytest.mark.promise("R1")
@pytest.mark.parametrize("name", BOTH)
@pytest.mark.parametrize("stop", [1, 3, 7, 8, 13])
def test_stop_and_resume_equals_uninterrupted(name, stop) -> None:
    whole = build(name, batch_size=8)
    losses = [whole.step().total.item() for _ in range(14)]
    first = build(name, batch_size=8)
    for _ in range(stop):
        first.step()
    second = build(name, batch_size=8)
    second.model.load_state_dict(first.model.state_dict())
    second.load_state_dict(first.state_dict())
    assert [second.step().total.item() for _ in range(14 - stop)] == losses[stop:]
    assert torch.equal(second.model.weight, whole.model.weight)
    assert second.state_dict() == whole.state_dict() == {"step": 14}


@pytest.mark.promise("R13")
def test_processes_that_share_a_batch_unequally_equal_one() -> None:
    """The sums of two processes, computed side by side, are handed to each as the sum over both."""
    x, t = examples(7)
    one = build("linear_gradient_descent", Rows(x, t), batch_size=7)
    one.step()
    value = MSE()(LinearRegression(3, 2)(x), t)
    parts = [partials(a, torch.zeros_like(b), b) for a, b in zip(x.split(4), t.split(4), strict=True)]
    whole = [value.total, torch.tensor(7.0), parts[0].weight + parts[1].weight, parts[0].bias + parts[1].bias]

    def add_up(tensors: list[torch.Tensor]) -> None:
        assert tensors[1].item() == 4
        for tensor, both in zip(tensors, whole, strict=True):
            tensor.copy_(both)

    shared = build("linear_gradient_descent", Rows(x[:4], t[:4]), batch_size=7)
    object.__setattr__(shared.plan, "processes", SimpleNamespace(rank=0, count=2, sum=add_up))
    found = shared.step()
    torch.testing.assert_close(shared.model.weight, one.model.weight)
    torch.testing.assert_close(shared.model.bias, one.model.bias)
    assert found.mean.item() == pytest.approx(value.mean.item())


@pytest.mark.promise("R5")
def test_divergence_stops_before_the_update() -> None:
    training = build("linear_gradient_descent", lr=1e30)
    training.step()
    with pytest.raises(DivergedError, match=r"step 1: .* is not finite"):
        training.step()
    assert training.model.weight.isfinite().all()


@pytest.mark.promise("R5")
@pytest.mark.parametrize("name", BOTH)
def test_data_that_is_not_finite_stops_before_the_update(name) -> None:
    x, t = examples()
    t[4, 1] = float("inf")
    training = build(name, Rows(x, t))
    with pytest.raises(DivergedError, match=r"step 0: .*target.*; mend that value in the data"):
        training.step()
    assert not training.model.weight.any()


@pytest.mark.parametrize("name", BOTH)
def test_what_does_not_fit_is_refused(name) -> None:
    config = ALGORITHMS.parse(name, "algorithm")
    source, plan = Rows(*examples()), Plan(seed=0, steps=1, batch_size=4)
    with pytest.raises(InputError, match="for a linear model, not MLP; use model=linear_regression"):
        config.build(MLP(3, [], 2), MSE(), source, plan)
    for loss in (MAE(), Huber()):
        with pytest.raises(InputError, match=f"minimises the squared error, not {type(loss).__name__}; use loss=mse"):
            config.build(LinearRegression(3, 2), loss, source, plan)
    source.spec = ClassificationSpec(Features(tuple("abc")), ("x", "y"))
    with pytest.raises(InputError, match=f"{name} is for regression"):
        config.build(LinearRegression(3, 2), MSE(), source, plan)


def test_any_squared_error_will_do() -> None:
    def own(output: torch.Tensor, batch: Batch) -> LossValue:
        return LossValue((output - batch.targets).square().mean(1).sum(), len(output))

    config = ALGORITHMS.parse("normal_equation", "algorithm")
    config.build(LinearRegression(3, 2), own, Rows(*examples()), Plan(seed=0, steps=1, batch_size=4)).step()
