"""Our vocabularies in the tokenizers of transformers: the same tokens."""

import json

from transformers import BertTokenizerFast, GPT2TokenizerFast

from fourfold.data.text.tokenizer import train_tokenizer

TEXTS = ["To be, or not to be: that is the question.\n", "나는 학교에 갔다. 😀\r\n", "the mind's the question " * 4]


def test_bytes_in_pairs_are_gpt2s(tmp_path) -> None:
    ours = train_tokenizer("bpe", TEXTS, 320)
    model = json.loads(ours.text)["model"]
    (tmp_path / "vocab.json").write_text(json.dumps(model["vocab"]), encoding="utf-8")
    merges = [" ".join(pair) for pair in model["merges"]]
    (tmp_path / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]), encoding="utf-8")
    theirs = GPT2TokenizerFast(str(tmp_path / "vocab.json"), str(tmp_path / "merges.txt"))
    assert len(merges) > 30
    for text in [*TEXTS, "unseen 한글 漢字 it's  1234\n\n x"]:
        assert theirs.encode(text) == ours.encode([text])[0]
        assert theirs.decode(theirs.encode(text)) == ours.decode(ours.encode([text]))[0] == text


def test_word_pieces_are_berts(tmp_path) -> None:
    ours = train_tokenizer("wordpiece", TEXTS, 120)
    (tmp_path / "vocab.txt").write_text(
        "\n".join(ours.token_of(number) for number in range(ours.vocab_size)), encoding="utf-8"
    )
    theirs = BertTokenizerFast(str(tmp_path / "vocab.txt"), do_lower_case=False, strip_accents=False)
    for text in [*TEXTS, "unseen 한글 the mind 漢字"]:
        assert theirs.encode(text, add_special_tokens=False) == ours.encode([text])[0]
