import math

import torch

from fourfold.data.text.masking import Hidden, Masking, draw
from fourfold.tasks.tokens import IGNORED

VOCAB, MASK, SPECIAL = 200, 4, (0, 1, 2, 3, 4, 150)
MASKING = Masking(VOCAB, MASK, SPECIAL)


def texts(count: int, length: int = 42) -> tuple[torch.Tensor, torch.Tensor]:
    """Return rows [CLS] words [SEP], one shorter than the other, with [UNK] and another special token inside."""
    generator = torch.Generator().manual_seed(count)
    lengths = (length - torch.arange(count)).clamp(min=3)
    tokens = torch.randint(5, 150, (count, length), generator=generator)
    place = torch.arange(length)
    tokens[:, 2] = 1
    tokens[:, -3] = 150
    tokens[:, 0] = 2
    tokens = tokens.masked_fill(place == (lengths - 1).unsqueeze(1), 3).masked_fill(place >= lengths.unsqueeze(1), 0)
    return tokens, lengths


def hidden(tokens: torch.Tensor, lengths: torch.Tensor, seed: int = 0) -> Hidden:
    return MASKING.hide(tokens, lengths, draw(len(tokens), tokens.shape[1], torch.Generator().manual_seed(seed)))


def test_each_text_has_its_share_hidden_and_no_more() -> None:
    tokens, lengths = texts(60)
    found = hidden(tokens, lengths)
    for row, length in enumerate(lengths.tolist()):
        ordinary = [place for place, token in enumerate(tokens[row].tolist()) if token not in SPECIAL]
        count = min(max(1, round(0.15 * length)), len(ordinary))
        places = [place for place in found.positions[row].tolist() if place >= 0]
        assert len(places) == len(set(places)) == count
        assert places == sorted(places)
        assert set(places) <= set(ordinary)
        assert found.positions[row, count:].eq(-1).all()
        assert found.targets[row, :count].tolist() == tokens[row, places].tolist()
        assert found.targets[row, count:].eq(IGNORED).all()
        others = [place for place in range(tokens.shape[1]) if place not in places]
        assert torch.equal(found.tokens[row, others], tokens[row, others])


def test_what_becomes_of_hidden_words() -> None:
    tokens, lengths = torch.full((2000, 42), 77), torch.full((2000,), 42)
    found = hidden(tokens, lengths)
    shown = found.tokens.gather(1, found.positions).flatten()
    count = len(shown)
    assert count == 2000 * 6
    masked, kept = int((shown == MASK).sum()), int((shown == 77).sum())
    ordinary = VOCAB - len(SPECIAL)
    expected = {"masked": 0.8, "kept": 0.1 + 0.1 / ordinary, "other": 0.1 - 0.1 / ordinary}
    for name, number in {"masked": masked, "kept": kept, "other": count - masked - kept}.items():
        share = expected[name]
        assert abs(number - count * share) < 4 * math.sqrt(count * share * (1 - share)), name
    others = torch.bincount(shown[(shown != MASK) & (shown != 77)], minlength=VOCAB)
    assert not others[list(SPECIAL)].any()
    assert (others > 0).sum() == ordinary - 1  # 1,200 draws of 193: each comes
    where = torch.bincount(found.positions.flatten(), minlength=42)
    assert (where - count / 42).abs().max() < 5 * math.sqrt(count / 42)  # no place is hidden more often


def test_other_words_are_hidden_each_time() -> None:
    tokens, lengths = texts(8)
    assert torch.equal(hidden(tokens, lengths, 1).tokens, hidden(tokens, lengths, 1).tokens)
    assert not torch.equal(hidden(tokens, lengths, 1).positions, hidden(tokens, lengths, 2).positions)


def test_a_row_does_not_depend_on_how_far_it_is_padded() -> None:
    tokens, lengths = texts(8)
    draws = draw(8, 50, torch.Generator().manual_seed(5))
    wide = torch.cat([tokens, torch.zeros(8, 8, dtype=torch.int64)], 1)
    ours, wider = MASKING.hide(tokens, lengths, draws), MASKING.hide(wide, lengths, draws)
    assert torch.equal(ours.tokens, wider.tokens[:, :42])
    assert torch.equal(ours.positions, wider.positions)


def test_a_text_of_special_tokens_has_nothing_to_hide() -> None:
    tokens = torch.tensor([[2, 3, 0, 0], [2, 9, 8, 3]])
    found = hidden(tokens, torch.tensor([2, 4]))
    assert torch.equal(found.tokens[0], tokens[0])
    assert found.positions[0].tolist() == [-1]
    assert found.targets[0].tolist() == [IGNORED]
