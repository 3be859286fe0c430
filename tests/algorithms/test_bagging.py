"""Bagging: its samples, how its members count, and what it is not for."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fourfold.algorithms.bagging import Bagging, BaggingConfig, bootstrap
from fourfold.algorithms.combining import mean, mean_probabilities, mixture_of_gaussians, vote_shares
from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.losses import LOSSES
from fourfold.models import MODELS
from fourfold.tasks.seam import Plan

POINTS = {"name": "two_moons", "num_examples": 60, "validation": 0.15, "test": 0.15}


def begin(data: dict[str, Any] = POINTS, **fields: Any) -> Bagging:
    source: Any = DATA.parse(data, "data")
    source = source.build(0, Path("nowhere"))
    model: Any = MODELS.parse({"name": "mlp", "widths": [6]}, "model")
    loss: Any = LOSSES.parse("usual", "loss")
    config = BaggingConfig(**{"members": 3, **fields})
    network = config.network(lambda seed: model.build(source.spec), source.spec, 0)
    return config.build(network, loss.build(source.spec), source, Plan(seed=0, steps=6, batch_size=12))


def test_a_bootstrap_sample_holds_63_percent_of_the_examples() -> None:
    shares = [len(bootstrap(1000, 1000, 0, member).unique()) / 1000 for member in range(200)]
    assert sum(shares) / 200 == pytest.approx(1 - (1 - 1 / 1000) ** 1000, abs=0.003)  # its deviation is 0.0007
    assert len(set(shares)) > 10
    counts = torch.stack([bootstrap(10, 10, 0, member) for member in range(3000)]).flatten().bincount(minlength=10)
    assert counts.min() > 2800
    assert counts.max() < 3200


@pytest.mark.promise("R12")
def test_each_member_of_each_run_draws_a_sample_of_its_own() -> None:
    drawn = {tuple(bootstrap(50, 50, seed, member).tolist()) for seed in range(4) for member in range(4)}
    assert len(drawn) == 16
    assert torch.equal(bootstrap(50, 50, 3, 2), bootstrap(50, 50, 3, 2))


@pytest.mark.parametrize(("share", "size"), [(1.0, 42), (0.5, 21), (0.001, 1)])
def test_a_member_is_trained_on_its_sample_and_nothing_else(share: float, size: int) -> None:
    training = begin(sample=share)
    whole = next(iter(training.source.split("train", 100))).inputs[0]
    for member in range(3):
        sample = training.sample(member)
        assert sample is not None
        assert len(sample) == size
        expected = {tuple(row) for row in whole[sample].tolist()}
        training.current._stream.seek(0)
        batches = [next(training.current._stream) for _ in range(training.current.plan.steps_per_epoch)]
        seen = [tuple(row) for batch in batches for row in batch.inputs[0].tolist()]
        assert len(seen) == size  # an epoch of the member is its sample, with its repeats
        assert set(seen) == expected
        for _ in range(3 if member < 2 else 0):
            training.step()


def test_without_sampling_every_member_sees_the_split_itself() -> None:
    training = begin(sample=None)
    assert training.sample(0) is None
    assert training.current.plan.steps_per_epoch == 4


def test_every_member_trained_or_in_training_counts_for_one() -> None:
    training = begin()
    weights = []
    for _ in range(6):
        training.step()
        weights.append(training.ensemble.weights.tolist())
    assert weights == [[1, 0, 0]] * 2 + [[1, 1, 0]] * 2 + [[1, 1, 1]] * 2


@pytest.mark.parametrize(
    ("data", "fields", "combine"),
    [
        (POINTS, {}, mean_probabilities),
        (POINTS, {"aggregate": "vote"}, vote_shares),
        ({"name": "diabetes"}, {}, mean),
        ({"name": "diabetes", "task": "probabilistic_regression"}, {}, mixture_of_gaussians),
    ],
)
def test_outputs_are_averaged_as_the_task_asks(data: Any, fields: Any, combine: Any) -> None:
    training = begin(data, **fields)
    assert training.ensemble.combine is combine
    training.step()
    x = next(iter(training.source.split("test", 5))).inputs[0]
    with torch.no_grad():
        outputs = torch.stack([member(x) for member in training.ensemble.members])
        torch.testing.assert_close(training.model(x), combine(outputs, training.ensemble.weights))


def test_numbers_are_not_voted_for() -> None:
    with pytest.raises(InputError, match=r"^algorithm.aggregate: classes are voted for, but this data poses regress"):
        begin({"name": "diabetes"}, aggregate="vote")
