import pytest
import torch
from torch import nn

from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.models.bert import BERT, answers_for
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec, MaskedOutput
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Features, Tokens
from fourfold.tasks.tagging import TaggingSpec

TEXTS = Tokens(50, 12, 1)
PAIRS = Tokens(50, 12, 2)
SMALL = {"name": "bert", "layers": 2, "width": 16, "heads": 4, "max_length": 12}


def build(spec: object, **fields: object) -> BERT:
    torch.manual_seed(0)
    return MODELS.parse({**SMALL, **fields}, "model").build(spec)  # pyright: ignore[reportAttributeAccessIssue]


def encoder(name: str) -> int:
    """Return the parameters of a size without its heads."""
    config = MODELS.parse(name, "model")
    with torch.device("meta"):
        model = config.build(MaskedLanguageModellingSpec(Tokens(30_522, 512, 2), ""))  # pyright: ignore[reportAttributeAccessIssue]
    return sum(
        p.numel() for name, p in model.named_parameters() if name.split(".")[0] in ("embeddings", "layers", "pooler")
    )


def test_published_counts_without_heads() -> None:
    assert encoder("bert-base") == 109_482_240
    assert encoder("bert-large") == 335_141_888
    assert encoder("bert-small") == 28_763_648  # Turc et al., table 1, in millions: 29.1 with the head's bias


def test_what_is_answered() -> None:
    x = torch.randint(1, 50, (3, 12))
    assert build(ClassificationSpec(TEXTS, ("a", "b", "c")))(x).shape == (3, 3)
    assert build(RegressionSpec(PAIRS, ("y",), (0.0,), (1.0,)))(x).shape == (3, 1)
    assert build(TaggingSpec(TEXTS, ("O", "B-A", "I-A")))(x).shape == (3, 12, 3)
    both = build(MaskedLanguageModellingSpec(PAIRS, ""))(x)
    assert both.tokens.shape == (3, 12, 50)
    assert both.next_sentence.shape == (3, 2)
    words = build(MaskedLanguageModellingSpec(TEXTS, "", next_sentence=False))
    assert words(x).next_sentence is None
    assert words.pooler is None


def test_scores_at_positions_are_those_among_all() -> None:
    model = build(MaskedLanguageModellingSpec(PAIRS, "")).eval()
    x, positions = torch.randint(1, 50, (2, 12)), torch.tensor([[1, 5, 11], [4, -1, -1]])
    every, some = model(x), model(x, None, None, None, positions)
    for row, places in enumerate(positions.tolist()):
        for number, place in enumerate(places):
            if place >= 0:
                torch.testing.assert_close(some.tokens[row, number], every.tokens[row, place])
    torch.testing.assert_close(some.next_sentence, every.next_sentence)
    assert some.positions is positions


def test_padding_changes_nothing() -> None:
    model = build(ClassificationSpec(TEXTS, ("a", "b"))).eval()
    x, lengths = torch.randint(1, 50, (2, 12)), torch.tensor([7, 12])
    other = x.clone()
    other[0, 7:] = 3
    torch.testing.assert_close(model(x, lengths), model(other, lengths), rtol=0, atol=0)
    torch.testing.assert_close(model(x, lengths)[:1], model(x[:1, :7]))
    assert not torch.allclose(model(x), model(other))


def test_texts_of_one_row_are_read_one_by_one() -> None:
    model = build(TaggingSpec(TEXTS, ("O", "B-A"))).eval()
    x = torch.randint(1, 50, (1, 12))
    documents = torch.tensor([[1, 1, 1, 1, 2, 2, 2, 2, 2, 0, 0, 0]])
    together = model(x, torch.tensor([9]), None, documents)
    assert together.isfinite().all()
    torch.testing.assert_close(together[:, :4], model(x[:, :4]))
    torch.testing.assert_close(together[:, 4:9], model(x[:, 4:9]))


def test_a_token_sees_what_comes_after_it_and_its_segment() -> None:
    model = build(TaggingSpec(PAIRS, ("O", "B-A"))).eval()
    x, segments = torch.randint(1, 50, (1, 12)), torch.zeros(1, 12, dtype=torch.int64)
    later, second = x.clone(), segments.clone()
    later[0, -1] = (later[0, -1] + 1) % 50
    second[0, 6:] = 1
    assert not torch.allclose(model(x)[0, 0], model(later)[0, 0])
    torch.testing.assert_close(model(x), model(x, None, segments))
    assert not torch.allclose(model(x, None, segments)[0, 0], model(x, None, second)[0, 0])


@pytest.mark.parametrize(
    "spec",
    [
        ClassificationSpec(TEXTS, ("a", "b")),
        TaggingSpec(TEXTS, ("O", "B-A")),
        MaskedLanguageModellingSpec(PAIRS, ""),
        MaskedLanguageModellingSpec(TEXTS, "", next_sentence=False),
    ],
)
def test_every_parameter_gets_a_gradient(spec) -> None:
    model = build(spec)
    segments = (torch.arange(12) >= 6).long().expand(4, -1)
    output = model(torch.arange(48).view(4, 12), None, segments)
    parts = [part for part in output if part is not None] if isinstance(output, MaskedOutput) else [output]
    torch.stack([(part * torch.randn_like(part)).sum() for part in parts]).sum().backward()
    for name, param in model.named_parameters():
        assert param.grad is not None, name
        assert param.grad.abs().sum() > 0, name


def test_weights_are_drawn_as_in_the_authors_code() -> None:
    model = build(ClassificationSpec(TEXTS, ("a", "b")), width=256, heads=4)
    for name, module in model.named_modules():
        if isinstance(module, nn.Linear | nn.Embedding) and module.weight.numel() > 10_000:
            assert module.weight.abs().max() <= 0.04, name
            assert abs(float(module.weight.detach().std()) / (0.02 * 0.8796) - 1) < 0.05, (
                name
            )  # of a normal cut at 2: 0.8796
        if isinstance(module, nn.Linear):
            assert not module.bias.any(), name


def test_what_it_is_not_for() -> None:
    with pytest.raises(InputError, match="bert needs texts, but this data gives rows of 1 numbers"):
        build(ClassificationSpec(Features(("a",)), ("a", "b")))
    with pytest.raises(InputError, match="bert sees the tokens that come next, and language_modelling asks for them"):
        answers_for(LanguageModellingSpec(TEXTS, ""))
    with pytest.raises(InputError, match=r"model.max_length: bert has 8 positions, but .* up to 12 tokens"):
        build(ClassificationSpec(TEXTS, ("a", "b")), max_length=8)
    with pytest.raises(InputError, match=r"model.heads: 3 heads cannot share a width of 16"):
        build(ClassificationSpec(TEXTS, ("a", "b")), heads=3)
