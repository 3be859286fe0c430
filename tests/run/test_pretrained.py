"""Fine-tuning: a run that begins from another one's weights, with its tokenizer, and a head of its own."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

import fourfold as ff
from fourfold.core.errors import InputError
from fourfold.run.run import Run

STILL = {"algorithm.optimizer.lr": 1e-30}  # too small to move a weight: what a run ends with is what it began from
WORDS = ("good", "bad", "fine", "dull", "bright", "slow", "quick", "odd")
SHARED: dict[str, Any] = {
    "model": {"name": "bert", "layers": 1, "width": 8, "heads": 2, "max_length": 16},
    "loss": "usual",
    "algorithm": {"name": "supervised", "optimizer": {"name": "adam", "lr": 0.01}},
    "budget": {"steps": 3, "batch_size": 8},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """Return a file of documents of two sentences, an empty line between them."""
    lines = [f"a {WORDS[i % 8]} film.\nit is {WORDS[(3 * i + 1) % 8]} and {WORDS[i // 8]}." for i in range(64)]
    path = tmp_path / "texts.txt"
    path.write_text("\n\n".join(lines), encoding="utf-8")
    return path


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "labelled.csv"
    rows = [f"it is a {WORDS[i % 8]} and {WORDS[i // 8]} film,{'yes' if i % 2 else 'no'}" for i in range(64)]
    path.write_text("\n".join(["text,label", *rows]), encoding="utf-8")
    return path


def pretrain(texts: Path, **data: Any) -> Run:
    source = {"name": "masked_text", "path": str(texts), "max_length": 16, "vocab_size": 70, **data}
    return ff.run({**SHARED, "data": source}, workspace=texts.parent)


def fine_tune(labelled: Path, weights: object, changes: dict[str, Any] | None = None, **data: Any) -> Run:
    source = {"name": "labelled_text", "path": str(labelled), "max_length": 16, "vocab_size": 90, **data}
    recipe = {**SHARED, "data": source, "weights": str(weights)}
    return ff.run(recipe, {**STILL, **(changes or {})}, workspace=labelled.parent)


def test_a_run_begins_from_another_ones_folder_with_its_tokenizer_and_a_head_of_its_own(texts, labelled) -> None:
    before = pretrain(texts)
    after = fine_tune(labelled, before.folder.path, tokenizer_from=str(before.folder.path))
    theirs, ours = before.model.state_dict(), after.model.state_dict()
    assert {name.split(".")[0] for name in set(theirs) - set(ours)} == {"words", "pairs"}
    assert {name.split(".")[0] for name in set(ours) - set(theirs)} == {"head"}
    for name in set(ours) & set(theirs):
        assert torch.equal(ours[name], theirs[name]), name
    notes = "\n".join(after.result["notes"])
    assert "weights: head.weight, head.bias drawn anew: the file has none, it is of another task" in notes
    (left,) = [note for note in after.result["notes"] if note.endswith("left out: they are another task's")]
    assert "words.dense.weight" in left
    assert "pairs.weight" in left
    inputs = [json.loads((run.folder.path / "inputs.json").read_text(encoding="utf-8")) for run in (before, after)]
    assert inputs[0]["spec"]["tokenizer"] == inputs[1]["encoding"]["tokenizer"]


def test_a_file_of_weights_alone_does_too(texts, labelled) -> None:
    before = pretrain(texts, next_sentence=False)  # so it has no pooler
    (file,) = before.folder.path.glob("checkpoints/last/model.safetensors")
    after = fine_tune(labelled, file, tokenizer_from=str(before.folder.path))
    assert torch.equal(
        after.model.state_dict()["layers.0.widen.weight"], before.model.state_dict()["layers.0.widen.weight"]
    )
    assert any("pooler.weight, pooler.bias" in note and "drawn anew" in note for note in after.result["notes"])


def test_pretraining_goes_on_where_it_ended(texts) -> None:
    before = pretrain(texts)
    source = {"name": "masked_text", "path": str(texts), "max_length": 16, "tokenizer_from": str(before.folder.path)}
    recipe = {**SHARED, "data": source, "weights": str(before.folder.path)}
    after = ff.run(recipe, STILL, workspace=texts.parent)
    theirs = before.model.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in after.model.state_dict().items())
    assert len([note for note in after.result["notes"] if note.startswith("weights: ")]) == 1


def test_the_tokenizer_goes_with_the_weights_of_a_folder(texts, labelled) -> None:
    before = pretrain(texts)
    after = fine_tune(labelled, before.folder.path)  # which asks for more tokens of the same kind
    assert after.folder.recipe()["data"]["tokenizer_from"] == str(before.folder.path)


def test_tokens_of_another_kind_or_of_another_folder_are_refused(texts, labelled) -> None:
    before, other = pretrain(texts), pretrain(texts, vocab_size=60)
    for data in ({"tokenizer": "bpe", "vocab_size": 300}, {"tokenizer_from": str(other.folder.path)}):
        with pytest.raises(InputError) as error:
            fine_tune(labelled, before.folder.path, **data)
        assert str(error.value) == (
            f"weights: {before.folder.path}: its tokens are others than those of this data; "
            f"give data.tokenizer_from={before.folder.path}"
        )


def test_running_text_takes_the_tokenizer_of_a_run_too(texts) -> None:
    model = {"name": "gpt", "layers": 1, "width": 8, "heads": 2}
    source = {"name": "text", "path": str(texts), "length": 8, "tokenizer": "bpe", "vocab_size": 270}
    before = ff.run({**SHARED, "data": source, "model": model}, workspace=texts.parent)
    other = texts.parent / "other.txt"
    other.write_text("나는 책을 읽는다.\n" * 40, encoding="utf-8")
    recipe = {**SHARED, "data": {**source, "path": str(other)}, "model": model, "weights": str(before.folder.path)}
    after = ff.run(recipe, STILL, workspace=texts.parent)
    assert after.spec.tokenizer == before.spec.tokenizer
    theirs = before.model.state_dict()
    assert all(torch.equal(value, theirs[name]) for name, value in after.model.state_dict().items())


def test_a_folder_without_a_checkpoint_says_so(labelled, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"empty: no model.safetensors in this folder"):
        fine_tune(labelled, tmp_path / "empty")


def test_a_network_of_another_width_is_refused_by_the_names_of_the_fields(texts, labelled) -> None:
    before = pretrain(texts)
    with pytest.raises(InputError, match=r"does not fit this bert: model\.width: 8 there, 16 here; model\.hidden: 32 "):
        fine_tune(labelled, before.folder.path, {"model.width": 16}, tokenizer_from=str(before.folder.path))
