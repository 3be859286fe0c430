import math

import pytest
import torch
from torch.nn import functional as F

from fourfold.losses.cross_entropy import token_cross_entropy
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Batch
from fourfold.tasks.tokens import IGNORED, TokenScorer

OUTPUT = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0))
TARGETS = torch.randint(7, (3, 5), generator=torch.Generator().manual_seed(1))
PADDED = TARGETS.masked_fill(torch.arange(5) >= torch.tensor([[5], [2], [0]]), IGNORED)


def _scored(*parts: tuple[torch.Tensor, torch.Tensor]) -> TokenScorer:
    scorer = TokenScorer()
    for output, targets in parts:
        scorer.update(output, Batch((), targets))
    return scorer


def test_padding_counts_nothing() -> None:
    real = PADDED != IGNORED
    expected = F.cross_entropy(OUTPUT[real], TARGETS[real])
    value = token_cross_entropy(OUTPUT, PADDED)
    assert int(value.count) == 7
    torch.testing.assert_close(value.mean, expected)
    metrics = _scored((OUTPUT, PADDED)).compute()
    assert metrics["perplexity"] == pytest.approx(math.exp(expected))
    assert metrics["accuracy"] == pytest.approx(float((OUTPUT[real].argmax(1) == TARGETS[real]).float().mean()))


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_a_batch_padded_further_has_the_same_loss_and_gradient(smoothing: float) -> None:
    values, gradients = [], []
    for more in (0, 4):
        output = F.pad(OUTPUT, (0, 0, 0, more), value=3.0).requires_grad_()
        value = token_cross_entropy(output, F.pad(PADDED, (0, more), value=IGNORED), smoothing)
        value.total.backward()
        values.append(value.mean.detach())
        gradients.append(output.grad[:, :5])
    torch.testing.assert_close(*values)
    torch.testing.assert_close(*gradients)


def test_scorers_of_parts_make_up_the_whole() -> None:
    first, second = _scored((OUTPUT[:1], PADDED[:1])), _scored((OUTPUT[1:], PADDED[1:]))
    first.merge(second)
    assert first.compute() == pytest.approx(_scored((OUTPUT, PADDED)).compute())


def test_an_example_of_a_pair_has_two_segments() -> None:
    tokens, lengths, segments = Tokens(10, 6, 2).example()
    assert (tokens.shape, lengths.tolist(), segments.tolist()) == ((1, 6), [6], [[0, 0, 0, 1, 1, 1]])
    assert str(Tokens(30522, 128, 2)) == "pairs of texts of up to 128 tokens out of 30,522"
