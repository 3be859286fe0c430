"""The adding and the copying problem: every sequence by hand."""

import json

import pytest
import torch
from matplotlib.text import Text

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.encoding import encoding_from_mapping
from fourfold.tasks.seam import Order
from fourfold.tasks.tokens import IGNORED

SIZES = {"train_examples": 400, "validation_examples": 50, "test_examples": 60}


def build(name: str, seed: int = 0, **fields):
    return DATA.parse({"name": name, **SIZES, **fields}, "data").build(seed, None)


@pytest.mark.parametrize("length", [2, 7, 50])
def test_each_sum_is_of_the_two_marked_numbers(length) -> None:
    source = build("adding", length=length)
    for split, count in source.sizes.items():
        for batch in source.split(split, 64):
            (x,) = batch.inputs
            values, markers = x.unbind(2)
            assert markers.sum(1).eq(2).all()
            assert markers[:, : length // 2].sum(1).eq(1).all()
            assert ((values >= 0) & (values < 1)).all()
            mean, deviation = source.spec.target_mean[0], source.spec.target_deviation[0]
            sums = batch.targets[:, 0] * deviation + mean
            torch.testing.assert_close(sums, (values * markers).sum(1), rtol=0, atol=1e-5)
        assert len(source.raw(split, [0, count - 1])) == 2
    assert source.spec.input.length == length


def test_who_always_answers_the_mean_has_the_error_that_is_said() -> None:
    source = build("adding", test_examples=20_000, length=10)
    scorer, constant = source.spec.scorer(), source.spec.constant()
    for batch in source.split("test", 5000):
        scorer.update(constant.output.expand(len(batch.targets), -1), batch)
    assert scorer.compute()["rmse"] == pytest.approx((1 / 6) ** 0.5, rel=0.02)


def test_sequences_are_shown_and_asked_for() -> None:
    source = build("copy", gap=5, symbols=3)
    (inputs,), targets = next(iter(source.split("train", 400)))
    assert inputs.shape == targets.shape == (400, 11)
    shown = inputs[:, :3]
    assert set(shown.unique().tolist()) == set(range(1, 9))
    assert inputs[:, 3:7].eq(0).all()
    assert inputs[:, 7].eq(9).all()
    assert inputs[:, 8:].eq(0).all()
    assert targets[:, :8].eq(IGNORED).all()
    assert torch.equal(targets[:, 8:], shown - 1)
    assert source.spec.num_outputs == 8
    assert source.spec.headline == "accuracy"
    assert source.spec.input.length == 11


@pytest.mark.parametrize("name", ["adding", "copy"])
def test_sequences_vary_with_the_seed_only_where_they_are_told_to(name) -> None:
    def first(source) -> torch.Tensor:
        return next(iter(source.split("test", 60))).inputs[0]

    assert torch.equal(first(build(name, 0)), first(build(name, 1)))
    assert not torch.equal(first(build(name, 0, data_seed=None)), first(build(name, 1, data_seed=None)))
    assert torch.equal(first(build(name, train_examples=7)), first(build(name)))  # a split's size changes no other
    train = next(build(name).train(Order(0, 60))).inputs[0]
    assert not torch.equal(train, first(build(name)))


def test_symbols_are_read_back() -> None:
    source = build("copy", gap=2, symbols=2)
    encoding = encoding_from_mapping(json.loads(json.dumps(source.encoding.to_mapping())))
    (inputs,), _ = next(iter(source.split("test", 2)))
    assert torch.equal(encoding.encode_rows(inputs.tolist()).inputs[0], inputs)
    assert source.raw("test", [0, 1]) == [[str(symbol) for symbol in row[:2]] for row in inputs.tolist()]
    for row, says in (([1, 2, 3], "row 1: expected a list of 6 symbols"), ([1, 2, 0, 9, 0, 10], "10 is no symbol")):
        with pytest.raises(InputError, match=says):
            encoding.encode_rows([row])


def test_what_is_repeated_can_be_drawn_beside_what_was_shown() -> None:
    source = build("copy", gap=2, symbols=3)
    batch = next(iter(source.split("test", 4)))
    scores = torch.nn.functional.one_hot(batch.targets.clamp(min=0), 8).float()
    texts = [
        text.get_text() for text in source.spec.draw(batch, scores, source.raw("test", [0, 1, 2, 3])).findobj(Text)
    ]
    for row in batch.inputs[0][:, :3].tolist():
        assert all(str(symbol) in texts for symbol in row)


@pytest.mark.parametrize("name", ["adding", "copy"])
def test_notes_say_how_many_and_by_which_seed(name) -> None:
    notes = build(name, data_seed=5).notes
    assert any("drawn with data.data_seed=5" in note for note in notes)
    assert any("drawn with the run's seed, 3" in note for note in build(name, seed=3, data_seed=None).notes)
    assert any(note.startswith("split: train 400, validation 50, test 60") for note in notes)
