"""A stack of runs makes the steps that each run makes alone."""

from typing import Any, NamedTuple

import pytest
import torch

from fourfold.algorithms.optimizers import OPTIMIZERS
from fourfold.algorithms.stacked import Member, StackedSupervised, Standing
from fourfold.algorithms.stacked_rows import Rows
from fourfold.algorithms.supervised import Supervised
from fourfold.core.errors import DivergedError
from fourfold.data.in_memory import InMemorySource, InMemoryStream
from fourfold.data.stacked_stream import StackedStream
from fourfold.run.build import build_parts, build_training
from fourfold.run.parts import load_recipe
from fourfold.run.processes import SingleProcess

STEPS = 13
BASE = {
    "data.num_examples": 71,  # 49 to train on: batches of 16 leave one of 1
    "data.split_seed": None,
    "model.widths": [6],
    "budget.steps": STEPS,
    "budget.batch_size": 16,
}


class Run(NamedTuple):
    """A small run at step 0."""

    member: Member
    source: InMemorySource
    stream: InMemoryStream


def build(overrides: dict[str, Any]) -> Run:
    _, recipe = load_recipe("moons-mlp", {**BASE, **overrides})
    parts = build_parts(recipe)
    training, _, plan = build_training(recipe, parts, torch.device("cpu"), SingleProcess())
    assert isinstance(training, Supervised)
    assert isinstance(parts.source, InMemorySource)
    return Run(Member(recipe.algorithm, training), parts.source, parts.source.train(plan.order))  # type: ignore[arg-type]


def stack_of(runs: list[Run]) -> StackedSupervised:
    return StackedSupervised([run.member for run in runs], StackedStream([run.stream for run in runs]))


