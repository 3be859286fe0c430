"""From a recipe to parts at work: sizes that fit the data, and random streams that are each their own."""

from typing import Any

import pytest
import torch
from torch import Tensor

from fourfold.core.recipe import Recipe
from fourfold.core.seeds import stream_seed
from fourfold.run.build import batch_size_of, build_parts, build_training
from fourfold.run.parts import load_recipe
from fourfold.run.processes import SingleProcess

# 42 of them to train on
RECIPE: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60},
    "model": {"name": "mlp", "widths": [6], "dropout": 0.5},
    "loss": "cross_entropy",
    "algorithm": "supervised",
    "budget": {"epochs": 3, "batch_size": 12},
    "runtime": {"device": "cpu", "threads": 1},
    "seed": 7,
}
CPU = torch.device("cpu")


def recipe(**budget: Any) -> Recipe:
    return load_recipe({**RECIPE, "budget": {**RECIPE["budget"], **budget}})[1]


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (12, 12), (42, 42), (43, 42), (1000, 42), ("full", 42)])
def test_a_batch_is_at_most_the_training_split(asked: int | str, given: int) -> None:
    chosen = recipe(batch_size=asked)
    parts = build_parts(chosen)
    assert parts.source.sizes["train"] == 42
    assert batch_size_of(chosen, parts.source) == given
    training, schedule, plan = build_training(chosen, parts, CPU, SingleProcess())
    assert (plan.batch_size, plan.steps_per_epoch) == (given, -(-42 // given))
    assert schedule.steps == 3 * plan.steps_per_epoch  # epochs are of the batches that there are
    assert training.step().count == given


def drawn(seed: int, rank: int) -> Tensor:
    """What dropout draws from in a process, once the algorithm is built."""
    processes = SingleProcess()
    processes.rank = rank
    chosen = recipe().model_copy(update={"seed": seed})
    build_training(chosen, build_parts(chosen), CPU, processes)
    return torch.rand(4)


@pytest.mark.promise("R12")
def test_dropout_draws_from_a_stream_of_its_own_in_each_process() -> None:
    for rank in (0, 1):
        generator = torch.Generator().manual_seed(stream_seed(7, "dropout", rank))
        assert torch.equal(drawn(7, rank), torch.rand(4, generator=generator))
    everyone = [tuple(drawn(seed, rank).tolist()) for seed in (7, 8) for rank in (0, 1, 2)]
    assert len(set(everyone)) == len(everyone)
