import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fourfold.data.text.examples import AnsweredTexts, TaggedTexts, TranslatedTexts
from fourfold.data.text.padded import MOST_SCORES, PaddedSource, portions
from fourfold.data.text.ragged import Ragged
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Order
from fourfold.tasks.tagging import TaggingSpec
from fourfold.tasks.text_classification import TextClassificationSpec
from fourfold.tasks.tokens import IGNORED


def rows(count: int, seed: int = 0, longest: int = 40) -> list[list[int]]:
    """Rows of which each begins with its own number, plus one."""
    draw = random.Random(seed)
    return [[i + 1] + [7] * draw.randrange(longest) for i in range(count)]


def source(count: int = 101, longest: int = 40) -> PaddedSource:
    parts = {"train": rows(count, longest=longest), "validation": rows(13, 1, longest), "test": rows(9, 2, longest)}
    examples = {
        name: AnsweredTexts(Ragged.of(part), torch.tensor([row[0] % 2 for row in part])) for name, part in parts.items()
    }
    texts = {name: [str(row[0]) for row in part] for name, part in parts.items()}
    spec = TextClassificationSpec(Tokens(1000, longest, 1), ("even", "odd"))
    return PaddedSource(spec, examples, texts, None, ["a note"])


def numbers(batch) -> list[int]:
    return (batch.inputs[0][:, 0] - 1).tolist()


@given(st.lists(st.lists(st.integers(1, 99), max_size=7), min_size=1, max_size=9), st.data())
@settings(max_examples=40, deadline=None)
def test_rows_are_padded_as_one_by_one(given_rows, data) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(given_rows) - 1), min_size=1, max_size=6))
    ragged = Ragged.of(given_rows)
    padded = ragged.padded(torch.tensor(chosen), -7)
    longest = max(len(given_rows[i]) for i in chosen)
    assert padded.dtype == torch.int64
    assert padded.tolist() == [given_rows[i] + [-7] * (longest - len(given_rows[i])) for i in chosen]
    assert [ragged.row(i) for i in range(len(ragged))] == given_rows


@given(
    st.integers(1, 120),
    st.integers(1, 40),
    st.integers(0, 2**40),
    st.integers(1, 3),
)
@settings(max_examples=25, deadline=None)
def test_every_example_comes_exactly_once_an_epoch_and_processes_share_it(count, batch_size, seed, processes) -> None:
    data = source(count, longest=12)
    whole = data.train(Order(seed, batch_size))
    shares = [data.train(Order(seed, batch_size, rank, processes)) for rank in range(processes)]
    for _ in range(2):
        seen: list[int] = []
        for _ in range(whole.steps_per_epoch):
            batch = next(whole)
            assert len(batch.targets) in (batch_size, count % batch_size)
            if len(batch.targets) >= processes:
                parts = [numbers(next(share)) for share in shares]
                assert [number for part in parts for number in part] == numbers(batch)
                assert max(map(len, parts)) - min(map(len, parts)) <= 1
            else:
                for share in shares:
                    share.seek(whole._step)
            seen += numbers(batch)
        assert sorted(seen) == list(range(count))


def test_seeking_to_any_step_equals_replaying_up_to_it() -> None:
    data = source()
    replayed = data.train(Order(3, 16))
    batches = [next(replayed) for _ in range(2 * replayed.steps_per_epoch + 3)]
    sought = data.train(Order(3, 16))
    for step in (17, 0, 5, 13, 6, 7):
        sought.seek(step)
        for batch in batches[step : step + 2]:
            again = next(sought)
            assert all(torch.equal(a, b) for a, b in zip(again.inputs, batch.inputs, strict=True))
            assert torch.equal(again.targets, batch.targets)


def test_order_depends_on_seed_and_epoch_and_long_batches_do_not_come_last() -> None:
    data = source(2000)
    orders, lengths = [], []
    for seed in (0, 1):
        stream = data.train(Order(seed, 20))
        for _ in range(2):
            batches = [next(stream) for _ in range(stream.steps_per_epoch)]
            orders.append([numbers(batch) for batch in batches])
            widths = torch.tensor([batch.inputs[0].shape[1] for batch in batches]).double()
            lengths += [torch.arange(len(widths)).double()] * (not lengths) + [widths]
    assert len({str(order) for order in orders}) == 4
    # Neither grow the batches longer, nor come long ones at the same places each epoch.
    assert float(torch.corrcoef(torch.stack(lengths)).fill_diagonal_(0).abs().max()) < 0.45


def test_batches_of_like_lengths_are_padded_little() -> None:
    data = source(2000)
    stream = data.train(Order(0, 20))
    padding = cells = 0
    for _ in range(stream.steps_per_epoch):
        tokens, lengths = next(stream).inputs
        assert tokens.shape[1] == int(lengths.max())
        padding, cells = padding + int((tokens == 0).sum()), cells + tokens.numel()
    assert padding / cells < 0.03  # batches at random are padded by almost a half


def test_a_batch_has_the_tokens_lengths_and_answers_of_its_examples() -> None:
    data, parts = source(), rows(101)
    tokens, lengths = (batch := next(data.train(Order(0, 8)))).inputs
    for row, length, target in zip(tokens.tolist(), lengths.tolist(), batch.targets.tolist(), strict=True):
        assert row[:length] == parts[row[0] - 1]
        assert set(row[length:]) <= {0}
        assert target == row[0] % 2


