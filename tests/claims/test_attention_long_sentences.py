"""The invented language, and BLEU of its sentences by length, of translators whose faults are planted."""

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from fourfold.claims import attention_long_sentences as claim
from fourfold.data import DATA
from fourfold.models.seq2seq import Seq2SeqConfig
from fourfold.tasks.seam import Source
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.translation import TranslationSpec


def test_each_word_has_one_translation_of_its_own_in_its_place():
    rows = [line.rstrip("\n").split("\t") for line in claim.pairs(400, 3)]
    assert {len(sentence) for sentence, _ in rows} == set(range(4, 21))
    assert all(len(sentence) == len(translation) for sentence, translation in rows)
    met = {(word, other) for sentence, translation in rows for word, other in zip(sentence, translation, strict=True)}
    assert len(met) == len({word for word, _ in met}) == len({other for _, other in met}) == 20
    assert claim.pairs(400, 3) == claim.pairs(400, 3) != claim.pairs(400, 4)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "pairs.tsv"
    path.write_text("".join(claim.pairs(1000, 0)), encoding="utf-8")
    fields = {"name": "pairs", "path": str(path), "tokenizer": "char", "target_language": "ko"}
    config = DATA.parse({**fields, "shared_vocabulary": False, "max_length": 21, "validation": 0.0}, "data")
    return config.build(0, tmp_path)  # type: ignore[attr-defined]


class Forgetful(nn.Module):
    """It knows the dictionary, and the last `span` words of a sentence; for others it says one and the same."""

    def __init__(self, source: Source, span: int) -> None:
        super().__init__()
        assert isinstance(source.spec, TranslationSpec)
        self.spec, self.span = source.spec, span
        reads, writes = (tokenizer_of(text) for text in (source.spec.source_tokenizer, source.spec.tokenizer))
        self.dictionary: dict[int, int] = {}
        for line in claim.pairs(50, 0):
            sentence, translation = line.split()
            self.dictionary |= dict(zip(reads.encode([sentence])[0], writes.encode([translation])[0], strict=True))

    def forward(self, source: Tensor, lengths: Tensor, target: Tensor) -> Tensor:
        return torch.zeros(*target.shape, self.spec.num_outputs)

    def translate(self, source: Tensor, lengths: Tensor, max_length: int) -> list[list[int]]:
        rows = [row[: length - 1] for row, length in zip(source.tolist(), lengths.tolist(), strict=True)]
        same = next(iter(self.dictionary.values()))
        return [
            [same if len(row) - i > self.span else self.dictionary[word] for i, word in enumerate(row)] for row in rows
        ]


def test_who_forgets_what_is_long_ago_loses_on_long_sentences_alone(source: Source):
    short, long = claim.RANGES["short"], claim.RANGES["long"]
    knows_all, forgets, knows_little = (Forgetful(source, span) for span in (20, 8, 0))
    assert claim.bleu(knows_all, source, short) == claim.bleu(knows_all, source, long) == pytest.approx(100)
    assert claim.bleu(forgets, source, short) == claim.bleu(forgets, source, range(8, 9)) == pytest.approx(100)
    assert claim.bleu(forgets, source, range(9, 10)) < 95
    assert 10 < claim.bleu(forgets, source, long) < 60
    assert claim.bleu(knows_little, source, short) < 10


def test_a_fall_is_of_short_less_that_of_long(monkeypatch):
    monkeypatch.setattr(claim, "scores_by_length", lambda network, seed, size: {"short": 90.0, "long": 70.0})
    found = {arm: claim.score(arm, 0, "quick") for arm in claim.CLAIM.arms}
    assert found["one vector, short"] == 90
    assert found["attention, long"] == 70
    assert found["one vector, fall"] == found["attention, fall"] == 20


def test_the_network_without_attention_is_the_larger(source: Source):
    sizes = {
        name: sum(p.numel() for p in Seq2SeqConfig(embedding=32, **fields).build(source.spec).parameters())
        for name, fields in claim.NETWORKS.items()
    }
    assert sizes["attention"] < sizes["one vector"] < 1.2 * sizes["attention"]
