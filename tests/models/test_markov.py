import math
import random
from collections import Counter

import pytest
import torch
from verification import verified

from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.models.markov import Markov
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Batch, Features
from fourfold.tasks.tokens import IGNORED


def batch(*texts: list[int], documents: torch.Tensor | None = None) -> Batch:
    rows = torch.tensor(texts)
    tokens, targets = rows[:, :-1], rows[:, 1:]
    if documents is None:
        return Batch((tokens,), targets)
    return Batch((tokens, torch.full((len(rows),), tokens.shape[1]), torch.zeros_like(tokens), documents), targets)


def counted(order: int, vocab_size: int, *batches: Batch) -> Markov:
    model = Markov(vocab_size, order)
    model.count(batches)
    return model


def test_probabilities_of_a_short_text_by_hand() -> None:
    model = counted(1, 3, batch([0, 1, 0, 1, 0, 2]))  # 0 is followed by 1, 1, 2; 1 by 0, 0; 2 by nothing
    p = model(torch.tensor([[0, 1, 2]])).exp()[0]
    # as targets: 0 twice, 1 twice, 2 once; N = 5, T = 3
    p0 = [(2 + 1) / 8, (2 + 1) / 8, (1 + 1) / 8]
    torch.testing.assert_close(p[0], torch.tensor([(0 + 2 * p0[0]) / 5, (2 + 2 * p0[1]) / 5, (1 + 2 * p0[2]) / 5]))
    torch.testing.assert_close(p[1], torch.tensor([(2 + 1 * p0[0]) / 3, p0[1] / 3, p0[2] / 3]))
    torch.testing.assert_close(p[2], torch.tensor(p0))  # nothing ever came after 2
    perplexity = math.exp(-math.log(float(p[0, 1]) * float(p[1, 0])) / 2)
    scores = model(torch.tensor([[0, 1]]))
    loss = torch.nn.functional.cross_entropy(scores[0], torch.tensor([1, 0]))
    assert math.exp(loss) == pytest.approx(perplexity)


def by_dictionary(texts: list[list[int]], order: int, vocab_size: int, context: tuple[int, ...]) -> list[float]:
    """Return Witten and Bell's mixture straight from its recursion."""
    counts: dict[tuple[int, ...], Counter[int]] = {}
    for text in texts:
        for t in range(1, len(text)):
            for length in range(min(order, t) + 1):
                counts.setdefault(tuple(text[t - length : t]), Counter())[text[t]] += 1
    p = [1 / vocab_size] * vocab_size
    for length in range(min(order, len(context)) + 1):
        seen = counts.get(context[len(context) - length :] if length else ())
        if seen:
            total, kinds = sum(seen.values()), len(seen)
            p = [(seen[w] + kinds * p[w]) / (total + kinds) for w in range(vocab_size)]
    return p


@pytest.mark.parametrize("order", [0, 1, 2, 4])
def test_random_text_agrees_with_the_recursion_over_dictionaries(order) -> None:
    draw = random.Random(order)
    texts = [[draw.choice((0, 1, 1, 2, 4)) for _ in range(40)] for _ in range(5)]
    model = counted(order, 5, batch(*texts[:3]), batch(*texts[3:]))
    asked = [draw.randrange(5) for _ in range(15)]
    p = model(torch.tensor([asked])).exp()[0]
    expected = [by_dictionary(texts, order, 5, tuple(asked[: t + 1])) for t in range(15)]
    for t in range(15):
        assert p[t].tolist() == pytest.approx(expected[t], rel=1e-5)
    verified("network", "markov", "the recursion over dictionaries", "outputs", p, expected)
    torch.testing.assert_close(p.sum(1), torch.ones(15))


def test_small_pieces_give_the_same_scores(monkeypatch) -> None:
    model = counted(2, 4, batch([0, 1, 2, 3, 0, 1, 3, 2]))
    asked = torch.tensor([[0, 1, 2], [3, 3, 1]])
    whole = model(asked)
    monkeypatch.setattr("fourfold.models.markov.AT_ONCE", 8)
    assert torch.equal(model(asked), whole)


