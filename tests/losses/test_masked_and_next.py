import math

import pytest
import torch
from torch import Tensor
from verification import verified

from fourfold import losses
from fourfold.core.errors import InputError
from fourfold.losses import LOSSES
from fourfold.losses.masked_and_next import MaskedAndNext, masked_and_next
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec, MaskedOutput, MaskedTargets
from fourfold.tasks.seam import Batch, Tokens
from fourfold.tasks.tokens import IGNORED

COUNTS = torch.tensor([3, 1, 2, 3, 0])


def examples() -> tuple[MaskedOutput, MaskedTargets]:
    generator = torch.Generator().manual_seed(0)
    scores = torch.randn(5, 3, 7, generator=generator, dtype=torch.float64)
    words = torch.randint(0, 7, (5, 3), generator=generator).masked_fill(torch.arange(3) >= COUNTS[:, None], IGNORED)
    pairs = torch.randn(5, 2, generator=generator, dtype=torch.float64)
    return MaskedOutput(scores, pairs), MaskedTargets(words, torch.tensor([0, 1, 1, 0, 1]))


def test_value_by_hand() -> None:
    uniform = MaskedOutput(torch.zeros(2, 3, 8), torch.tensor([[0.0, 0.0], [math.log(3), 0.0]]))
    targets = MaskedTargets(torch.tensor([[1, 2, 3], [4, IGNORED, IGNORED]]), torch.tensor([0, 0]))
    value = masked_and_next(uniform, targets)
    assert int(value.count) == 4
    torch.testing.assert_close(value.parts["masked"], torch.tensor(4 * math.log(8)))
    torch.testing.assert_close(value.parts["next_sentence"], torch.tensor(3 * math.log(2) + math.log(4 / 3)))
    torch.testing.assert_close(value.total, value.parts["masked"] + value.parts["next_sentence"])


def test_where_counts_agree_it_is_the_sum_of_two_means() -> None:
    output, targets = examples()
    assert output.next_sentence is not None
    parts = output.tokens.requires_grad_(), output.next_sentence.requires_grad_()
    targets = MaskedTargets(torch.randint(0, 7, (5, 3)), targets.next_sentence)
    words = torch.nn.functional.cross_entropy(parts[0].flatten(0, 1), targets.tokens.flatten())
    pairs = torch.nn.functional.cross_entropy(parts[1], targets.next_sentence)
    ours, theirs = masked_and_next(output, targets).mean, words + pairs
    torch.testing.assert_close(ours, theirs)
    ours_moved, theirs_moved = torch.autograd.grad(ours, parts), torch.autograd.grad(theirs, parts)
    torch.testing.assert_close(ours_moved, theirs_moved)
    oracle = "torch's two mean cross_entropy, where counts agree"
    verified("loss", "masked_and_next", oracle, "values", ours, theirs)
    verified("loss", "masked_and_next", oracle, "gradients", ours_moved, theirs_moved)


def test_gradient() -> None:
    output, targets = examples()
    assert output.next_sentence is not None

    def total(tokens: Tensor, pairs: Tensor) -> Tensor:
        return masked_and_next(MaskedOutput(tokens, pairs), targets).total

    assert torch.autograd.gradcheck(total, (output.tokens.requires_grad_(), output.next_sentence.requires_grad_()))


def test_a_ragged_split_adds_up_to_the_whole() -> None:
    output, targets = examples()
    assert output.next_sentence is not None
    whole = masked_and_next(output, targets)
    pieces = [
        masked_and_next(
            MaskedOutput(output.tokens[part], output.next_sentence[part]),
            MaskedTargets(targets.tokens[part], targets.next_sentence[part]),
        )
        for part in (slice(0, 1), slice(1, 3), slice(3, 5))
    ]
    assert sum(int(piece.count) for piece in pieces) == int(whole.count) == 9
    torch.testing.assert_close(sum(piece.total for piece in pieces), whole.total, rtol=1e-12, atol=0)


def test_pairs_that_are_not_asked_about() -> None:
    output, targets = examples()
    words = masked_and_next(output._replace(next_sentence=None), targets)
    assert set(words.parts) == {"masked"}
    ignored = masked_and_next(output, targets._replace(next_sentence=torch.full((5,), IGNORED)))
    torch.testing.assert_close(ignored.total, words.total)


def test_half_precision_is_summed_in_float32() -> None:
    output, targets = examples()
    assert output.next_sentence is not None
    half = MaskedOutput(output.tokens.bfloat16(), output.next_sentence.bfloat16())
    wide = MaskedOutput(half.tokens.float(), output.next_sentence.bfloat16().float())
    assert torch.equal(masked_and_next(half, targets).total, masked_and_next(wide, targets).total)
    assert masked_and_next(half, targets).total.dtype == torch.float32


def test_as_a_part_of_a_recipe() -> None:
    spec = MaskedLanguageModellingSpec(Tokens(7, 9, 2), "")
    for name in ("masked_and_next", "usual"):
        loss = LOSSES.parse(name, "loss").build(spec)  # pyright: ignore[reportAttributeAccessIssue]
        assert isinstance(loss, MaskedAndNext)
        output, targets = examples()
        assert torch.equal(loss(output, Batch((), targets)).total, masked_and_next(output, targets).total)
    assert losses.MaskedAndNext is MaskedAndNext
    with pytest.raises(InputError, match="masked_and_next is for masked_language_modelling, but this data poses class"):
        LOSSES.parse("masked_and_next", "loss").build(ClassificationSpec(Tokens(7, 9, 1), ("a", "b")))  # pyright: ignore[reportAttributeAccessIssue]
