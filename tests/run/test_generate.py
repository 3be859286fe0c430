import math

import pytest
import torch
from torch import nn

from fourfold.core.errors import InputError
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.run.generate import Sampling, _written, probabilities, write_on
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.language_modelling import LanguageModellingSpec

EMPTY = train_tokenizer("char", [], special=("[PAD]", "[UNK]", "[EOS]")).text
SCORES = torch.tensor([[2.0, 1.0, 0.5, -1.0, 1.0], [0.0, 0.0, 0.0, 0.0, 9.0]])


def test_temperature_divides_scores() -> None:
    p = probabilities(SCORES, Sampling(temperature=0.5))
    by_hand = [math.exp(2 * z) for z in SCORES[0].tolist()]
    assert p[0].tolist() == pytest.approx([each / sum(by_hand) for each in by_hand])
    assert probabilities(SCORES, Sampling(temperature=0)).tolist() == [[1, 0, 0, 0, 0], [0, 0, 0, 0, 1]]


def test_top_k_keeps_the_k_largest() -> None:
    p = probabilities(SCORES, Sampling(top_k=3))[0]
    kept = [math.exp(2), math.exp(1), 0, 0, math.exp(1)]
    assert p.tolist() == pytest.approx([each / sum(kept) for each in kept])
    assert (probabilities(SCORES, Sampling(top_k=2)) > 0).sum(1).tolist() == [2, 2]  # of equal ones the first
    assert torch.equal(probabilities(SCORES, Sampling(top_k=99)), probabilities(SCORES, Sampling(top_k=5)))


@pytest.mark.parametrize(("share", "kept"), [(0.1, 1), (0.49, 1), (0.51, 2), (0.8, 3), (0.95, 4), (1.0, 4)])
def test_top_p_keeps_the_fewest_that_hold_p(share, kept) -> None:
    scores = torch.tensor([[0.1, 0.5, 0.15, 0.25, 1e-30]]).log()
    p = probabilities(scores, Sampling(top_p=share))
    assert int((p > 1e-20).sum()) == kept
    torch.testing.assert_close(p.sum(1), torch.ones(1))
    assert float(p[0, 1] / p[0, 3]) == pytest.approx(2) if kept > 1 else float(p[0, 1]) == 1


def test_top_p_is_of_what_top_k_and_temperature_left() -> None:
    scores = torch.tensor([[0.4, 0.3, 0.2, 0.1]]).log()
    assert probabilities(scores, Sampling(1.0, 2, 0.57))[0].tolist() == pytest.approx([1, 0, 0, 0])  # 4 of 7
    assert probabilities(scores, Sampling(1.0, 2, 0.58))[0].tolist() == pytest.approx([4 / 7, 3 / 7, 0, 0])
    assert probabilities(scores, Sampling(1.0, None, 0.57))[0].tolist() == pytest.approx([4 / 7, 3 / 7, 0, 0])


@pytest.mark.parametrize(
    ("sampling", "says"),
    [
        (Sampling(temperature=-1), "temperature: -1"),
        (Sampling(temperature=math.nan), "temperature: nan"),
        (Sampling(top_k=0), "top_k: 0; the nearest valid number is 1"),
        (Sampling(top_p=0), "top_p: 0; it must be above 0"),
        (Sampling(top_p=1.5), "top_p: 1.5"),
    ],
)
def test_what_is_out_of_range_is_refused(sampling, says) -> None:
    with pytest.raises(InputError, match=says):
        sampling.check()


class Sums(nn.Module):
    """Scores that depend on the sum of all tokens seen, and on how many there were."""

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        sums = tokens.cumsum(1) % 7 + torch.arange(tokens.shape[1]) % 3
        return torch.stack([torch.cos(sums * (k + 1.0)) for k in range(7)], 2)


