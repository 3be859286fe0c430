import json

import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.text import running_text
from fourfold.data.text.running_text import cut
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import IGNORED

BOOK = "".join(
    f"{'  ' * (i % 3)}Line {i} of the book, 제{i}행, it's {i * i} words.\n{'' if i % 5 else chr(10)}"
    for i in range(400)
)  # lines are set in, and some are empty: what is cut there would have other tokens


def config(path, **fields):
    return DATA.parse({"name": "text", "path": str(path), "length": 16, **fields}, "data")


@pytest.fixture
def book(tmp_path):
    path = tmp_path / "책.txt"
    path.write_text(BOOK, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", ["char", "bpe", "wordpiece"])
def test_a_text_cut_in_pieces_has_the_tokens_of_the_whole(kind, monkeypatch) -> None:
    tokenizer = train_tokenizer(kind, [BOOK], 600)
    (whole,) = tokenizer.encode([BOOK])
    monkeypatch.setattr(running_text, "PIECE", 60)
    pieces = list(cut(BOOK))
    assert len(pieces) > 50
    assert "".join(pieces) == BOOK
    assert [token for piece in pieces for token in tokenizer.encode([piece])[0]] == whole
    assert list(cut("no break at all " * 50)) == ["no break at all " * 50]


@pytest.mark.parametrize("kind", ["char", "bpe"])
def test_the_splits_are_the_text_in_order(kind, book, tmp_path) -> None:
    source = config(book, tokenizer=kind, validation=0.2, test=0.1).build(0, tmp_path)
    tokenizer = tokenizer_of(source.spec.tokenizer)
    end, texts = tokenizer.number_of("[EOS]"), []
    for name in ("train", "validation", "test"):
        batches = list(source.split(name, 64))
        rows = torch.cat([batch.inputs[0] for batch in batches])
        targets = torch.cat([batch.targets for batch in batches])
        assert int(rows[0, 0]) == end
        assert int(targets[targets != IGNORED][-1]) == end
        texts.append(tokenizer.decode([targets[targets != IGNORED].tolist()])[0])
    if kind == "bpe":
        assert "".join(texts) == BOOK
    assert texts[0] == BOOK[: round(len(BOOK) * (1 - 0.2 - 0.1))]
    assert len(texts[1]) == pytest.approx(0.2 * len(BOOK), abs=2)
    counts = torch.tensor(source.spec.token_counts)
    assert int(counts.sum()) == int(counts[end]) + len(tokenizer.encode([texts[0]])[0])
    assert int(counts[end]) == 2


def test_the_tokenizer_is_learnt_from_the_training_text_alone(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("a" * 900 + "힣" * 100, encoding="utf-8")
    source = config(tmp_path / "a.txt").build(0, tmp_path)
    tokenizer = tokenizer_of(source.spec.tokenizer)
    assert tokenizer.vocab_size == 4  # three special ones, and the a
    (batch, *_) = source.split("test", 64)
    assert (batch.targets[0, :10] == tokenizer.number_of("[UNK]")).all()


def test_a_tokenizer_of_a_folder(book, tmp_path) -> None:
    theirs = train_tokenizer("bpe", [BOOK], 300, ("[PAD]", "<|endoftext|>"))
    (tmp_path / "gpt").mkdir()
    (tmp_path / "gpt" / "tokenizer.json").write_text(theirs.text, encoding="utf-8")
    source = config(book, tokenizer_from=str(tmp_path / "gpt")).build(0, tmp_path)
    assert source.spec.tokenizer == theirs.text
    assert set(source.files) == {str(book), str(tmp_path / "gpt" / "tokenizer.json")}
    (batch, *_) = source.split("train", 2)
    assert int(batch.inputs[0][0, 0]) == theirs.number_of("<|endoftext|>")
    endless = train_tokenizer("bpe", [BOOK], 300, ("[PAD]",))
    (tmp_path / "gpt" / "tokenizer.json").write_text(endless.text, encoding="utf-8")
    with pytest.raises(InputError, match=r"data\.tokenizer_from: it has no token that ends a text"):
        config(book, tokenizer_from=str(tmp_path / "gpt")).build(0, tmp_path)
    with pytest.raises(InputError, match=r"no tokenizer\.json"):
        config(book, tokenizer_from=str(tmp_path)).build(0, tmp_path)


def test_each_decision_is_noted(book, tmp_path) -> None:
    source = config(book, tokenizer="bpe", vocab_size=300).build(0, tmp_path)
    notes = "\n".join(source.notes)
    assert f"train 1 text of {round(0.8 * len(BOOK)):,} characters" in notes
    assert "tokenizer: 300 tokens" in notes
    assert f"of its {source.sizes['train']:,} windows" in notes
    assert json.dumps(source.notes, ensure_ascii=False)
