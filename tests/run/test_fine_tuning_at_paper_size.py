"""BERT fine-tuned at its paper's size: parameters, rates, texts of each source's form, and a published folder."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, BertConfig, BertForPreTraining, BertTokenizer
from whole_texts import write_hosted, write_whole_texts

import fourfold as ff
from fourfold.cli import main
from fourfold.data.conll2003 import TAGS
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.run.parts import load_recipe
from fourfold.tasks.seam import Plan, Spec, Tokens
from fourfold.tasks.sentence_pairs import SentencePairsSpec
from fourfold.tasks.tagging import TaggingSpec
from fourfold.tasks.text_classification import TextClassificationSpec

SPECS: dict[str, Spec] = {
    "bert-base-sst2": TextClassificationSpec(Tokens(30_522, 128, 1), ("negative", "positive")),
    "bert-base-stsb": SentencePairsSpec(Tokens(30_522, 128, 2), ("score",), (2.7,), (1.5,)),
    "bert-base-conll2003": TaggingSpec(Tokens(28_996, 256, 1), TAGS),
}
PARAMS = {
    "bert-base-sst2": 109_482_240 + 2 * 769,
    "bert-base-stsb": 109_482_240 + 769,
    "bert-base-conll2003": 109_482_240 - (30_522 - 28_996) * 768 - 768 * 769 + 9 * 769,  # fewer words, and no pooler
}
NARROW: dict[str, Any] = {"model.layers": 1, "model.width": 8, "model.heads": 2, "data.max_length": 32}
FEW: dict[str, Any] = {
    "budget.steps": 2,
    "budget.epochs": None,
    "budget.batch_size": 6,
    "runtime.device": "cpu",
    "runtime.threads": 1,
}


@pytest.mark.parametrize("name", SPECS)
def test_parts_and_numbers_are_the_papers(name: str) -> None:
    recipe: Any = load_recipe(name)[1]
    spec = SPECS[name]
    tokens: Any = spec.input
    assert (recipe.data.vocab_size, recipe.data.max_length) == (tokens.vocab_size, tokens.length)
    assert recipe.data.lowercase == (name != "bert-base-conll2003")
    with torch.device("meta"):
        model = recipe.model.build(spec)
    assert sum(p.numel() for p in model.parameters()) == PARAMS[name]
    plan = Plan(seed=0, steps=1000, batch_size=recipe.budget.batch_size)
    for part in recipe.algorithm.regularizers:
        part.build(model, spec, plan)
    recipe.loss.build(spec)
    rate = recipe.algorithm.optimizer.lr
    assert rate in (2e-5, 3e-5, 4e-5, 5e-5)
    assert recipe.budget.epochs in (2, 3, 4)
    assert recipe.budget.batch_size == 32
    schedule = recipe.algorithm.schedule.build(1000)
    found = [rate * schedule(step) for step in (0, 49, 99, 549, 999)]
    assert found == pytest.approx([0, rate / 2, rate, rate / 2, 0], rel=0.02, abs=rate / 500)
    assert recipe.expected is None or (recipe.expected.metric in spec.metrics and recipe.expected.paper)


def cased_folder(folder: Path, texts: list[str]) -> Path:
    """Write a small BERT and its tokenizer as transformers publishes them; capitals are letters of their own."""
    folder.mkdir()
    vocab = json.loads(train_tokenizer("wordpiece", texts, 300, lowercase=False).text)["model"]["vocab"]
    (folder / "vocab.txt").write_text("\n".join(sorted(vocab, key=lambda token: vocab[token])), encoding="utf-8")
    BertTokenizer.from_pretrained(folder, do_lower_case=False).save_pretrained(folder)
    sizes = {"num_hidden_layers": 1, "hidden_size": 8, "num_attention_heads": 2, "intermediate_size": 32}
    BertForPreTraining(BertConfig(**sizes, vocab_size=len(vocab), max_position_embeddings=512)).save_pretrained(folder)
    return folder


@pytest.mark.parametrize("name", SPECS)
def test_one_runs_on_its_sources_form_from_a_published_folder(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    source = name.removeprefix("bert-base-")
    if source == "stsb":
        write_whole_texts(tmp_path / "cache", monkeypatch)
        monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))
        data: dict[str, Any] = {}
    else:
        data = {"data.path": str(write_hosted(tmp_path, source))}
    if source == "sst2":
        data["data.validation_examples"] = 8
    changes = {**FEW, **NARROW, **data}
    first = ff.run(name, {**changes, "data.vocab_size": 300}, workspace=tmp_path / "first")
    assert first.status == "done"
    assert first.parts.source.spec.headline in first.metrics["test"]

    raw = [first.parts.source.raw("train", [i])[0] for i in range(20)]
    texts = [" ".join(row) if isinstance(row, list | tuple) else row for row in raw]
    folder = cased_folder(tmp_path / "published", texts)
    given = [f"{key}={'null' if value is None else value}" for key, value in changes.items()]
    place = ["--workspace", str(tmp_path / "runs"), "--json", "--quiet"]
    assert main(["run", name, *given, "--weights", str(folder), *place]) == 0
    run = ff.open_run(json.loads(capsys.readouterr().out.splitlines()[-1])["folder"])
    assert any("drawn anew" in note for note in run.result["notes"])
    reads: Any = AutoTokenizer.from_pretrained(folder)
    (tokens, lengths, *_), _ = next(iter(run.parts.source.split("test", 5)))
    for row, length, text in zip(
        tokens.tolist(), lengths.tolist(), run.parts.source.raw("test", list(range(len(tokens)))), strict=True
    ):
        if source == "conll2003":
            expected = reads(list(text), is_split_into_words=True).input_ids
        else:
            expected = reads(*([text] if isinstance(text, str) else text)).input_ids
        assert row[:length] == expected
