import math

import pytest
import torch
from sklearn.metrics import accuracy_score, log_loss

from fourfold.core.errors import InputError
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.tasks.masked_language_modelling import (
    NEXT,
    RANDOM,
    MaskedLanguageModellingSpec,
    MaskedOutput,
    MaskedTargets,
)
from fourfold.tasks.seam import Batch, Tokens
from fourfold.tasks.specs import spec_from_mapping, spec_to_mapping
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import IGNORED

TOKENIZER = train_tokenizer("wordpiece", ["the cat sat on the mat", "고양이가 앉았다"], 64).text
SPEC = MaskedLanguageModellingSpec(Tokens(64, 9, 2), TOKENIZER)


def batch(count: int = 4) -> tuple[MaskedOutput, Batch]:
    generator = torch.Generator().manual_seed(1)
    output = MaskedOutput(torch.randn(count, 3, 64, generator=generator), torch.randn(count, 2, generator=generator))
    words = torch.randint(0, 64, (count, 3), generator=generator)
    words[::2, 1:] = IGNORED
    words[1, 0] = int(output.tokens[1, 0].argmax())
    return output, Batch((), MaskedTargets(words, torch.arange(count) % 2))


def test_scores_are_scikit_learns() -> None:
    output, examples = batch()
    scorer = SPEC.scorer()
    scorer.update(output, examples)
    real = examples.targets.tokens != IGNORED
    true, scores = examples.targets.tokens[real], output.tokens[real]
    assert len(true) == 8
    metrics = scorer.compute()
    assert set(metrics) == set(SPEC.metrics)
    assert metrics["masked_accuracy"] == accuracy_score(true, scores.argmax(1)) > 0
    nats = log_loss(true, scores.double().softmax(1), labels=range(64))
    assert math.log(metrics["perplexity"]) == pytest.approx(nats, rel=1e-6)
    assert output.next_sentence is not None
    expected = accuracy_score(examples.targets.next_sentence, output.next_sentence.argmax(1))
    assert metrics["next_sentence_accuracy"] == expected


def test_parts_of_a_split_add_up() -> None:
    output, examples = batch()
    whole, merged = SPEC.scorer(), SPEC.scorer()
    whole.update(output, examples)
    for rows in (slice(0, 1), slice(1, 4)):
        part = SPEC.scorer()
        targets = MaskedTargets(*(each[rows] for each in examples.targets))
        assert output.next_sentence is not None
        part.update(MaskedOutput(output.tokens[rows], output.next_sentence[rows]), Batch((), targets))
        merged.merge(part)
    assert merged.compute() == pytest.approx(whole.compute())


def test_pairs_are_scored_only_where_they_are_asked_about() -> None:
    output, examples = batch()
    scorer = SPEC.scorer()
    scorer.update(output._replace(next_sentence=None), examples)
    assert set(scorer.compute()) == {"perplexity", "masked_accuracy"}
    assert set(SPEC.scorer().compute()) == {"perplexity", "masked_accuracy"}  # of nothing
    with pytest.raises(InputError, match="texts that may follow each other come in pairs"):
        MaskedLanguageModellingSpec(Tokens(64, 9, 1), TOKENIZER)


def test_there_and_back() -> None:
    spec = MaskedLanguageModellingSpec(Tokens(64, 9, 1), TOKENIZER, next_sentence=False)
    assert spec_from_mapping(spec_to_mapping(spec)) == spec


def test_predictions_are_words_at_the_places_that_were_asked() -> None:
    reader = tokenizer_of(TOKENIZER)
    scores = torch.zeros(2, 2, reader.vocab_size)
    scores[0, 1, reader.number_of("the")] = 9.0
    output = MaskedOutput(scores, torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([[1, 4], [3, -1]]))
    first, second = SPEC.predictions(output)
    assert first["words"][1] == "the"
    guesses = first["probabilities"][1]
    assert guesses["the"] == pytest.approx(math.exp(9) / (math.exp(9) + reader.vocab_size - 1))
    assert len(guesses) == 5
    assert len(first["words"]) == len(first["probabilities"]) == 2
    assert len(second["words"]) == len(second["probabilities"]) == 1
    assert first["follows"] == pytest.approx(1 / (1 + math.exp(-2)))
    assert (NEXT, RANDOM) == (0, 1)
    assert "follows" not in SPEC.predictions(output._replace(next_sentence=None))[0]


def test_a_figure_shows_hidden_words_and_those_that_are_wrong_with_the_true_one() -> None:
    reader = train_tokenizer("wordpiece", ["the cat sat on the mat"], 64)
    the, cat = reader.encode(["the"])[0], reader.encode(["cat"])[0]
    assert len(the) == len(cat) == 1
    row = [2, *the, 4, 4, 3, 0]
    scores = torch.zeros(1, 2, 64)
    scores[0, :, cat[0]] = 1.0
    inputs = torch.tensor([row]), torch.tensor([5]), torch.zeros(1, 6), torch.zeros(1, 6), torch.tensor([[2, 3]])
    targets = MaskedTargets(torch.tensor([[cat[0], the[0]]]), torch.tensor([0]))
    spec = MaskedLanguageModellingSpec(Tokens(64, 9, 2), reader.text)
    figure = spec.draw(Batch(inputs, targets), MaskedOutput(scores, None), None)
    letters = "".join(text.get_text() for text in figure.axes[0].texts if len(text.get_text()) == 1)
    assert letters == "[CLS]thecatcat(the)[SEP]"
    assert len(figure.axes[0].patches) == len(" cat") + len(" cat(the)")