class Remembers(Sums):
    """The same, with a state, and a limit on how many tokens it takes."""

    def __init__(self, context: int | None) -> None:
        super().__init__()
        self.context, self.calls = context, []

    def begin(self, batch: int) -> torch.Tensor:
        return torch.zeros(batch, 0, dtype=torch.int64)

    def extend(self, tokens: torch.Tensor, state: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.calls.append((tokens.shape[1], state.shape[1]))
        known = torch.cat([state, tokens], 1)
        assert self.context is None or known.shape[1] <= self.context
        return self(known)[:, -1:], known


def written(model: nn.Module, count: int, sampling: Sampling, length: int = 1000, seed: int = 0) -> torch.Tensor:
    prompt = torch.tensor([[3, 1, 4, 1], [2, 6, 5, 3]])
    generator = torch.Generator().manual_seed(seed)
    drawn = write_on(model, prompt, sampling, generator, length)
    return torch.stack([next(drawn) for _ in range(count)], 1)


@pytest.mark.parametrize("sampling", [Sampling(0), Sampling(0.7, 4, 0.9)])
def test_a_state_writes_what_starting_over_writes(sampling) -> None:
    keeps = Remembers(None)
    assert torch.equal(written(keeps, 20, sampling), written(Sums(), 20, sampling))
    assert keeps.calls == [(4, 0), *((1, n) for n in range(4, 23))]  # each token goes in once


def test_the_likeliest_is_the_largest_score() -> None:
    model, known = Sums(), torch.tensor([[3, 1, 4, 1], [2, 6, 5, 3]])
    for drawn in written(model, 5, Sampling(0)).T:
        assert torch.equal(drawn, model(known)[:, -1].argmax(1))
        known = torch.cat([known, drawn.unsqueeze(1)], 1)


def test_a_text_may_grow_over_what_a_model_sees_at_once() -> None:
    keeps = Remembers(6)
    ours = written(keeps, 9, Sampling(0))
    assert keeps.calls == [(4, 0), (1, 4), (1, 5), (3, 0), (1, 3), (1, 4), (1, 5), (3, 0), (1, 3)]
    known = torch.cat([torch.tensor([[3, 1, 4, 1], [2, 6, 5, 3]]), ours], 1)
    assert torch.equal(ours[:, 3], Sums()(known[:, 4:7])[:, -1].argmax(1))  # after the fourth, from the last three
    short = written(Sums(), 9, Sampling(0), length=5)
    known = torch.cat([torch.tensor([[3, 1, 4, 1], [2, 6, 5, 3]]), short], 1)
    assert torch.equal(short[:, 8], Sums()(known[:, 7:12])[:, -1].argmax(1))
    long = list(zip(range(3), write_on(Remembers(3), torch.arange(7).view(1, 7), Sampling(0), torch.Generator(), 9)))  # noqa: B905
    assert torch.equal(long[0][1], Sums()(torch.tensor([[4, 5, 6]]))[:, -1].argmax(1))


def test_draws_come_as_often_as_their_probability_says() -> None:
    class Always(nn.Module):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return SCORES[:1].expand(len(tokens), 1, 5)

    sampling = Sampling(0.8, 4, 0.95)
    drawn = write_on(Always(), torch.zeros(20_000, 1, dtype=torch.int64), sampling, torch.Generator().manual_seed(0), 4)
    shares = torch.bincount(next(drawn), minlength=5) / 20_000
    p = probabilities(SCORES[:1], sampling)[0]
    assert ((shares - p).abs() <= 4 * (p * (1 - p) / 20_000).sqrt()).all()


@pytest.mark.promise("R12")
def test_the_same_seed_writes_the_same_text() -> None:
    first = written(Sums(), 30, Sampling(), seed=1)
    assert torch.equal(first, written(Sums(), 30, Sampling(), seed=1))
    assert not torch.equal(first, written(Sums(), 30, Sampling(), seed=2))


class Counts(nn.Module):
    """Says of each token that the next number comes next."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        return 100.0 * torch.nn.functional.one_hot((tokens + 1) % self.size, self.size)


def test_writing_ends_with_the_text_and_says_nothing_that_is_no_text() -> None:
    tokenizer = train_tokenizer("char", ["가나다라"], special=("[PAD]", "[UNK]", "[EOS]"))  # 3 to 6; 7 is no token
    spec = LanguageModellingSpec(Tokens(8, 9, 1), tokenizer.text)
    pieces = list(_written(Counts(8), spec, "가", 50, Sampling(0), 0))
    assert "".join(piece.text for piece in pieces[:3]) == "나다라"
    assert all(3 <= piece.number <= 6 for piece in pieces)  # what would come next is no token, padding or unknown
    ends = list(_written(Counts(3), LanguageModellingSpec(Tokens(3, 9, 1), EMPTY), "", 50, Sampling(0), 0))
    assert ends == []  # the end is all that this model can say, and says at once
    assert len(list(_written(Counts(8), spec, "", 2, Sampling(0), 0))) == 2


def test_some_tokens_are_never_drawn() -> None:
    never = torch.tensor([0, 4])
    drawn = write_on(Sums(), torch.tensor([[1]]), Sampling(3.0), torch.Generator().manual_seed(0), 9, never)
    assert {int(next(drawn)) for _ in range(200)} == {1, 2, 3, 5, 6}
