"""Stacked batches are each run's own batches."""

import pytest
import torch

from fourfold.data import DATA
from fourfold.data.in_memory import InMemorySource
from fourfold.data.stacked_stream import StackedStream
from fourfold.tasks.seam import Order


def source(seed: int, tmp_path, **fields: object) -> InMemorySource:
    data = DATA.parse({"name": "two_moons", "num_examples": 71, "split_seed": None, **fields}, "data")
    built = data.build(seed, tmp_path)  # type: ignore[attr-defined]
    assert isinstance(built, InMemorySource)
    return built


@pytest.mark.parametrize("batch_size", [1, 16, 49])
@pytest.mark.parametrize("shared", [False, True])
def test_each_row_of_a_batch_is_the_runs_own_batch(batch_size, shared, tmp_path) -> None:
    """Also where some runs go, between epochs and in the middle of one; and where runs share their data."""
    sources = [source(0 if shared else seed, tmp_path) for seed in range(4)]
    if shared:
        sources = [sources[0]] * 4
    orders = [Order(seed, batch_size) for seed in range(4)]
    alone = [each.train(order) for each, order in zip(sources, orders, strict=True)]
    stacked = StackedStream([each.train(order) for each, order in zip(sources, orders, strict=True)])
    for step in range(12):
        if step == 5:
            stacked.keep([0, 2, 3])
            del alone[1]
        batch = next(stacked)
        assert batch.inputs[0].shape[0] == len(alone)
        for row, stream in enumerate(alone):
            own = next(stream)
            assert torch.equal(batch.inputs[0][row], own.inputs[0])
            assert torch.equal(batch.targets[row], own.targets)


def test_augmented_pictures_are_each_runs_own(tmp_path) -> None:
    data = DATA.parse({"name": "digits", "augment": [{"name": "pad_crop", "pad": 1}]}, "data")
    sources = [data.build(seed, tmp_path) for seed in range(2)]  # type: ignore[attr-defined]
    alone = [each.train(Order(seed, 8)) for seed, each in enumerate(sources)]
    stacked = StackedStream([each.train(Order(seed, 8)) for seed, each in enumerate(sources)])
    for _ in range(3):
        batch = next(stacked)
        for row, stream in enumerate(alone):
            assert torch.equal(batch.inputs[0][row], next(stream).inputs[0])
