import math

import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.losses.usual import UsualConfig
from fourfold.tasks.coloured_text import COLUMNS, Piece, draw_texts
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.language_modelling import Continues, LanguageModellingSpec
from fourfold.tasks.seam import Batch
from fourfold.tasks.tokens import IGNORED

TEXT = "나는 학교에 갔다. 😀 To be, or not to be.\n"
CHAR = train_tokenizer("char", [TEXT])
PAIRS = train_tokenizer("bpe", [TEXT], 280)


def spec_of(tokenizer, length: int = 16, counts: tuple[int, ...] = ()) -> LanguageModellingSpec:
    return LanguageModellingSpec(Tokens(tokenizer.vocab_size, length, 1), tokenizer.text, counts)


def test_bits_per_character_by_hand() -> None:
    spec = spec_of(CHAR)
    a, b = CHAR.encode(["be"])[0]
    targets = torch.tensor([[a, b, IGNORED]])
    p = torch.full((1, 3, spec.num_outputs), 0.5 / (spec.num_outputs - 1), dtype=torch.float64)
    p[0, 0, a] = p[0, 1, a] = 0.5  # the second one is wrong
    scorer = spec.scorer()
    scorer.update(p.log().float(), Batch((), targets))
    bits = 1 + math.log2((spec.num_outputs - 1) / 0.5)
    metrics = scorer.compute()
    assert metrics["bits_per_character"] == pytest.approx(bits / 2)
    assert metrics["perplexity"] == pytest.approx(2 ** (bits / 2))
    assert metrics["accuracy"] == 0.5
    assert set(metrics) == set(spec.metrics)


@pytest.mark.parametrize("tokenizer", [CHAR, PAIRS], ids=["char", "bpe"])
def test_who_knows_nothing_is_surprised_by_log2_of_the_vocabulary_a_token(tokenizer) -> None:
    spec, (numbers,) = spec_of(tokenizer), tokenizer.encode([TEXT])
    scorer = spec.scorer()
    for part in (numbers[:7], numbers[7:]):
        other = spec.scorer()
        other.update(torch.zeros(1, len(part), spec.num_outputs), Batch((), torch.tensor([part])))
        scorer.merge(other)
    bits = len(numbers) * math.log2(spec.num_outputs)
    assert scorer.compute()["bits_per_character"] == pytest.approx(bits / len(TEXT))


def test_the_constant_answer_is_each_tokens_share() -> None:
    counts = tuple(range(CHAR.vocab_size))
    constant = spec_of(CHAR, 16, counts).constant()
    assert constant is not None
    shares = (torch.tensor(counts, dtype=torch.float64) + 1) / (sum(counts) + len(counts))
    torch.testing.assert_close(constant.output.softmax(2).view(-1).double(), shares, rtol=1e-5, atol=0)
    scorer = spec_of(CHAR).scorer()
    numbers = CHAR.encode(["be"])
    scorer.update(constant.output, Batch((), torch.tensor(numbers)))
    expected = -sum(math.log2(shares[number]) for number in numbers[0]) / 2
    assert scorer.compute()["bits_per_character"] == pytest.approx(expected, rel=1e-5)
    assert spec_of(CHAR).constant() is None
    with pytest.raises(InputError, match="token_counts: 3 counts for"):
        spec_of(CHAR, 16, (1, 2, 3))


def test_predictions_are_what_comes_next() -> None:
    spec = spec_of(CHAR)
    output = torch.zeros(2, 3, spec.num_outputs)
    output[0, 2, CHAR.number_of("학")] = 9.0
    output[1, 2, CHAR.number_of("b")] = 9.0
    rows = spec.predictions(output)
    assert [row["next"] for row in rows] == ["학", "b"]
    assert rows[0]["probability"] == pytest.approx(float(output[0, 2].softmax(0).max()))
    assert len(rows[0]["probabilities"]) == 5


def test_the_usual_loss_is_cross_entropy_of_tokens() -> None:
    spec = spec_of(CHAR)
    loss = UsualConfig().build(spec)
    value = loss(torch.zeros(1, 2, spec.num_outputs), Batch((), torch.tensor([[5, IGNORED]])))
    assert float(value.mean) == pytest.approx(math.log(spec.num_outputs))


def test_the_drawing_shows_each_letter_and_a_darker_ground_for_a_surprise() -> None:
    spec = spec_of(CHAR)
    numbers = torch.tensor(CHAR.encode(["학교 be"]))
    inputs, targets = numbers[:, :-1], numbers[:, 1:]
    output = torch.full((1, inputs.shape[1], spec.num_outputs), 0.0)
    output.scatter_(2, targets.unsqueeze(2), 40.0)  # everything expected …
    output[0, 0, targets[0, 0]] = -40.0  # … but the second syllable
    figure = spec.draw(Batch((inputs,), targets), output, [""])
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts[:-1]] == ["학", "교", "b", "e"]
    assert [float(text.get_position()[0]) for text in axes.texts[:-1]] == [1, 3, 5.5, 6.5]
    (ground,) = axes.patches
    assert (ground.get_x(), ground.get_width()) == (2, 2)


def test_lines_are_broken_where_they_are_full_or_end() -> None:
    figure = draw_texts([[Piece("a" * COLUMNS, 0.0), Piece("b\nc", 1.0)], [Piece("e\u0301x", 0.5)]], "caption")
    (axes,) = figure.axes
    places = {text.get_text(): tuple(map(float, text.get_position())) for text in axes.texts}
    assert places["b"] == (0.5, 1)
    assert places["↵"] == (1.5, 1)
    assert places["c"] == (0.5, 2)
    assert places["e\u0301"] == (0.5, 4)
    assert places["x"] == (1.5, 4)
    figure.canvas.draw()


def test_what_a_model_offers_to_write_on_is_told_by_its_methods() -> None:
    class Knows:
        context = None

        def begin(self, batch: int) -> None: ...

        def extend(self, tokens: torch.Tensor, state: None) -> None: ...

    assert isinstance(Knows(), Continues)
    assert not isinstance(torch.nn.Linear(1, 1), Continues)
