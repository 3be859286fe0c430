"""Mixup is the paper's equations, and torchvision's with the same lambda."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torchvision.transforms import v2

from fourfold.algorithms.regularizers.mixup import Mixup, MixupConfig, draw_share, mixup
from fourfold.core.errors import InputError
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.processes import OneProcess
from fourfold.tasks.seam import Batch, Features, Plan


def regularizer(alpha: float = 1.0, seed: int = 0, rank: int = 0) -> Mixup:
    processes = OneProcess()
    processes.rank = rank
    plan = Plan(seed=seed, steps=100, batch_size=8, processes=processes)
    spec = ClassificationSpec(Features(("a", "b")), ("x", "y", "z"))
    return MixupConfig(alpha=alpha).build(torch.nn.Linear(2, 3), spec, plan)


def batch(size: int = 8) -> Batch:
    rows = torch.arange(2.0 * size).view(size, 2)
    return Batch((rows,), torch.arange(size) % 3)


def test_two_examples_by_hand() -> None:
    inputs = torch.tensor([[1.0, 10.0], [5.0, 30.0]])
    mixed, targets = mixup(inputs, torch.eye(2), torch.tensor([1, 0]), 0.75)
    torch.testing.assert_close(mixed, torch.tensor([[2.0, 15.0], [4.0, 25.0]]))
    torch.testing.assert_close(targets, torch.tensor([[0.75, 0.25], [0.25, 0.75]]))


@pytest.mark.promise("R14")
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_equals_torchvisions(layout) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(6, 3, 5, 7, generator=generator).contiguous(memory_format=layout)
    labels = torch.randint(0, 4, (6,), generator=generator)
    theirs = v2.MixUp(num_classes=4)
    params = {"labels": labels, "batch_size": 6, "lam": 0.3}
    partners = torch.arange(6).roll(1)  # torchvision's partner is the example before
    mixed, targets = mixup(images, torch.eye(4)[labels], partners, 0.3)
    torch.testing.assert_close(mixed, theirs.transform(images, params))
    torch.testing.assert_close(targets, theirs.transform(labels, params))


@settings(max_examples=50, deadline=None)
@given(alpha=st.floats(0.01, 50), seed=st.integers(0, 10**6), step=st.integers(0, 10**6), size=st.integers(1, 9))
def test_the_mass_of_targets_is_one_and_inputs_are_mixed_by_it(alpha, seed, step, size) -> None:
    given_batch = batch(size)
    before = given_batch.inputs[0].clone()
    mixed = regularizer(alpha, seed).on_batch(given_batch, step)
    assert torch.equal(given_batch.inputs[0], before)
    torch.testing.assert_close(mixed.targets.sum(1), torch.ones(size))
    assert (mixed.targets >= 0).all()
    again = regularizer(alpha, seed).on_batch(batch(size), step)
    assert torch.equal(again.inputs[0], mixed.inputs[0])
    assert torch.equal(again.targets, mixed.targets)
    torch.testing.assert_close(mixed.inputs[0].mean(0), before.mean(0))  # each example is once a partner


def test_examples_and_targets_have_the_same_partners_and_lambda() -> None:
    one_hot = torch.eye(3).repeat(3, 1)
    mixed = regularizer().on_batch(Batch((one_hot,), torch.arange(9) % 3), 5)
    torch.testing.assert_close(mixed.targets, mixed.inputs[0])
    assert ((mixed.targets > 0) & (mixed.targets < 1)).any()


def test_with_an_alpha_near_zero_every_example_is_one_of_the_batch() -> None:
    originals = {tuple(row) for row in batch().inputs[0].tolist()}
    for step in range(20):
        mixed = regularizer(alpha=1e-6).on_batch(batch(), step)
        assert {tuple(row) for row in mixed.inputs[0].tolist()} == originals
        assert mixed.targets.max(1).values.tolist() == [1.0] * 8


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_lambda_has_the_mean_and_variance_of_its_distribution(alpha) -> None:
    own = regularizer(alpha)
    drawn = torch.tensor([draw_share(alpha, own.generator(step)) for step in range(4000)])
    variance = 1 / (4 * (2 * alpha + 1))
    assert abs(float(drawn.mean()) - 0.5) < 4 * math.sqrt(variance / 4000)
    assert float(drawn.var()) == pytest.approx(variance, rel=0.08)


def test_steps_seeds_and_processes_draw_anew() -> None:
    first = regularizer().on_batch(batch(), 3).inputs[0]
    for other, step in ((regularizer(), 4), (regularizer(seed=1), 3), (regularizer(rank=1), 3)):
        assert not torch.equal(other.on_batch(batch(), step).inputs[0], first)


def test_probabilities_are_mixed_again() -> None:
    soft = torch.tensor([[0.5, 0.5, 0.0], [0.0, 0.2, 0.8]])
    mixed = regularizer().on_batch(Batch((torch.eye(2),), soft), 0)
    torch.testing.assert_close(mixed.targets, mixed.inputs[0] @ soft)


def test_numbers_to_predict_are_refused(toy) -> None:
    with pytest.raises(InputError, match="mixup is for classification, but this data poses regression"):
        toy.regularizer("mixup")
