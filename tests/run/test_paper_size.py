"""The recipes of paper size: shown without their data, the paper's numbers in them, and at work on a few pictures."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from cifar_files import write_cifar
from pictures import folder

import fourfold as ff
from fourfold.cli import main
from fourfold.data.cifar10 import Cifar10Config
from fourfold.data.masked_text import MaskedTextConfig
from fourfold.data.text.running_text import RunningTextConfig
from fourfold.run.parts import load_recipe, recipe_names
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec
from fourfold.tasks.seam import Image, Plan, Spec, Tokens
from fourfold.tasks.translation import TranslationSpec

CIFAR, IMAGENET = (sorted(name for name in recipe_names() if name.endswith(end)) for end in ("-cifar10", "-imagenet"))
PARAMS = {
    "resnet20-cifar10": 269_722,
    "resnet56-cifar10": 853_018,
    "resnet110-cifar10": 1_727_962,
    "plain56-cifar10": 853_018,
    "densenet40-cifar10": 1_019_722,
    "densenet-bc100-cifar10": 769_162,
    "nin-cifar10": 966_986,
    "alexnet-imagenet": 60_965_224,
    "vgg16-imagenet": 138_357_544,
    "googlenet-imagenet": 13_378_280,
    "resnet50-imagenet": 25_557_032,
    "densenet121-imagenet": 7_978_856,
}
# the learning rate after a share of the run, as the papers have it
RATES = {
    "resnet20-cifar10": {0.0: 0.1, 0.49: 0.1, 0.51: 0.01, 0.74: 0.01, 0.76: 0.001},
    "resnet110-cifar10": {0.0: 0.01, 0.007: 0.1, 0.49: 0.1, 0.51: 0.01, 0.76: 0.001},
    "densenet40-cifar10": {0.0: 0.1, 0.49: 0.1, 0.51: 0.01, 0.76: 0.001},
    "resnet50-imagenet": {0.0: 0.1, 0.26: 0.01, 0.51: 0.001, 0.76: 0.0001},
    "googlenet-imagenet": {0.0: 0.01, 0.09: 0.0096, 0.97: 0.01 * 0.96**12},
    "alexnet-imagenet": {0.0: 0.01, 0.95: 1e-5},
    "vgg16-imagenet": {0.0: 0.01, 0.95: 1e-5},
}


TEXTS = sorted(name for name in recipe_names() if name.endswith(("-wikitext", "-wmt14", "gpt2")))
PARAMS_OF_TEXTS = {
    "gpt2": 124_439_808,
}
RATES_OF_TEXTS = {
    "gpt2": {0.0: 6e-6, 0.02: 6e-4, 1.0: 6e-5},
}


def test_every_one_is_tested_here() -> None:
    assert set(PARAMS) == {*CIFAR, *IMAGENET}
    assert set(PARAMS_OF_TEXTS) == set(RATES_OF_TEXTS) == set(TEXTS)


def spec_of_texts(data: Any) -> Spec:
    """Return what the data of a recipe would promise, if they were here and had all the tokens that it asks for."""
    if isinstance(data, RunningTextConfig):
        return LanguageModellingSpec(Tokens(data.vocab_size or 0, data.length, 1), tokenizer="")
    tokens = Tokens(data.vocab_size, data.max_length, 1 + getattr(data, "next_sentence", False))
    if isinstance(data, MaskedTextConfig):
        return MaskedLanguageModellingSpec(tokens, tokenizer="", next_sentence=data.next_sentence)
    languages = ("en", data.target_language)
    return TranslationSpec(tokens, tokens, "b", languages, source_tokenizer="" if data.shared_vocabulary else "a")


@pytest.mark.parametrize("name", PARAMS_OF_TEXTS)
def test_the_parts_of_one_of_texts_fit_each_other(name: str) -> None:
    recipe: Any = load_recipe(name)[1]
    spec = spec_of_texts(recipe.data)
    with torch.device("meta"):
        model = recipe.model.build(spec)
    assert sum(p.numel() for p in model.parameters()) == PARAMS_OF_TEXTS[name]
    steps = recipe.budget.steps or int(recipe.budget.epochs * 1000)
    for part in recipe.algorithm.regularizers:
        part.build(model, spec, Plan(seed=0, steps=steps, batch_size=recipe.budget.batch_size))
    recipe.loss.build(spec)
    schedule = recipe.algorithm.schedule.build(steps)
    for share, rate in RATES_OF_TEXTS[name].items():
        assert recipe.algorithm.optimizer.lr * schedule(round(share * steps)) == pytest.approx(rate, rel=1e-3), share
    assert recipe.paper is not None
    assert recipe.paper.section
    assert recipe.expected is None or (recipe.expected.metric in spec.metrics and recipe.expected.paper)


@pytest.mark.parametrize("name", PARAMS)
def test_its_parts_fit_each_other(name: str) -> None:
    recipe: Any = load_recipe(name)[1]
    side, classes = (32, 10) if name in CIFAR else (recipe.data.size, 1000)
    spec = ClassificationSpec(Image(3, side, side), tuple(map(str, range(classes))))
    with torch.device("meta"):
        model = recipe.model.build(spec)
    assert sum(p.numel() for p in model.parameters()) == PARAMS[name]
    steps = recipe.budget.steps or int(recipe.budget.epochs * 350)
    plan = Plan(seed=0, steps=steps, batch_size=recipe.budget.batch_size)
    for part in recipe.data.augment:
        part.build(spec.input)
    for part in recipe.algorithm.regularizers:
        part.build(model, spec, plan)
    recipe.loss.build(spec)
    schedule = recipe.algorithm.schedule.build(steps)
    for share, rate in RATES.get(name, {}).items():
        assert recipe.algorithm.optimizer.lr * schedule(round(share * steps)) == pytest.approx(rate), share
    assert recipe.paper is not None
    assert recipe.paper.section
    assert recipe.expected is None or (recipe.expected.metric in spec.metrics and recipe.expected.paper)


@pytest.mark.parametrize("name", ["resnet20-cifar10", "resnet50-imagenet"])
def test_it_is_shown_without_its_data(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "empty"))
    assert main(["show", name]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"{PARAMS[name]:,} parameters" in shown
    assert ("with data.path=…" if name in IMAGENET else "have not been downloaded yet") in shown
    assert main(["show", name, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["recipe"]["model"]["depth"] in (20, 50)
    assert not (tmp_path / "empty").exists()


FEW: dict[str, Any] = {
    "budget.steps": 2,
    "budget.epochs": None,
    "budget.batch_size": 6,
    "runtime.device": "cpu",
    "runtime.precision": "fp32",
    "runtime.threads": 1,
}


def test_one_runs_on_cifars_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = write_cifar(tmp_path / "copy", list(Cifar10Config.digests), 1)
    monkeypatch.setattr(Cifar10Config, "digests", digests)
    changes = {
        **FEW,
        "data.path": str(tmp_path / "copy"),
        "data.validation_examples": 20,
        "algorithm.schedule.steps": 1,
    }
    run = ff.run("resnet110-cifar10", {**changes, "model.depth": 8}, workspace=tmp_path)
    assert run.status == "done"
    assert "error" in run.metrics["test"]


@pytest.mark.slow
def test_one_runs_on_imagenets_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))
    counts = {f"{split}/n0{i}": count for split, count in (("train", 8), ("val", 3)) for i in (1, 2)}
    photographs = folder(tmp_path / "net", counts, height=80, width=90)
    changes = {**FEW, "data.path": str(photographs), "data.size": 72, "data.validation": 0.25, "model.full_width": 8}
    run = ff.run("alexnet-imagenet", changes, workspace=tmp_path)
    assert run.status == "done"
    assert "error" in run.metrics["test"]
