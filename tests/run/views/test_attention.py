from pathlib import Path

import pytest
import torch
from whole_texts import sentence

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.nn.attention import weights_of
from fourfold.report.attention import draw_looks
from fourfold.run.views.attention import END, Looks, joined, looks, words
from fourfold.tasks.tokenizer import EOS, tokenizer_of

MODELS = {
    "transformer": "name: transformer, layers: 2, width: 16, heads: 2, hidden: 16",
    "bahdanau": "name: seq2seq, width: 16, embedding: 8",
    "none": "name: seq2seq, width: 16, embedding: 8, attention: none",
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    place = tmp_path_factory.mktemp("looks")
    pairs = "".join(f"{sentence(i)}\t문서 {sentence(i)}\n" for i in range(40))
    (place / "pairs.tsv").write_text(pairs, encoding="utf-8")

    def run(name: str) -> ff.Run:
        file = place / f"{name}.yaml"
        file.write_text(
            f"title: {name}\ndata: {{name: pairs, path: {place / 'pairs.tsv'}, vocab_size: 400}}\n"
            f"model: {{{MODELS[name]}}}\nloss: usual\nalgorithm: supervised\nbudget: {{steps: 2, batch_size: 8}}\n",
            encoding="utf-8",
        )
        return ff.run(file, workspace=place)

    return {name: run(name) for name in MODELS}


def test_tokens_become_words_and_bytes_syllables() -> None:
    tokenizer = tokenizer_of(train_tokenizer("bpe", ["open the document"], 270, [EOS]).text)
    (row,) = tokenizer.encode(["문서 open"])
    assert len(row) > 7  # no byte of a syllable was ever joined to another
    assert words(tokenizer, [*row, tokenizer.number_of(EOS)]) == [
        ("문서", 6),
        ("open", len(row) - 6),
        (END, 1),
    ]


def test_attention_of_words_by_hand() -> None:
    weights = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.3, 0.6], [0.0, 0.0, 1.0]])
    found = joined(weights, [("reads", 2), (END, 1)], [("wrote", 2), (END, 1)])
    torch.testing.assert_close(found, torch.tensor([[(0.8 + 0.4) / 2, (0.2 + 0.6) / 2], [0.0, 1.0]]))


@pytest.mark.parametrize("name", ["transformer", "bahdanau"])
def test_a_translator_says_where_it_looked(runs, name: str) -> None:
    text = sentence(3)
    found = looks(runs[name], text)
    assert found.source == [*text.split(), END]
    assert found.target[-1] == END
    assert found.weights.shape == (len(found.target), len(found.source))
    torch.testing.assert_close(found.weights.sum(1), torch.ones(len(found.target)))


def test_the_transformer_s_are_the_last_layer_s(runs) -> None:
    model = runs["transformer"].model
    source, target, lengths = torch.tensor([[5, 6, 7, 8]]), torch.tensor([[1, 9, 4]]), torch.tensor([4])
    with torch.no_grad(), weights_of(model) as heard:
        model(source, lengths, target)
    expected = heard["decoder.1.source_attention"].mean(1)
    with torch.no_grad():
        torch.testing.assert_close(model.attention_weights(source, lengths, target), expected)
    assert (heard["decoder.0.source_attention"].mean(1) - expected).abs().max() > 1e-6


def test_a_model_that_does_not_look_back_is_refused(runs) -> None:
    with pytest.raises(InputError, match="does not look back at the text"):
        looks(runs["none"], "a text")


def test_every_word_has_its_row_or_column(tmp_path: Path) -> None:
    figure = draw_looks(Looks(["the", "document", END], ["문서를", END], torch.tensor([[0.1, 0.8, 0.1], [0, 0, 1.0]])))
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["the", "document", END]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["문서를", END]
    assert axes.images[0].get_array().argmax() == 5
