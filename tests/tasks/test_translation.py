import math

import pytest
import sacrebleu
import torch
from torch import nn
from verification import verified

from fourfold.core.errors import InputError
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.losses.usual import UsualConfig
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.seam import Batch
from fourfold.tasks.tokens import IGNORED
from fourfold.tasks.translation import MOST, TranslationSpec, greedy, texts_of, translate

TEXTS = ["나는 서울에 있다.", "고양이가 문 앞에 앉아 있다.", "오늘은 날씨가 좋다."]
TOKENIZER = train_tokenizer("bpe", TEXTS, 300)
SPEC = TranslationSpec(Tokens(50, 20, 1), Tokens(TOKENIZER.vocab_size, 40, 1), TOKENIZER.text, ("en", "ko"), "char")


def batch_of(texts: list[str]) -> Batch:
    """Targets of texts; each text's number is its source."""
    rows = [[*row, SPEC.end] for row in TOKENIZER.encode(texts)]
    longest = max(map(len, rows))
    targets = torch.tensor([row + [IGNORED] * (longest - len(row)) for row in rows])
    inputs = torch.tensor([[SPEC.begin, *row[:-1]] + [0] * (longest - len(row)) for row in rows])
    return Batch((torch.arange(len(texts)).unsqueeze(1), torch.ones(len(texts)).long(), inputs), targets)


class Knows(nn.Module):
    """Translates source number n by the n-th of some texts."""

    def __init__(self, texts: list[str]) -> None:
        super().__init__()
        self.rows = TOKENIZER.encode(texts)

    def translate(self, source, lengths, max_length):
        assert max_length == 40
        assert lengths.shape == source.shape[:1]
        return [self.rows[int(number)] for number in source[:, 0]]


class Counts(nn.Module):
    """Says the source's number, then one less, and so on, and ends at 0; the number of calls is kept."""

    calls = 0

    def encode(self, source, lengths):
        return source[:, 0]

    def decode(self, said, memory):
        self.calls += 1
        step = torch.arange(said.shape[1])
        return nn.functional.one_hot((memory.unsqueeze(1) - step).clamp(min=0), 10).float()


def test_bleu_and_chrf_are_sacrebleus_of_what_the_model_translates_itself() -> None:
    said = ["나는 서울에 있었다.", "고양이가 앞에 앉아 있다.", "오늘은 날씨가 좋다."]
    scorer, other = SPEC.scorer(), SPEC.scorer()
    model = Knows(said)
    whole = batch_of(TEXTS)
    for which, part in ((scorer, [0, 1]), (other, [2])):
        batch = Batch(tuple(each[part] for each in whole.inputs), whole.targets[part])
        which.ask(model, batch)
        which.update(torch.zeros(len(part), whole.targets.shape[1], SPEC.num_outputs), batch)
    scorer.merge(other)
    metrics = scorer.compute()
    theirs = {
        "bleu": sacrebleu.corpus_bleu(said, [TEXTS], tokenize="char").score,
        "chrf": sacrebleu.corpus_chrf(said, [TEXTS]).score,
    }
    ours = {name: metrics[name] for name in theirs}
    assert ours == pytest.approx(theirs)
    verified("score", "translation", "sacrebleu's BLEU and chrF", "values", ours, theirs)
    assert 20 < metrics["bleu"] < 95
    assert metrics["perplexity"] == pytest.approx(SPEC.num_outputs)
    assert set(metrics) == set(SPEC.metrics)
    bleu = sacrebleu.BLEU(tokenize="char")
    bleu.corpus_score(said, [TEXTS])
    assert SPEC.signature == str(bleu.get_signature())


def test_words_are_characters_only_where_it_says_so() -> None:
    said, texts = ["나는 서울로 있다 ."], ["나는 서울에 있다."]
    rows = {}
    for words in ("char", "13a"):
        scorer = TranslationSpec(*(SPEC.input, SPEC.target, SPEC.tokenizer, ("en", "ko"), words)).scorer()
        scorer.ask(Knows(said), batch_of(texts))
        rows[words] = scorer.compute()["bleu"]
        assert rows[words] == pytest.approx(sacrebleu.corpus_bleu(said, [texts], tokenize=words).score)
    assert rows["char"] > rows["13a"]


