"""The noisy sine: what is known of it is so."""

import math
from pathlib import Path

import pytest
import torch

from fourfold.data.curve import CurveConfig
from fourfold.tasks.regression import RegressionSpec, in_own_unit


def columns(config: CurveConfig, split: str, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return x and y of a split in their own units."""
    source = config.build(seed, Path("nowhere"))
    spec = source.spec
    assert isinstance(spec, RegressionSpec)
    targets = torch.cat([batch.targets for batch in source.split(split, 100_000)])
    x = source.raw(split, list(range(source.sizes[split])))
    return x, in_own_unit(targets, spec.target_mean, spec.target_deviation)


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_noise_around_the_sine_has_the_deviation_asked_for(split: str) -> None:
    config = CurveConfig(noise=0.4, train_examples=20_000, validation_examples=20_000, test_examples=20_000)
    x, y = columns(config, split)
    residuals = y - torch.sin(2 * math.pi * x)
    assert float(residuals.std()) == pytest.approx(0.4, rel=0.02)
    assert abs(float(residuals.mean())) < 0.01
    assert abs(float((residuals * x).mean())) < 0.01
    assert float(x.min()) > 0
    assert float(x.max()) < 1
    assert float(x.mean()) == pytest.approx(0.5, abs=0.01)


def test_the_truth_is_the_test_targets_without_noise() -> None:
    config = CurveConfig(noise=0.0, test_examples=50)
    truth = config.truth()
    assert truth is not None
    torch.testing.assert_close(columns(config, "test")[1], truth.targets, rtol=0, atol=1e-6)
    noisy = CurveConfig(noise=0.3, test_examples=50).truth()
    assert noisy is not None
    assert noisy.variance == pytest.approx(0.09)
    torch.testing.assert_close(noisy.targets, truth.targets)


@pytest.mark.promise("R12")
def test_a_seed_draws_other_examples_but_the_test_inputs_stay() -> None:
    config = CurveConfig()
    for split in ("train", "validation"):
        assert not torch.equal(columns(config, split, 0)[0], columns(config, split, 1)[0])
        assert torch.equal(columns(config, split, 1)[0], columns(config, split, 1)[0])
    assert torch.equal(columns(config, "test", 0)[0], columns(config, "test", 1)[0])
    assert not torch.allclose(columns(config, "test", 0)[1], columns(config, "test", 1)[1])


def test_a_data_seed_holds_the_examples_still_and_then_nobody_asks_for_the_truth() -> None:
    config = CurveConfig(data_seed=3)
    assert torch.equal(columns(config, "train", 0)[0], columns(config, "train", 1)[0])
    assert config.truth() is None


def test_the_size_of_one_split_changes_no_other() -> None:
    small, large = CurveConfig(), CurveConfig(train_examples=100)
    assert torch.equal(columns(small, "validation")[0], columns(large, "validation")[0])
    assert torch.equal(columns(large, "train")[0][:25], columns(small, "train")[0])
