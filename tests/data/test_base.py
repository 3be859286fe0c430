"""A bootstrap of the training split, which leaves every other split as it is."""

from pathlib import Path
from typing import Any

import pytest
import torch

from fourfold.data import DATA
from fourfold.data.mnist import MnistConfig

SOURCES = ["digits", "iris", "diabetes", "two_moons"]


def build(name: str, seed: int = 0, **fields: Any) -> Any:
    config: Any = DATA.parse({"name": name, **fields}, "data")
    return config.build(seed, Path("nowhere"))


def rows(source: Any, split: str) -> list[tuple[float, ...]]:
    return [tuple(row) for row in source.raw(split, list(range(source.sizes[split]))).flatten(1).tolist()]


@pytest.mark.parametrize("name", SOURCES)
def test_a_bootstrap_draws_from_the_training_split_and_no_other(name: str) -> None:
    plain, sampled = build(name), build(name, bootstrap=True)
    assert sampled.sizes == plain.sizes
    for split in ("validation", "test"):
        assert rows(sampled, split) == rows(plain, split)
    drawn, there = rows(sampled, "train"), set(rows(plain, "train"))
    assert set(drawn) < there
    assert len(set(drawn)) / len(there) == pytest.approx(0.632, abs=0.08)
    assert any("drawn from theirs with replacement, by the run's seed, 0" in note for note in sampled.notes)
    assert not any("replacement" in note for note in plain.notes)


@pytest.mark.promise("R12")
def test_it_varies_with_the_run_s_seed_and_the_splits_do_not() -> None:
    one, other = build("iris", 1, bootstrap=True), build("iris", 2, bootstrap=True)
    assert rows(one, "train") != rows(other, "train")
    assert rows(one, "test") == rows(other, "test")
    assert rows(one, "train") == rows(build("iris", 1, bootstrap=True), "train")


def test_statistics_are_those_of_the_sample() -> None:
    source = build("iris", bootstrap=True)
    raw = source.raw("train", list(range(source.sizes["train"]))).double()
    torch.testing.assert_close(torch.tensor(source.encoding.mean, dtype=torch.float64), raw.mean(0))
    labels = torch.cat([batch.targets for batch in source.split("train", 1000)])
    assert list(source.spec.class_counts) == labels.bincount(minlength=3).tolist()


def test_a_set_with_its_makers_test_split_is_sampled_after_it_is_cut() -> None:
    labels = torch.arange(200) % 10
    fields = {"validation_examples": 20, "train_examples": 50}
    train, validation = MnistConfig.model_validate(fields).pool_splits(labels, 3)
    sampled, unmoved = MnistConfig.model_validate({**fields, "bootstrap": True}).pool_splits(labels, 3)
    assert torch.equal(unmoved, validation)
    assert len(sampled) == len(train) == 50
    assert set(sampled.tolist()) < set(train.tolist())
    assert len(sampled.unique()) < 45
