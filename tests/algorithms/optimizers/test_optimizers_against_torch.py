"""Every optimizer follows torch.optim's trace in float64, whatever its hyperparameters."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
import torch
from verification import verified

from fourfold.algorithms.optimizers import SGD, Adadelta, Adagrad, Adam, Momentum, Nesterov, RMSprop

Case = tuple[type, dict[str, Any], Callable[..., Any], dict[str, Any]]


def grid(**choices: list[Any]) -> list[dict[str, Any]]:
    return [dict(zip(choices, values, strict=True)) for values in product(*choices.values())]


def oracle(name: str, **fixed: Any) -> Callable[..., Any]:
    return lambda params, **kwargs: getattr(torch.optim, name)(params, foreach=False, **fixed, **kwargs)


CASES: list[Case] = [
    *[(SGD, own, oracle("SGD"), own) for own in grid(lr=[0.0, 0.01, 0.5])],
    *[(Momentum, own, oracle("SGD"), own) for own in grid(lr=[0.01, 0.1], momentum=[0.0, 0.5, 0.9, 0.99])],
    *[(Nesterov, own, oracle("SGD", nesterov=True), own) for own in grid(lr=[0.01, 0.1], momentum=[0.5, 0.9, 0.99])],
    *[
        (Adagrad, own, oracle("Adagrad"), own)
        for own in grid(lr=[0.01, 0.3], lr_decay=[0.0, 0.05], initial_accumulator_value=[0.0, 0.1], eps=[1e-10, 1e-2])
    ],
    *[(Adadelta, own, oracle("Adadelta"), own) for own in grid(lr=[1.0, 0.3], rho=[0.0, 0.9, 0.99], eps=[1e-6, 1e-3])],
    *[
        (RMSprop, own, oracle("RMSprop"), own)
        for own in grid(lr=[1e-3, 0.05], alpha=[0.0, 0.5, 0.99, 0.9999], eps=[1e-8, 1e-2])
    ],
    *[
        (Adam, own, oracle("Adam"), own)
        for own in grid(lr=[1e-3, 0.05], betas=[(0.9, 0.999), (0.0, 0.9), (0.5, 0.0)], eps=[1e-8, 1e-2])
    ],
]


@pytest.mark.promise("R14")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
@pytest.mark.parametrize(
    ("ours", "own", "theirs", "their_own"), CASES, ids=[f"{case[0].__name__}-{case[1]}" for case in CASES]
)
def test_120_steps_equal_torch(problem, monkeypatch, ours, own, theirs, their_own, fast) -> None:
    if not fast:
        monkeypatch.setattr(ours, "fast_devices", ())
    a, b = problem(), problem()
    moved = a.run(ours(a.params, **own), range(120))
    optimizer = theirs(b.params, **their_own)
    expected = b.run(optimizer, range(120))
    oracle = f"torch.optim.{type(optimizer).__name__}, 120 steps"
    verified("optimizer", ours.__name__.lower(), oracle, "weights", moved, expected)
    torch.testing.assert_close(moved, expected, rtol=1e-12, atol=1e-13)


PAIRS = [
    (SGD, {"lr": 0.05}, oracle("SGD")),
    (Momentum, {"lr": 0.05, "momentum": 0.9}, oracle("SGD")),
    (Nesterov, {"lr": 0.05, "momentum": 0.9}, oracle("SGD", nesterov=True)),
    (Adagrad, {"lr": 0.05, "lr_decay": 0.1}, oracle("Adagrad")),
    (Adadelta, {"lr": 1.0}, oracle("Adadelta")),
    (RMSprop, {"lr": 0.01}, oracle("RMSprop")),
    (Adam, {"lr": 0.01}, oracle("Adam")),
]
each_optimizer = pytest.mark.parametrize(("ours", "own", "theirs"), PAIRS, ids=[pair[0].__name__ for pair in PAIRS])


@pytest.mark.promise("R14")
@each_optimizer
def test_groups_with_their_own_hyperparameters_and_lr_that_changes(problem, ours, own, theirs) -> None:
    traces = []
    for make in (ours, theirs):
        p = problem()
        optimizer = make([{"params": p.params[:2]}, {"params": p.params[2:], "lr": own["lr"] / 3}], **own)
        for step in range(100):
            for group in optimizer.param_groups:
                group["lr"] *= 0.97
            p.run(optimizer, [step])
        traces.append([param.detach() for param in p.params])
    torch.testing.assert_close(traces[0], traces[1], rtol=1e-12, atol=1e-13)


@pytest.mark.promise("R14")
@each_optimizer
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
def test_parameters_without_gradient_stand_still_and_do_not_count_the_step(
    problem, monkeypatch, ours, own, theirs, fast
) -> None:
    if not fast:
        monkeypatch.setattr(ours, "fast_devices", ())

    def has_grad(step: int, i: int) -> bool:
        return not (i == 1 and step < 10) and (step * 7 + i * 3) % 5 != 0

    a, b = problem(), problem()
    moved = a.run(ours(a.params, **own), range(100), has_grad=has_grad)
    expected = b.run(theirs(b.params, **own), range(100), has_grad=has_grad)
    torch.testing.assert_close(moved, expected, rtol=1e-12, atol=1e-13)


@each_optimizer
def test_float32_stays_near_the_float64_trace(problem, ours, own, theirs) -> None:
    a, b = problem(torch.float32), problem()
    moved = a.run(ours(a.params, **own), range(20))
    expected = b.run(theirs(b.params, **own), range(20))
    for x, y in zip(moved, expected, strict=True):
        assert x.dtype == torch.float32
        torch.testing.assert_close(x.double(), y, rtol=1e-4, atol=1e-5)
