import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import make_circles, make_moons

from fourfold.core.errors import InputError
from fourfold.data.gates import GatesConfig
from fourfold.data.plane import shares
from fourfold.data.rings import RingsConfig
from fourfold.data.spirals import SpiralsConfig
from fourfold.data.two_moons import TwoMoonsConfig
from fourfold.tasks.seam import Features

SETS = [TwoMoonsConfig, SpiralsConfig, RingsConfig]
GATES = {"and": lambda a, b: a and b, "or": lambda a, b: a or b, "xor": lambda a, b: a ^ b}


def points(config, seed: int = 0) -> np.ndarray:
    """Return x, y and class of every point, in the order of the splits."""
    source = config.build(seed, Path("nowhere"))
    parts = []
    for name in ("train", "validation", "test"):
        raw = source.raw(name, list(range(source.sizes[name])))
        labels = torch.cat([batch.targets for batch in source.split(name, 10_000)])
        parts.append(torch.cat([raw, labels[:, None].double()], 1))
    return torch.cat(parts).numpy()


def ordered(values: np.ndarray) -> np.ndarray:
    return values[np.lexsort(values.round(9).T)]


@pytest.mark.parametrize("count", [100, 101])
def test_moons_without_noise_are_scikit_learns(count) -> None:
    theirs, labels = make_moons(count, shuffle=False)
    ours = points(TwoMoonsConfig(num_examples=count, noise=0))
    np.testing.assert_allclose(ordered(ours), ordered(np.column_stack([theirs, labels])), atol=1e-12)


def test_two_rings_without_noise_are_scikit_learns_circles() -> None:
    theirs, labels = make_circles(100, shuffle=False, factor=0.5)
    ours = points(RingsConfig(num_examples=100, noise=0))
    np.testing.assert_allclose(ordered(ours), ordered(np.column_stack([theirs, labels])), atol=1e-12)


def test_two_spirals_of_three_turns_are_the_set_of_1988() -> None:
    expected = []
    for i in range(97):
        angle, radius = i * math.pi / 16, 6.5 * (104 - i) / 104
        x, y = radius * math.sin(angle), radius * math.cos(angle)
        expected += [[x, y, 0], [-x, -y, 1]]
    ours = points(SpiralsConfig(num_examples=194, noise=0, turns=3)) * [6.5, 6.5, 1]
    np.testing.assert_allclose(ordered(ours), ordered(np.array(expected)), atol=1e-12)


@pytest.mark.parametrize("config", [SpiralsConfig(arms=5, num_examples=1003), RingsConfig(num_rings=4)])
def test_every_arm_and_ring_is_a_class_of_its_own(config) -> None:
    source = config.build(0, Path("nowhere"))
    classes = 5 if isinstance(config, SpiralsConfig) else 4
    assert source.spec.num_classes == len(set(source.spec.class_names)) == classes
    assert max(source.spec.class_counts) - min(source.spec.class_counts) <= 2
    assert sum(source.sizes.values()) == config.num_examples


@pytest.mark.parametrize("kind", SETS)
def test_noise_has_the_deviation_asked_for(kind) -> None:
    clean, noisy = (points(kind(num_examples=4000, noise=noise)) for noise in (0.0, 0.3))
    np.testing.assert_array_equal(clean[:, 2], noisy[:, 2])
    assert (noisy - clean)[:, :2].std() == pytest.approx(0.3, rel=0.05)
    assert abs((noisy - clean)[:, :2].mean()) < 0.02


@pytest.mark.promise("R12")
@pytest.mark.parametrize("kind", SETS)
def test_points_follow_the_data_seed_and_the_runs_seed_only_when_asked(kind) -> None:
    np.testing.assert_array_equal(points(kind(), 0), points(kind(), 1))
    assert not np.array_equal(points(kind(data_seed=1)), points(kind()))
    assert not np.array_equal(points(kind(data_seed=None), 0), points(kind(data_seed=None), 1))


@pytest.mark.parametrize("kind", SETS)
def test_points_have_two_named_coordinates(kind) -> None:
    assert kind().build(0, Path("nowhere")).spec.input == Features(("x", "y"))


@pytest.mark.parametrize("gate", GATES)
def test_a_gate_is_its_truth_table_in_every_split(gate) -> None:
    source = GatesConfig(gate=gate).build(0, Path("nowhere"))
    for name in ("train", "validation", "test"):
        (batch,) = source.split(name, 10)
        table = {tuple(map(int, x)): int(y) for x, y in zip(batch.inputs[0].tolist(), batch.targets, strict=True)}
        assert table == {(a, b): GATES[gate](a, b) for a in (0, 1) for b in (0, 1)}
    assert any("same four rows" in note for note in source.notes)


def test_shares() -> None:
    assert shares(10, 3) == [3, 3, 4]
    assert shares(9, 3) == [3, 3, 3]


def test_shares_with_imbalance() -> None:
    """A factor of 100 over three classes is 10 a class; Cui et al.'s counts are rounded down too."""
    assert shares(111, 3, 100) == [100, 10, 1]
    assert shares(2100, 2, 20) == [2000, 100]
    assert sum(shares(12345, 7, 50)) == 12345
    with pytest.raises(
        InputError, match=r"data\.num_examples: 10 are too few for 10 classes with data\.imbalance=1000"
    ):
        shares(10, 10, 1000)


@pytest.mark.parametrize("kind", SETS)
def test_with_imbalance_every_split_has_both_classes_in_proportion(kind) -> None:
    source = kind(num_examples=2100, imbalance=20).build(0, Path("nowhere"))
    for name, size in source.sizes.items():
        labels = torch.cat([batch.targets for batch in source.split(name, 10_000)])
        assert int((labels == 1).sum()) == pytest.approx(size / 21, abs=1)
    assert list(source.spec.class_counts) == [1400, 70]