def test_evaluation_is_in_order_complete_and_fits() -> None:
    data = source()
    for name, size in data.sizes.items():
        batches = list(data.split(name, 8))
        assert [number for batch in batches for number in numbers(batch)] == list(range(size))
        assert data.raw(name, [3, 0]) == ["4", "1"]


@given(st.lists(st.integers(1, 50), max_size=60), st.integers(1, 9), st.integers(1, 200))
@settings(max_examples=100, deadline=None)
def test_portions_are_as_large_as_they_may_be(lengths, most_rows, most_tokens) -> None:
    parts = list(portions(lengths, most_rows, most_tokens))
    assert [i for start, end in parts for i in range(start, end)] == list(range(len(lengths)))
    for start, end in parts:
        assert 1 <= end - start <= most_rows
        assert end - start == 1 or (end - start) * max(lengths[start:end]) <= most_tokens
        if end < len(lengths):
            one_more = lengths[start : end + 1]
            assert len(one_more) > most_rows or len(one_more) * max(one_more) > most_tokens


def test_a_batch_of_an_evaluation_has_at_most_so_many_scores() -> None:
    part = [[1] * 64 for _ in range(700)]
    tokens = Ragged.of(part)
    tagged = TaggedTexts(tokens, tokens)
    classes = tuple(str(i) for i in range(4096))
    data = PaddedSource(TaggingSpec(Tokens(9, 64, 1), classes), {"test": tagged}, {"test": part}, None)
    sizes = [batch.targets.numel() * 4096 for batch in data.split("test", 1024)]
    assert sum(sizes) == 700 * 64 * 4096
    assert max(sizes) == MOST_SCORES


def test_a_large_training_split_is_scored_on_some_of_it(monkeypatch) -> None:
    data = source()
    monkeypatch.setattr("fourfold.data.text.padded.SCORED", 40)
    for split, size in (("train", 40), ("validation", 13), ("test", 9)):
        seen = [number for batch in data.scored(split, 16) for number in numbers(batch)]
        assert len(set(seen)) == size
        assert seen == sorted(seen)
    assert [number for batch in data.split("train", 16) for number in numbers(batch)] == list(range(101))
    (note,) = source().notes[1:]
    assert note == "scores of the training split are of 40 of its texts, spread evenly over it"


def test_a_sample_is_those_examples_and_no_others() -> None:
    data = source()
    twice = data.resampled(torch.tensor([5, 5, 9, 80])).resampled(torch.tensor([0, 1, 3]))
    assert twice.sizes == {"train": 3, "validation": 13, "test": 9}
    assert sorted(numbers(next(twice.train(Order(0, 10))))) == [5, 5, 80]
    assert [number for batch in twice.split("train", 2) for number in numbers(batch)] == [5, 5, 80]
    assert twice.raw("train", [2]) == ["81"]
    assert [number for batch in twice.split("test", 4) for number in numbers(batch)] == list(range(9))
    assert data.sizes["train"] == 101
    twice.notes.append("another")
    assert data.notes == ["a note"]


def test_pairs_have_segments() -> None:
    examples = AnsweredTexts(Ragged.of([[2, 5, 3, 6, 6, 3], [2, 3, 3]]), torch.zeros(2, 1), torch.tensor([3, 2]))
    tokens, lengths, segments = examples.batch(torch.tensor([1, 0])).inputs
    assert tokens.tolist() == [[2, 3, 3, 0, 0, 0], [2, 5, 3, 6, 6, 3]]
    assert lengths.tolist() == [3, 6]
    assert segments.tolist() == [[0, 0, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]]


def test_tags_are_ignored_where_padding_is() -> None:
    examples = TaggedTexts(Ragged.of([[2, 5, 6], [2]]), Ragged.of([[IGNORED, 1, 0], [IGNORED]]))
    batch = examples.batch(torch.tensor([0, 1]))
    assert batch.inputs[0].tolist() == [[2, 5, 6], [2, 0, 0]]
    assert batch.targets.tolist() == [[IGNORED, 1, 0], [IGNORED, IGNORED, IGNORED]]


def test_a_translation_goes_in_without_its_end_and_comes_out_without_its_beginning() -> None:
    begin, end = 1, 2
    examples = TranslatedTexts(Ragged.of([[9, 9, 2], [8, 2]]), Ragged.of([[begin, 5, end], [begin, 6, 7, 8, end]]))
    source_tokens, lengths, inputs = (batch := examples.batch(torch.tensor([0, 1]))).inputs
    assert source_tokens.tolist() == [[9, 9, 2], [8, 2, 0]]
    assert lengths.tolist() == [3, 2]
    assert inputs.tolist() == [[begin, 5, 0, 0], [begin, 6, 7, 8]]
    assert batch.targets.tolist() == [[5, end, IGNORED, IGNORED], [6, 7, 8, end]]
    assert examples.lengths.tolist() == [3, 5]


@pytest.mark.parametrize("device", ["meta"])
def test_batches_come_on_the_device(device) -> None:
    data = source().to(torch.device(device))
    for batch in (next(data.train(Order(0, 4))), next(iter(data.split("test", 4)))):
        assert {part.device.type for part in (*batch.inputs, batch.targets)} == {device}