def test_the_model_s_teacher_forced_scores_say_nothing_of_bleu() -> None:
    scorer = SPEC.scorer()
    batch = batch_of(TEXTS)
    scores = nn.functional.one_hot(batch.targets.clamp(min=0), SPEC.num_outputs).float() * 100
    scorer.update(scores, batch)
    assert scorer.compute() == {"accuracy": 1.0, "perplexity": pytest.approx(1.0)}
    scorer.ask(Knows(["아니다."] * 3), batch)
    assert scorer.compute()["bleu"] < 5


def test_only_the_first_sentences_of_a_long_split_are_translated(monkeypatch) -> None:
    monkeypatch.setattr("fourfold.tasks.translation.MOST", 4)
    assert MOST == 2048
    scorer = SPEC.scorer()
    for _ in range(3):
        scorer.ask(Knows(TEXTS), batch_of(TEXTS))
    assert scorer.references == [*TEXTS, TEXTS[0]]
    assert scorer.compute()["bleu"] == pytest.approx(100)


def test_greedy_search_takes_the_likeliest_until_every_text_has_ended() -> None:
    model = Counts()
    assert greedy(model, torch.tensor([[3], [1], [0]]), torch.ones(3), 9, 0, 20) == [[3, 2, 1], [1], []]
    assert model.calls == 4
    assert greedy(model, torch.tensor([[5]]), torch.ones(1), 9, 0, 2) == [[5, 4]]


def test_a_model_that_cannot_translate_is_told() -> None:
    with pytest.raises(InputError, match="Linear cannot translate"):
        translate(nn.Linear(2, 2), torch.zeros(1, 1).long(), torch.ones(1).long(), SPEC)


def test_tokens_become_texts_up_to_their_end() -> None:
    row = TOKENIZER.encode([TEXTS[1]])[0]
    rows = [[*row, SPEC.end, *row], row, [*row, SPEC.end, IGNORED, IGNORED], [SPEC.end]]
    assert texts_of(rows, TOKENIZER, SPEC.end) == [TEXTS[1]] * 3 + [""]


def test_an_example_goes_through_a_model_of_three_inputs_and_the_usual_loss_counts_tokens() -> None:
    source, lengths, target = SPEC.example()
    assert (source.shape, lengths.tolist(), target.shape) == ((1, 20), [20], (1, 40))
    batch = batch_of(TEXTS)
    value = UsualConfig().build(SPEC)(torch.zeros(3, batch.targets.shape[1], SPEC.num_outputs), batch)
    assert int(value.count) == int((batch.targets != IGNORED).sum())
    assert float(value.mean) == pytest.approx(math.log(SPEC.num_outputs))


def test_drawn_texts_are_source_translation_and_model() -> None:
    batch = batch_of(TEXTS[:2])
    scores = nn.functional.one_hot(batch.targets.clamp(min=0), SPEC.num_outputs).float()
    figure = SPEC.draw(batch, scores, [("I am in Seoul.", TEXTS[0]), ("A cat sits.", TEXTS[1])])
    drawn = [text.get_text() for text in figure.axes[0].texts]
    assert drawn[:7] == [
        "The model's next token after each true one",
        *("en", "I am in Seoul.", "ko", TEXTS[0], "model", TEXTS[0]),
    ]
    figure.canvas.draw()


def test_beams_are_kept_where_they_are_asked_for(monkeypatch) -> None:
    asked = []
    monkeypatch.setattr("fourfold.tasks.translation.beam_search", lambda *each: asked.append(each[-1]) or [[1]])
    source, lengths = torch.tensor([[3]]), torch.ones(1)
    assert translate(Counts(), source, lengths, SPEC, beams=4) == [[1]]
    assert translate(Counts(), source, lengths, SPEC) != [[1]]
    assert asked == [4]
    with pytest.raises(InputError, match=r"^beams: Knows translates in its own way, which has none; use 1$"):
        translate(Knows(TEXTS), source, lengths, SPEC, beams=2)
