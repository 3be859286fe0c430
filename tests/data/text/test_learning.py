import json

import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data.text import kept
from fourfold.data.text.kept import kept_tensors, kept_text
from fourfold.data.text.learning import FRAME, TextFields, tokenizer_of_folder
from fourfold.data.text.tokenizer import train_tokenizer

TEXTS = ["the film was good", "영화가 나쁘다"]


class Fields(TextFields):
    name: str = "fields"


def test_a_tokenizer_is_learnt_from_the_texts_and_noted(tmp_path) -> None:
    notes: list[str] = []
    learnt = Fields(vocab_size=100).learn(TEXTS, FRAME, tmp_path / "cache", notes)
    assert learnt.text == train_tokenizer("wordpiece", TEXTS, 100, FRAME).text
    assert notes == [
        f"tokens: wordpiece, learnt from the training texts, {learnt.vocab_size} tokens (5 special), word pieces"
    ]
    assert not (tmp_path / "cache").exists()  # so little is learnt again


def test_a_tokenizer_is_that_of_a_published_model_or_of_a_run(tmp_path) -> None:
    given = train_tokenizer("bpe", TEXTS, 270)
    model, run, other = tmp_path / "model", tmp_path / "run", tmp_path / "other"
    for folder in (model, run, other):
        folder.mkdir()
    (model / "tokenizer.json").write_text(given.text, encoding="utf-8")
    (run / "inputs.json").write_text(json.dumps({"spec": {"tokenizer": given.text}, "encoding": None}))
    (other / "inputs.json").write_text(json.dumps({"spec": {}, "encoding": {"name": "image"}}))
    for folder in (model, run):
        notes: list[str] = []
        assert Fields(tokenizer_from=str(folder)).learn([], FRAME, tmp_path, notes).text == given.text
        assert str(folder) in notes[0]
    with pytest.raises(InputError, match="that run's data are no texts"):
        tokenizer_of_folder(other)
    with pytest.raises(InputError, match="no such folder"):
        tokenizer_of_folder(tmp_path / "none")


def test_what_is_computed_from_many_texts_is_kept(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(kept, "LARGE", 10)
    calls: list[str] = []

    def text() -> str:
        calls.append("text")
        return "한글"

    def tensors() -> dict[str, torch.Tensor]:
        calls.append("tensors")
        return {"a": torch.arange(3), "none": torch.zeros(0)}

    for _ in range(2):
        assert kept_text(tmp_path, ("x", 1), TEXTS, text) == "한글"
        found = kept_tensors(tmp_path, ("x", 1), TEXTS, tensors)
        assert found["a"].tolist() == [0, 1, 2]
        assert found["none"].shape == (0,)
    assert calls == ["text", "tensors"]
    kept_text(tmp_path, ("x", 2), TEXTS, text)
    kept_text(tmp_path, ("x", 1), TEXTS[::-1], text)
    kept_text(tmp_path, ("x", 1), ["the film was goo", "d영화가 나쁘다"], text)
    assert calls == ["text", "tensors", *["text"] * 3]
    for path in (tmp_path / "computed").glob("*.safetensors"):
        path.write_bytes(b"damaged")
    assert kept_tensors(tmp_path, ("x", 1), TEXTS, tensors)["a"].tolist() == [0, 1, 2]
    assert calls[-1] == "tensors"


def test_a_cache_that_cannot_be_written_costs_time_and_nothing_else(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(kept, "LARGE", 10)
    (tmp_path / "file").write_text("no folder")
    for _ in range(2):
        assert kept_text(tmp_path / "file", (), TEXTS, lambda: "x") == "x"


def test_fewer_training_examples_are_a_part_of_more(tmp_path) -> None:
    splits = {"train": torch.arange(100), "validation": torch.arange(100, 110), "test": torch.arange(110, 120)}
    parts = []
    for count in (5, 50):
        notes: list[str] = []
        fewer = Fields(train_examples=count).fewer(splits, 0, notes)
        assert notes == [f"training examples: at most {count}, as data.train_examples says"]
        assert (len(fewer["train"]), len(fewer["validation"]), len(fewer["test"])) == (count, 10, 10)
        parts.append(set(fewer["train"].tolist()))
    assert parts[0] < parts[1]
    assert Fields().fewer(splits, 0, []) is splits
