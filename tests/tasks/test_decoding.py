"""Greedy and beam search: every translation of a small vocabulary one by one, and greedy search at one beam."""

import itertools
import math
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

from fourfold.tasks.decoding import beam_search, greedy, length_penalty, rows_of

BEGIN, END, VOCAB, LONGEST, SHORT = 1, 2, 5, 4, 3
SOURCE, LENGTHS = torch.arange(12).view(6, 2), torch.full((6,), 2)


class Tables:
    """Scores drawn at random for each text and each beginning of its translation, looked up by both."""

    def __init__(self, seed: int, likes_end: float = 0.0) -> None:
        generator = torch.Generator().manual_seed(seed)
        self.scores = torch.randn(100, 700, VOCAB, generator=generator) * 2
        self.scores[:, :, END] += likes_end

    def encode(self, source: Tensor, lengths: Tensor) -> Tensor:
        return source[:, 0] + lengths - 2

    def decode(self, target: Tensor, memory: Tensor) -> Tensor:
        steps = [self.scores[memory, self.key(target[:, : i + 1])] for i in range(target.shape[1])]
        return torch.stack(steps, 1)

    def key(self, beginning: Tensor) -> Tensor:
        """Return a number for each beginning: its tokens as digits."""
        return sum(beginning[:, i] * VOCAB**i for i in range(1, beginning.shape[1])) + torch.zeros_like(beginning[:, 0])


class Memory(NamedTuple):
    text: Tensor
    name: str


class Stepping(Tables):
    """The same, with a cache of what has been written, and a count of what it was asked."""

    def __init__(self, seed: int, likes_end: float = 0.0) -> None:
        super().__init__(seed, likes_end)
        self.asked = 0

    def encode(self, source: Tensor, lengths: Tensor) -> Any:
        return Memory(super().encode(source, lengths), "text")

    def decode(self, target: Tensor, memory: Any) -> Tensor:
        raise AssertionError("there is a cache")

    def begin(self, memory: Any, room: int) -> Any:
        return memory, torch.empty(len(memory.text), 0, dtype=torch.int64)

    def extend(self, tokens: Tensor, state: Any) -> Any:
        self.asked += 1
        memory, so_far = state
        so_far = torch.cat([so_far, tokens], 1)
        return super().decode(so_far, memory.text)[:, -1:], (memory, so_far)


def best_by_hand(model: Tables, text: int, alpha: float) -> list[int]:
    """Try every translation of up to `SHORT` tokens."""
    others = [token for token in range(VOCAB) if token != END]
    found: list[tuple[float, list[int]]] = []
    for length in range(1, SHORT + 1):
        lasts = range(VOCAB) if length == SHORT else [END]  # one that has not ended by then counts as it is
        for row in itertools.product(*[others] * (length - 1), lasts):
            so_far = torch.tensor([[BEGIN, *row[:-1]]])
            scores = model.decode(so_far, torch.tensor([text]))[0].log_softmax(1)
            log_p = sum(float(scores[i, token]) for i, token in enumerate(row))
            found.append((log_p / ((5 + length) / 6) ** alpha, [token for token in row if token != END]))
    return max(found)[1]


@pytest.mark.promise("R14")
@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
@pytest.mark.parametrize("likes_end", [0.0, 1.0])
def test_beams_enough_for_every_beginning_find_the_best_of_all(alpha: float, likes_end: float) -> None:
    model = Tables(2, likes_end)  # with which lengths differ by alpha, and a state of another beam is a mistake
    found = beam_search(model, SOURCE, LENGTHS, BEGIN, END, SHORT, beams=VOCAB**2, alpha=alpha)
    expected = [best_by_hand(model, int(text), alpha) for text in SOURCE[:, 0]]
    assert found == expected
    assert len({len(row) for row in expected}) > 1  # translations of several lengths compete


def test_the_length_penalty_decides() -> None:
    model = Tables(1, 1.0)
    found = {
        alpha: beam_search(model, SOURCE, LENGTHS, BEGIN, END, LONGEST, beams=64, alpha=alpha) for alpha in (0.0, 2.0)
    }
    assert sum(map(len, found[2.0])) > sum(map(len, found[0.0]))
    assert length_penalty(7, 0.6) == pytest.approx((12 / 6) ** 0.6)


@pytest.mark.parametrize("seed", range(5))
def test_one_beam_is_greedy_search(seed: int) -> None:
    model = Tables(seed, 1.0)
    first = greedy(model, SOURCE, LENGTHS, BEGIN, END, LONGEST)
    assert beam_search(model, SOURCE, LENGTHS, BEGIN, END, LONGEST, beams=1) == first
    for text, row in zip(SOURCE[:, 0], first, strict=True):
        so_far = [BEGIN]
        for token in [*row, END][:LONGEST]:
            scores = model.decode(torch.tensor([so_far]), text.view(1))[0, -1]
            assert int(scores.argmax()) == token
            so_far.append(token)


@pytest.mark.parametrize("beams", [2, 3, 4])
def test_more_beams_score_no_worse_than_greedy_on_average(beams: int) -> None:
    def score(model: Tables, text: Tensor, row: list[int]) -> float:
        row = row if len(row) == LONGEST else [*row, END]
        scores = model.decode(torch.tensor([[BEGIN, *row[:-1]]]), text.view(1))[0].log_softmax(1)
        return sum(float(scores[i, token]) for i, token in enumerate(row)) / length_penalty(len(row), 0.6)

    gains = []
    for seed in range(10):
        model = Tables(seed)
        both = (
            beam_search(model, SOURCE, LENGTHS, BEGIN, END, LONGEST, beams=beams),
            greedy(model, SOURCE, LENGTHS, BEGIN, END, LONGEST),
        )
        gains += [score(model, t, a) - score(model, t, b) for t, a, b in zip(SOURCE[:, 0], *both, strict=True)]
    assert sum(gains) > 0


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_a_cache_changes_nothing(search: Any) -> None:
    stepping = Stepping(3)
    assert search(stepping, SOURCE, LENGTHS, BEGIN, END, LONGEST) == search(
        Tables(3), SOURCE, LENGTHS, BEGIN, END, LONGEST
    )
    assert 1 <= stepping.asked <= LONGEST


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_a_text_among_others_is_translated_as_if_alone(search: Any) -> None:
    model = Tables(4, 1.0)
    together = search(model, SOURCE, LENGTHS, BEGIN, END, LONGEST)
    alone = [search(model, SOURCE[i : i + 1], LENGTHS[:1], BEGIN, END, LONGEST)[0] for i in range(len(SOURCE))]
    assert together == alone


@pytest.mark.parametrize("search", [greedy, beam_search])
def test_it_stops_when_all_have_ended(search: Any) -> None:
    model = Stepping(0, likes_end=50.0)
    assert search(model, SOURCE, LENGTHS, BEGIN, END, LONGEST) == [[]] * 6
    assert model.asked == 1


def test_rows_are_taken_of_everything_a_state_is_made_of() -> None:
    state = (Memory(torch.tensor([10, 20]), "text"), (torch.tensor([[1], [2]]), 7))
    taken: Any = rows_of(state, torch.tensor([1, 1, 0]))
    assert isinstance(taken[0], Memory)
    assert taken[0].text.tolist() == [20, 20, 10]
    assert taken[1][0].tolist() == [[2], [2], [1]]
    assert (taken[0].name, taken[1][1]) == ("text", 7)
    assert math.isclose(length_penalty(1, 0.0), 1.0)
