"""Series cut into examples: each by hand, none across two splits, nothing of later times in what comes before."""

import numpy as np
import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data.series.base import ForecastingConfig, Measured
from fourfold.data.series.gaps import filled
from fourfold.tasks.seam import Order


class GivenConfig(ForecastingConfig):
    """A series that a test gives."""

    name: str = "given"

    def measured(self, cache):
        return Measured(("a", "b"), GivenConfig.values, "1 day", "2020-01-01", "2020-04-09"), ["read"], {}


@pytest.fixture(autouse=True)
def values():
    time = np.arange(100.0)
    GivenConfig.values = np.stack([time, 1000 - time**2], axis=1)
    return GivenConfig.values


def source(**fields):
    return GivenConfig(**{"length": 4, "horizon": 2, "validation": 0.2, "test": 0.1, **fields}).build(0, None)


def test_examples_are_stretches_and_what_followed_them(values) -> None:
    given = source()
    assert given.sizes == {"train": 65, "validation": 15, "test": 5}
    mean, deviation = torch.tensor(values[:70].mean(0)), torch.tensor(values[:70].std(0))
    for split, begin in (("train", 0), ("validation", 70), ("test", 90)):
        batches = list(given.split(split, 4))
        inputs = torch.cat([batch.inputs[0] for batch in batches]).double() * deviation + mean
        targets = torch.cat([batch.targets for batch in batches]).double().unflatten(1, (2, 2)) * deviation + mean
        assert len(inputs) == given.sizes[split]
        for i, (x, y) in enumerate(zip(inputs, targets, strict=True)):
            whole = torch.tensor(values[begin + i : begin + i + 6])
            torch.testing.assert_close(torch.cat([x, y]), whole, rtol=1e-4, atol=1e-2)
        end = begin + len(inputs) + 5
        assert end == {"train": 70, "validation": 90, "test": 100}[split]  # to the last step, and none beyond
        torch.testing.assert_close(given.raw(split, [0, 1])[1], torch.tensor(values[begin + 1 : begin + 5]))


def test_what_comes_later_changes_nothing_before_it(values) -> None:
    before = source()
    GivenConfig.values = values.copy()
    GivenConfig.values[70:] += np.random.default_rng(0).normal(size=(30, 2)) * 1e6
    after = source()
    assert after.spec == before.spec
    assert after.encoding == before.encoding
    for ours, theirs in zip(before.split("train", 8), after.split("train", 8), strict=True):
        assert torch.equal(ours.inputs[0], theirs.inputs[0])
        assert torch.equal(ours.targets, theirs.targets)


def test_the_naive_forecast_of_the_training_series_has_a_mase_of_1() -> None:
    for period in (1, 3):
        given = source(length=3, horizon=1, period=period, validation=0)
        scorer = given.spec.scorer()
        steps = torch.from_numpy(GivenConfig.values[:90])
        encoded = given.encoding.standardise().encode(steps)
        from fourfold.tasks.seam import Batch

        scorer.update(encoded[:-period], Batch((), encoded[period:]))
        assert scorer.compute()["mase"] == pytest.approx(1, rel=1e-5)


def test_every_example_once_an_epoch_and_seek_is_replay() -> None:
    stream = source().train(Order(3, 8))
    epochs = [[next(stream) for _ in range(9)] for _ in range(2)]
    firsts = [torch.cat([batch.inputs[0][:, 0, 0] for batch in epoch]) for epoch in epochs]
    assert torch.equal(firsts[0].sort().values, firsts[1].sort().values)
    assert len(firsts[0].unique()) == 65
    assert not torch.equal(*firsts)
    stream.seek(11)
    assert torch.equal(next(stream).inputs[0], epochs[1][2].inputs[0])
    shares = [source().train(Order(3, 8, rank, 2)) for rank in range(2)]
    assert torch.equal(torch.cat([next(share).targets for share in shares]), epochs[0][0].targets)


def test_a_sample_is_those_examples_and_no_others() -> None:
    given = source()
    sample = given.resampled(torch.tensor([5, 5, 9]))
    assert sample.sizes == {**given.sizes, "train": 3}
    (batch,) = sample.split("train", 8)
    (whole,) = given.split("train", 100)
    assert torch.equal(batch.inputs[0], whole.inputs[0][[5, 5, 9]])
    assert next(sample.train(Order(0, 3))).inputs[0].shape == (3, 4, 2)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"length": 9}, r"data\.length: 9 steps and 2 ahead are 11, and the test series has 10; .*data\.length=8"),
        ({"length": 90, "test": 0.0}, "the train series has 80|the validation series has 20"),
        ({"period": 70}, r"data\.period: 70 steps, and the training series has only 70"),
        ({"validation": 0.6, "test": 0.4}, "leave no training series"),
    ],
)
def test_what_does_not_fit_is_refused(fields, says) -> None:
    from fourfold.core.config import validate

    with pytest.raises(InputError, match=says):
        validate(GivenConfig, {"length": 4, "horizon": 2, "validation": 0.2, "test": 0.1, **fields}, "data").build(
            0, None
        )


def test_what_does_not_vary_or_only_repeats_itself_is_refused(values) -> None:
    GivenConfig.values = np.stack([values[:, 0], np.full(100, 7.0)], axis=1)
    with pytest.raises(InputError, match="'b' is 7 all through the training series"):
        source()
    GivenConfig.values = np.stack([values[:, 0], np.arange(100.0) % 3], axis=1)
    with pytest.raises(InputError, match="'b' is the same again every 3 steps"):
        source(period=3)


def test_a_split_may_be_left_out() -> None:
    given = source(validation=0)
    assert given.sizes == {"train": 85, "validation": 0, "test": 5}
    assert list(given.split("validation", 8)) == []


def test_gaps_are_filled_with_what_was_known_then() -> None:
    nan = np.nan
    values, notes = filled(np.array([[1.0, 5], [nan, 6], [nan, nan], [4, 7]]), ("a", "b"))
    assert values.tolist() == [[1, 5], [1, 6], [1, 6], [4, 7]]
    assert notes == ["missing values filled with the last one before them: a: 2, b: 1"]