def test_padding_counts_nothing_and_no_text_is_anothers_context() -> None:
    texts = torch.tensor([[1, 1, 1, 2, 2]])
    packed = counted(2, 3, batch([0, 1, 0, 0, 1, 2], documents=texts))
    parted = counted(2, 3, batch([0, 1, 0, 0]), batch([0, 1, 2]))
    # the target of a text's last token is what comes after it, the beginning of the next
    for length in range(3):
        assert torch.equal(getattr(packed, f"codes{length}"), getattr(parted, f"codes{length}"))
        assert torch.equal(getattr(packed, f"counts{length}"), getattr(parted, f"counts{length}"))
    asked = torch.tensor([[1, 0, 1]])
    alone = packed(asked[:, 1:])
    beside = packed(asked, None, None, torch.tensor([[1, 2, 2]]))
    assert torch.equal(beside[:, 1:], alone)
    assert not torch.equal(packed(asked)[:, 1:], alone)
    padded = Batch((torch.tensor([[0, 1, 0, 0]]),), torch.tensor([[1, 0, IGNORED, IGNORED]]))
    plain = batch([0, 1, 0])
    assert torch.equal(counted(2, 3, padded).counts1, counted(2, 3, plain).counts1)


def test_a_text_may_be_shorter_than_the_context() -> None:
    model = counted(4, 3, batch([0, 1]), batch([0, 1, 0, 1, 0, 2]))
    assert torch.equal(model(torch.tensor([[0]])), model(torch.tensor([[0, 1]]))[:, :1])
    assert model.codes4.tolist() == [(0 * 27 + 1 * 9 + 0 * 3 + 1) * 3 + 0, (1 * 27 + 0 * 9 + 1 * 3 + 0) * 3 + 2]


def test_before_counting_everything_is_equally_likely() -> None:
    torch.testing.assert_close(Markov(4, 2)(torch.tensor([[1, 2]])).exp(), torch.full((1, 2, 4), 0.25))


def test_reading_on_is_reading_from_the_beginning() -> None:
    model = counted(3, 4, batch([0, 1, 2, 3, 0, 1, 3, 2, 0, 1, 2, 2]))
    asked = torch.tensor([[0, 1, 2, 3, 3, 0], [1, 1, 0, 1, 2, 3]])
    state, parts = model.begin(2), []
    for piece in asked.split([1, 2, 1, 2], dim=1):
        scores, state = model.extend(piece, state)
        parts.append(scores)
    assert torch.equal(torch.cat(parts, 1), model(asked))


def test_counts_are_kept_with_the_run_and_damaged_ones_refused() -> None:
    model, other = counted(2, 3, batch([0, 1, 0, 1, 0, 2])), Markov(3, 2)
    other.load_state_dict(model.state_dict())
    asked = torch.tensor([[0, 1, 0, 2]])
    assert torch.equal(other(asked), model(asked))
    assert sum(p.numel() for p in other.parameters()) == 3 + 3 + 3  # (), 1 0 2; 0 1, 0 2, 1 0; 01 0, 10 1, 10 2
    for name, wrong in (
        ("codes1", torch.tensor([3, 1, 2])),
        ("codes1", torch.tensor([1, 2, 9])),
        ("counts1", torch.tensor([1, 0, 2])),
        ("counts1", torch.tensor([1.0, 1.0, 2.0])),
        ("counts1", torch.tensor([1, 1])),
    ):
        with pytest.raises(RuntimeError, match="codes1 and counts1 do not fit"):
            Markov(3, 2).load_state_dict({**model.state_dict(), name: wrong})


def test_what_cannot_be_numbered_is_refused() -> None:
    with pytest.raises(InputError, match=r"model\.order: 4 tokens out of 50,257 .* nearest valid number is 3"):
        Markov(50257, 4)
    Markov(50257, 3)
    rows = ClassificationSpec(Features(("a",)), ("x", "y"))
    with pytest.raises(InputError, match="markov is for language_modelling, but this data poses classification"):
        MODELS.parse("markov", "model").build(rows)
