"""Who sees which words, what is guessed of them, and what is learnt from tags that only one of the two can know."""

import random

import pytest
import torch
from torch.nn import functional as F

from fourfold.claims import bidirectional_helps as claim
from fourfold.claims.tagged_words import PADDING, source_of
from fourfold.core.errors import DivergedError
from fourfold.data.text.masking import Masking
from fourfold.data.text.masking import draw as draws

ROWS = torch.tensor([[2, 3, 4, 5], [3, 2, PADDING, PADDING]])
LENGTHS = torch.tensor([4, 2])


def planted(count: int):
    """Return a source of x and y in which a word's tag is the word behind it, and `none` at the end."""
    draw = random.Random(0)
    rows = [draw.choices("xyzw", k=9) for _ in range(count)]
    tagged = [[(word, (*row[1:], "none")[i]) for i, word in enumerate(row)] for row in rows]
    return source_of({"test": tagged[: count // 4], "train": tagged[count // 4 :]})


@pytest.mark.parametrize(("reads", "sees"), [("both ways", True), ("left to right", False)])
def test_only_one_sees_what_stands_behind_and_both_what_stands_before(reads: str, sees: bool):
    model = claim.network(reads, "each token", planted(40), 0).eval()
    other = ROWS.clone()
    other[0, 2] = 2
    with torch.no_grad():
        moved = (model(ROWS, LENGTHS) != model(other, LENGTHS)).any(2)
    assert moved.tolist() == [[sees, sees, True, True], [False] * 4]


def test_padding_is_not_seen():
    for reads in ("both ways", "left to right"):
        model = claim.network(reads, "each token", planted(40), 0).eval()
        with torch.no_grad():
            alone, padded = model(ROWS[1:, :2], LENGTHS[1:]), model(ROWS[1:], LENGTHS[1:])[:, :2]
        assert torch.allclose(alone, padded, atol=1e-6)


def test_from_left_to_right_each_word_from_the_second_on_is_guessed():
    model = claim.network("left to right", "words", planted(40), 0).eval()
    with torch.no_grad():
        found = claim.guessing(model, "left to right", (ROWS, LENGTHS), None)
        scores = model(ROWS, LENGTHS).tokens.log_softmax(2)
    asked = [(0, 0, 3), (0, 1, 4), (0, 2, 5), (1, 0, 2)]  # row, place, the word that comes next
    assert torch.allclose(found, -torch.stack([scores[each] for each in asked]).mean())


def test_both_ways_hidden_words_are_guessed_and_no_others():
    source = planted(40)
    model = claim.network("both ways", "words", source, 0).eval()
    draw = torch.Generator().manual_seed(3)
    mask = source.spec.input.vocab_size  # the one more
    hidden = Masking(mask + 1, mask, {PADDING, mask}).hide(ROWS, LENGTHS, draws(2, 4, draw.clone_state()))
    with torch.no_grad():
        found = claim.guessing(model, "both ways", (ROWS, LENGTHS), draw)
        scores = model(hidden.tokens, LENGTHS).tokens
    assert hidden.positions.shape == (2, 1)  # 15 % of so few words, and one at the least
    picked = scores[torch.arange(2), hidden.positions[:, 0]]
    assert torch.allclose(found, F.cross_entropy(picked, hidden.targets[:, 0]))


def test_a_tag_that_the_next_word_gives_away_is_learnt_by_who_sees_it(monkeypatch):
    source = planted(1200)
    monkeypatch.setattr(claim, "tagged", lambda seed, count: source)
    monkeypatch.setitem(claim.TAGGING, "quick", 250)
    assert claim.score("both ways, from scratch", 0, "quick") > 0.95
    assert claim.score("left to right, from scratch", 0, "quick") < 0.5


def test_reading_before_is_where_tagging_begins(monkeypatch):
    source = planted(60)
    monkeypatch.setattr(claim, "tagged", lambda seed, count: source)
    monkeypatch.setitem(claim.READING, "quick", 2)
    as_drawn = claim.network("both ways", "words", source, 0).state_dict()
    read = claim.read_before("both ways", 0, "quick")
    assert read.keys() == as_drawn.keys()
    assert all((read[name] != as_drawn[name]).any() for name in read)
    encoder = claim.network("both ways", "each token", source, 0).state_dict()
    encoder = {name: part for name, part in encoder.items() if not name.startswith("head.")}
    monkeypatch.setattr(claim, "read_before", lambda *_: encoder)
    assert claim.score("both ways, pre-trained", 0, "quick") == claim.score("both ways, from scratch", 0, "quick")
    unread = {name: torch.full_like(part, torch.nan) for name, part in encoder.items()}
    monkeypatch.setattr(claim, "read_before", lambda *_: unread)
    with pytest.raises(DivergedError):
        claim.score("both ways, pre-trained", 0, "quick")