def in_blocks(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return runs with those of the same settings side by side."""
    return sorted(runs, key=lambda run: Rows.key(build(run).member.config, 0))


def make_steps(runs: list[dict[str, Any]]) -> StackedSupervised:
    stack = stack_of([build(run) for run in runs])
    for _ in range(STEPS):
        stack.step()
        stack.check()
    stack.finish()
    return stack


def alone(run: dict[str, Any], steps: int = STEPS) -> tuple[list[float], Supervised]:
    """Make the steps of one run alone; return its losses."""
    training = build(run).member.training
    return [float(training.step().total) for _ in range(steps)], training


def until_it_diverges(training: Supervised) -> int:
    """Return how many steps a run alone makes."""
    for made in range(STEPS):
        try:
            training.step()
        except DivergedError:
            return made
        try:
            training.check()
        except DivergedError:
            return made + 1
    raise AssertionError("it did not diverge")


def assert_same(run: dict[str, Any], losses: torch.Tensor, standing: Standing) -> None:
    expected, training = alone(run, standing.steps)
    torch.testing.assert_close(losses, torch.tensor(expected), rtol=1e-4, atol=1e-5)
    for weight, param in zip(standing.weights, training.params, strict=True):
        torch.testing.assert_close(weight, param.detach(), rtol=1e-4, atol=1e-5)
    theirs = training.optimizer.state_dict()
    assert standing.optimizer["param_groups"] == theirs["param_groups"]
    for mine, other in zip(standing.optimizer["state"], theirs["state"], strict=True):
        assert mine.keys() == other.keys()
        for name, value in other.items():
            torch.testing.assert_close(mine[name], value, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_moves_a_stack_as_it_moves_each_network(name) -> None:
    runs = [{"algorithm.optimizer": name, "seed": seed} for seed in range(3)]
    stack = make_steps(runs)
    assert stack.counts[:5] == [16, 16, 16, 1, 16]
    for number, run in enumerate(runs):
        assert_same(run, stack.losses(number), stack.left[number])


def test_the_tolerance_tells_one_seed_from_another() -> None:
    runs = [{"seed": seed} for seed in range(2)]
    stack = make_steps(runs)
    with pytest.raises(AssertionError):
        assert_same(runs[1], stack.losses(0), stack.left[0])


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("algorithm.optimizer.lr", [0.01, 0.02, 0.3]),
        ("algorithm.optimizer.beta1", [0.5, 0.8, 0.9]),
        ("algorithm.optimizer.eps", [1e-8, 1e-3, 0.1]),
        ("algorithm.optimizer", ["adadelta", "momentum", "sgd"]),
        ("algorithm.schedule", ["constant", "cosine", {"name": "step", "at": [5], "factor": 0.1}]),
        (
            "algorithm.regularizers",
            [
                [{"name": "decoupled_weight_decay", "rate": 0.5}],
                [{"name": "gradient_clipping", "max_norm": 0.1}],
                [{"name": "gradient_value_clipping", "max_value": 0.01}],
                [{"name": "l1", "rate": 0.1}],
                [{"name": "weight_decay", "biases": True, "rate": 0.5}],
                [{"name": "weight_decay", "rate": 0.1}],
                [{"name": "weight_decay", "rate": 0.5}, {"name": "gradient_clipping", "max_norm": 0.1}],
            ],
        ),
    ],
)
def test_runs_of_other_settings_share_a_stack(key, values) -> None:
    runs = [{key: value, "seed": seed} for value in values for seed in range(2)]
    runs = in_blocks(runs)
    stack = make_steps(runs)
    for number, run in enumerate(runs):
        assert_same(run, stack.losses(number), stack.left[number])


def test_a_loss_without_a_twin_and_rates_of_regression_share_it_too() -> None:
    overrides = {"loss": "focal", "loss.gamma": 1.5}
    runs = [{**overrides, "seed": seed} for seed in range(3)]
    stack = make_steps(runs)
    for number, run in enumerate(runs):
        assert_same(run, stack.losses(number), stack.left[number])


@pytest.mark.parametrize("name", ["momentum", "adam"])
def test_a_run_that_diverges_leaves_and_the_others_go_on(name) -> None:
    """Those before and behind it, of its own block and of others."""
    rates = [0.02, 0.02, 1e30, 0.05, 0.05]
    runs = [
        {"model.activation": "relu", "algorithm.optimizer": {"name": name, "lr": lr}, "seed": seed}
        for seed, lr in enumerate(rates)
    ]
    runs = in_blocks(runs)
    lost = next(i for i, run in enumerate(runs) if run["algorithm.optimizer"]["lr"] == 1e30)
    stack = make_steps(runs)
    for number, run in enumerate(runs):
        if number != lost:
            assert stack.left[number].steps == STEPS
            assert_same(run, stack.losses(number), stack.left[number])
    made = until_it_diverges(build(runs[lost]).member.training)
    assert stack.left[lost].steps == made < STEPS
    assert len(stack.losses(lost)) == made


def test_a_run_that_diverges_inside_a_block_leaves_its_neighbours_their_optimizers_state() -> None:
    """The same settings for all; one has a value in its data that no gradient survives."""
    runs = [build({"seed": seed}) for seed in range(4)]
    runs[1].stream.inputs[7] = float("inf")
    stack = stack_of(runs)
    for _ in range(STEPS):
        stack.step()
    stack.finish()
    assert stack.left[1].steps < 4  # within an epoch
    assert stack.left[1].refused is not None
    assert len(stack.losses(1)) == stack.left[1].steps
    assert all(weight.isfinite().all() for weight in stack.left[1].weights)
    assert not stack._found_inf.item()  # or every later step would look for someone to refuse
    for number in (0, 2, 3):
        assert stack.left[number].refused is None
        assert_same({"seed": number}, stack.losses(number), stack.left[number])


def test_a_stack_of_which_nobody_is_left_is_over() -> None:
    optimizer = {"name": "sgd", "lr": 1e30}
    runs = [build({"model.activation": "relu", "algorithm.optimizer": optimizer, "seed": seed}) for seed in range(2)]
    stack = stack_of(runs)
    while stack.running and len(stack.counts) < STEPS:
        stack.step()
        stack.check()
    assert not stack.running
    assert set(stack.left) == {0, 1}


@pytest.mark.parametrize("widths", [[6], [33, 17]])
@pytest.mark.parametrize("name", ["sgd", "adam", "adadelta"])
def test_a_run_does_not_feel_who_else_is_in_the_stack(name, widths) -> None:
    """The same bits in a stack of two as in one of five; a study that was killed half-way must not tell."""
    same = {"algorithm.optimizer": name, "model.widths": widths}
    few = make_steps([{**same, "seed": seed} for seed in range(2)])
    many = make_steps([{**same, "seed": seed} for seed in (3, 4, 1, 0, 2)])
    assert torch.equal(few.losses(1), many.losses(2))
    for mine, other in zip(few.left[1].weights, many.left[2].weights, strict=True):
        assert torch.equal(mine, other)
