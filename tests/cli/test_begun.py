"""What `--weights` names, and the tokenizer that goes with it."""

import json
from pathlib import Path

import pytest

from fourfold.cli.begun import place_of, with_tokenizer
from fourfold.data.text.tokenizer import train_tokenizer
from fourfold.run.parts import load_recipe


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Return as much of a run's folder as is looked at."""
    folder = tmp_path / "runs" / "reviews-bert-pretrain-1"
    folder.mkdir(parents=True)
    (folder / "run.json").write_text("{}", encoding="utf-8")
    inputs = {"spec": {"tokenizer": train_tokenizer("wordpiece", ["a film"], 20).text}}
    (folder / "inputs.json").write_text(json.dumps(inputs), encoding="utf-8")
    return folder


def test_a_run_s_id_is_its_folder_where_nothing_else_is_called_so(run: Path, tmp_path: Path, monkeypatch) -> None:
    assert place_of(run.name, run.parent) == str(run)
    assert place_of("no-such-run-1", run.parent) == "no-such-run-1"
    assert place_of("torchvision", run.parent) == "torchvision"
    monkeypatch.chdir(tmp_path)
    (tmp_path / run.name).mkdir()
    assert place_of(run.name, run.parent) == run.name


def test_texts_take_the_tokenizer_of_the_folder_unless_they_name_one(run: Path, tmp_path: Path) -> None:
    recipe = load_recipe("reviews-bert")[1]
    taken = with_tokenizer(recipe, run)
    assert taken.data.to_mapping() == {**recipe.data.to_mapping(), "tokenizer_from": str(run)}
    assert taken.model_copy(update={"data": recipe.data}) == recipe
    named = load_recipe("reviews-bert", {"data.tokenizer_from": "elsewhere"})[1]
    assert with_tokenizer(named, run) == named
    for other in ("digits-mlp", "shakespeare-gpt"):  # running text takes only a published model's
        assert with_tokenizer(load_recipe(other)[1], run) == load_recipe(other)[1]
    assert with_tokenizer(recipe, tmp_path) == recipe
    assert with_tokenizer(recipe, run / "run.json") == recipe
    published = tmp_path / "published"
    published.mkdir()
    (published / "tokenizer.json").write_text(train_tokenizer("bpe", ["a film"], 270).text, encoding="utf-8")
    gpt = with_tokenizer(load_recipe("shakespeare-gpt")[1], published)
    assert getattr(gpt.data, "tokenizer_from", None) == str(published)
