import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data.text import windows
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.data.text.windows import RunningText, WindowsSource, num_windows
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.seam import Order
from fourfold.tasks.tokens import IGNORED

LENGTH = 5
TOKENIZER = train_tokenizer("char", ["abcdefghij"])


def source(count: int = 53, held_out: int = 23, documents: bool = False, length: int = LENGTH) -> WindowsSource:
    """Return tokens that are their own places, so that each target tells where it is from."""
    texts = {}
    for name, size in (("train", count), ("validation", held_out), ("test", 0)):
        tokens = torch.arange(size, dtype=torch.int32)
        texts[name] = RunningText(tokens, tokens // 7 + 1 if documents else None)
    return WindowsSource(LanguageModellingSpec(Tokens(100, length, 1), TOKENIZER.text), texts)


def epoch(found: WindowsSource, number: int, seed: int = 0, batch_size: int = 4) -> list:
    stream = found.train(Order(seed, batch_size))
    steps = -(-found.sizes["train"] // batch_size)
    stream.seek(number * steps)
    return [next(stream) for _ in range(steps)]


@pytest.mark.parametrize("count", [50, 51, 52, 53, 54, 55, 56])
def test_every_token_is_a_target_once_an_epoch_but_for_less_than_a_window(count) -> None:
    found = source(count)
    for number in range(4):
        batches = epoch(found, number)
        targets = torch.cat([batch.targets.flatten() for batch in batches])
        times = torch.bincount(targets, minlength=count)
        assert len(targets) == found.sizes["train"] * LENGTH
        assert int((times - 1).abs().sum()) < LENGTH
        assert int(times.max()) <= 2
        for batch in batches:
            (rows,) = batch.inputs
            assert torch.equal((rows + 1) % count, batch.targets)  # each target is what comes after its token
            assert torch.equal((rows[:, 1:] - rows[:, :1]) % count, torch.arange(1, LENGTH).expand(len(rows), -1))


def test_every_epoch_is_cut_elsewhere_and_in_another_order() -> None:
    found = source(1001)
    first = [torch.cat([batch.inputs[0][:, 0] for batch in epoch(found, number)]) for number in range(5)]
    assert len({int(starts[0]) % LENGTH for starts in first}) > 1
    assert not torch.equal(first[0].sort().values, first[1].sort().values)
    assert not torch.equal(first[0], first[0].sort().values)
    other = torch.cat([batch.inputs[0][:, 0] for batch in epoch(found, 0, seed=1)])
    assert not torch.equal(first[0], other)


@pytest.mark.promise("R1")
def test_seeking_to_any_step_equals_replaying_up_to_it() -> None:
    found = source()
    replayed = [batch for _, batch in zip(range(9), found.train(Order(3, 4)), strict=False)]
    for step, batch in enumerate(replayed):
        stream = found.train(Order(3, 4))
        stream.seek(step)
        again = next(stream)
        assert torch.equal(again.inputs[0], batch.inputs[0])
        assert torch.equal(again.targets, batch.targets)


@pytest.mark.promise("R12")
@pytest.mark.parametrize("documents", [False, True])
def test_the_shares_of_processes_make_up_the_batch(documents) -> None:
    found = source(documents=documents)
    whole = found.train(Order(0, 4))
    parts = [found.train(Order(0, 4, rank, 3)) for rank in range(3)]
    for _ in range(5):
        batch, shares = next(whole), [next(part) for part in parts]
        for i, expected in enumerate(batch.inputs):
            assert torch.equal(torch.cat([share.inputs[i] for share in shares]), expected)
        assert torch.equal(torch.cat([share.targets for share in shares]), batch.targets)


def test_evaluation_is_in_order_and_its_last_window_is_filled_up() -> None:
    found = source()
    batches = list(found.split("validation", 2))
    rows, targets = torch.cat([b.inputs[0] for b in batches]), torch.cat([b.targets for b in batches])
    assert found.sizes["validation"] == len(rows) == 5
    assert [len(b.targets) for b in batches] == [2, 2, 1]
    assert targets[targets != IGNORED].tolist() == list(range(1, 23))
    assert rows[targets != IGNORED].tolist() == list(range(22))
    assert targets[-1].tolist() == [21, 22, IGNORED, IGNORED, IGNORED]
    assert rows[-1].tolist() == [20, 21, 0, 0, 0]
    assert found.sizes["test"] == 0
    assert list(found.split("test", 2)) == []
    assert [num_windows(n, 5) for n in (0, 1, 2, 6, 7, 11, 12)] == [0, 0, 1, 1, 2, 2, 3]


def test_a_batch_is_never_larger_than_memory_allows(monkeypatch) -> None:
    monkeypatch.setattr(windows, "MOST_SCORES", 2 * LENGTH * 100)
    assert [len(batch.targets) for batch in source().split("validation", 1024)] == [2, 2, 1]
    monkeypatch.setattr(windows, "MOST_TOKENS", 3 * LENGTH - 1)
    monkeypatch.setattr(windows, "MOST_SCORES", 1 << 26)
    assert [len(batch.targets) for batch in source().split("validation", 1024)] == [2, 2, 1]
    monkeypatch.setattr(windows, "MOST_SCORES", 1)
    assert [len(batch.targets) for batch in source().split("validation", 1024)] == [1] * 5


def test_training_text_is_scored_on_as_many_windows_as_validation_evenly_spaced() -> None:
    found = source(501)
    starts = torch.cat([batch.inputs[0][:, 0] for batch in found.scored("train", 2)])
    assert starts.tolist() == [0, 100, 200, 300, 400]
    assert sum(len(batch.targets) for batch in found.scored("validation", 2)) == 5
    assert sum(len(batch.targets) for batch in found.split("train", 64)) == 100


def test_texts_kept_apart_are_told_beside_the_tokens() -> None:
    found = source(documents=True)
    (first, *_) = found.split("train", 3)
    rows, lengths, segments, documents = first.inputs
    assert lengths.tolist() == [5, 5, 5]
    assert segments.sum() == 0
    assert documents.tolist() == [[1, 1, 1, 1, 1], [1, 1, 2, 2, 2], [1, 1, 1, 1, 2]]  # 7 tokens a text
    (*_, last) = found.split("validation", 3)
    assert last.inputs[1].tolist() == [5, 2]
    assert last.inputs[3][-1].tolist() == [1, 2, 0, 0, 0]
    for batch in epoch(found, 1):
        rows, lengths, segments, documents = batch.inputs
        assert (lengths == LENGTH).all()
        assert (documents[:, 0] == 1).all()
        begins = documents[:, 1:] > documents[:, :-1]
        assert torch.equal(begins, (rows[:, 1:] % 7 == 0) | (rows[:, 1:] == 0))  # the end runs into the beginning


def test_raw_text_of_a_window() -> None:
    tokens = torch.tensor(TOKENIZER.encode(["abcdefghij"])[0], dtype=torch.int32)
    spec = LanguageModellingSpec(Tokens(TOKENIZER.vocab_size, 4, 1), TOKENIZER.text)
    found = WindowsSource(spec, {"train": RunningText(tokens)})
    assert found.raw("train", [1, 0, 2]) == ["efgh", "abcd", "ij"]


def test_too_little_text_is_refused() -> None:
    with pytest.raises(InputError, match=r"data\.length: 5 and one to predict, but the training text has 5 tokens"):
        source(5)
    assert source(6).sizes["train"] == 1
    with pytest.raises(InputError, match="fixed set of training examples"):
        source().resampled(torch.arange(3))
