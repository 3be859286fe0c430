"""The recipes of paper size: shown without their data, the paper's numbers in them, and at work on a few pictures."""

import json
from pathlib import Path
from typing import Any

import pyarrow
import pytest
import torch
from cifar_files import write_cifar
from pictures import folder
from pyarrow import parquet
from whole_texts import write_hosted

import fourfold as ff
from fourfold.cli import main
from fourfold.data.cifar10 import Cifar10Config
from fourfold.data.masked_text import MaskedTextConfig
from fourfold.data.text.running_text import RunningTextConfig
from fourfold.data.two_views import TwoViewsConfig
from fourfold.run.parts import load_recipe, recipe_names
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.contrastive import ContrastiveSpec
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec
from fourfold.tasks.seam import Image, Plan, Spec, Tokens
from fourfold.tasks.synthesis import ImageSynthesisSpec
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
    # the network without its output layer, a hidden layer as wide as its features, and 128 numbers
    "simclr-resnet50-imagenet": 25_557_032 - 2049 * 1000 + 2048 * 2049 + 128 * 2049,
    "simclr-resnet18-cifar10": 11_689_512 - 513 * 1000 - 64 * 3 * (49 - 9) + 512 * 513 + 128 * 513,
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
    "simclr-resnet50-imagenet": {0.0: 0.0, 0.005: 2.4, 0.01: 4.8, 0.505: 2.4},
    "simclr-resnet18-cifar10": {0.0: 0.0, 0.005: 0.5, 0.01: 1.0, 0.505: 0.5},
}


TEXTS = sorted(name for name in recipe_names() if name.endswith(("-wikitext", "-wmt14", "gpt2")))


def transformer_params(width: int, hidden: int, vocab: int) -> int:
    """Six of encoder and decoder layer: 3 attentions of 4 matrices, 2 feed-forwards, 5 normalisations; one table."""
    return 6 * (3 * 4 * width**2 + 2 * (2 * width * hidden + hidden + width) + 5 * 2 * width) + vocab * width


PARAMS_OF_TEXTS = {
    "gpt2": 124_439_808,  # as published
    "bert-base-wikitext": 110_106_428,  # as published
    "transformer-base-wmt14": transformer_params(512, 2048, 37_000),
    "transformer-big-wmt14": transformer_params(1024, 4096, 37_000),
    "lstm-wikitext": 2 * 10_000 * 650 + 10_000 + 2 * 4 * 650 * (650 + 650 + 2),
    "rnn-wikitext": 2 * 10_000 * 400 + 10_000 + 400 * (400 + 400 + 2),
    "gru-wikitext": 15_000 * 100 + 3 * 1000 * (100 + 1000 + 2) + 15_000 * 1001,
    "markov-wikitext": 0,  # which are counted
    "bahdanau-wmt14": sum(
        [
            2 * 30_000 * 620,  # words of both languages
            2 * 3 * 1000 * (620 + 1000 + 2),  # the reader, both ways
            1001 * 1000,  # where the writer begins, W_s
            1001 * 1000 + 2000 * 1000 + 1000,  # where it looks: W_a, U_a and v_a
            3 * 1000 * (620 + 2000 + 1000 + 2),  # the writer
            (1000 + 620 + 2000 + 1) * 1000,  # two of each maxout unit
            501 * 30_000,
        ]
    ),
    "sutskever-wmt14": 3 * 80_000 * 1000 + 80_000 + 2 * 4 * 4 * 1000 * (1000 + 1000 + 2),  # 384 million with its words
}
RATES_OF_TEXTS = {
    "gpt2": {0.0: 6e-6, 0.02: 6e-4, 1.0: 6e-5},
    "bert-base-wikitext": {0.0: 1e-8, 0.01: 1e-4, 0.505: 0.5e-4},
    "transformer-base-wmt14": {
        0.02: 512**-0.5 * 2000 * 4000**-1.5,
        0.04: (512 * 4000) ** -0.5,
        0.16: (512 * 16_000) ** -0.5,
    },
    "transformer-big-wmt14": {4000 / 300_000: (1024 * 4000) ** -0.5, 1.0: (1024 * 300_000) ** -0.5},
    "lstm-wikitext": {0.0: 35.0, 0.15: 35.0, 0.16: 35 / 1.2, 0.19: 35 / 1.44, 0.999: 35 / 1.2**33},
    "rnn-wikitext": {0.0: 3.5, 0.466: 3.5, 0.467: 1.75, 0.534: 0.875, 0.999: 3.5 / 2**8},
    "gru-wikitext": {0.0: 1.0, 1.0: 1.0},
    "markov-wikitext": {},  # nothing moves
    "bahdanau-wmt14": {0.0: 1.0, 1.0: 1.0},
    "sutskever-wmt14": {0.0: 21.0, 4.9 / 7.5: 21.0, 5.1 / 7.5: 10.5, 7.4 / 7.5: 21 / 32},
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
    for part in getattr(recipe.algorithm, "regularizers", []):
        part.build(model, spec, Plan(seed=0, steps=steps, batch_size=recipe.budget.batch_size))
    recipe.loss.build(spec)
    for share, rate in RATES_OF_TEXTS[name].items():
        schedule = recipe.algorithm.schedule.build(steps)
        assert recipe.algorithm.optimizer.lr * schedule(round(share * steps)) == pytest.approx(rate, rel=1e-3), share
    assert recipe.paper is not None
    assert recipe.paper.section
    assert recipe.expected is None or (recipe.expected.metric in spec.metrics and recipe.expected.paper)


def test_the_first_gan_is_its_authors() -> None:
    recipe: Any = load_recipe("goodfellow-mnist")[1]
    with torch.device("meta"):
        model = recipe.model.build(ImageSynthesisSpec(Image(1, 28, 28)))
    generator = 101 * 1200 + 1201 * 1200 + 1201 * 784
    discriminator = 785 * 240 * 5 + 241 * 240 * 5 + 241
    assert [sum(p.numel() for p in player.parameters()) for player in (model.generator, model.discriminator)] == [
        generator,
        discriminator,
    ]
    steps = 250 * 550  # their code divides the rate by 1.000004 at each
    schedule = recipe.algorithm.schedule.build(steps)
    for step in range(0, steps, 500):
        assert schedule(step) == pytest.approx(1.000004**-step, rel=0.06)
    assert recipe.paper.section


@pytest.mark.parametrize("name", PARAMS)
def test_its_parts_fit_each_other(name: str) -> None:
    recipe: Any = load_recipe(name)[1]
    views = isinstance(recipe.data, TwoViewsConfig)
    side, classes = (32, 10) if name in CIFAR else ((recipe.data.of if views else recipe.data).size, 1000)
    kind = ContrastiveSpec if views else ClassificationSpec
    spec = kind(Image(3, side, side), tuple(map(str, range(classes))))
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


def test_one_of_texts_is_shown_without_its_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "empty"))
    assert main(["show", "bert-base-wikitext"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "110,106,428 parameters" in shown
    assert "have not been downloaded yet" in shown  # its data.path may stay empty
    assert not (tmp_path / "empty").exists()


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


NARROW: dict[str, dict[str, Any]] = {
    "bahdanau-wmt14": {"model.width": 8, "model.embedding": 6, "data.vocab_size": 300},
    "sutskever-wmt14": {"model.width": 8, "model.embedding": 6, "data.vocab_size": 300},
    "transformer-base-wmt14": {"model.layers": 1, "model.width": 8, "model.hidden": 8, "data.vocab_size": 300},
}


@pytest.mark.parametrize("name", NARROW)
def test_one_runs_on_the_wmts_form(name: str, tmp_path: Path) -> None:
    written = write_hosted(tmp_path, "wmt14")
    language = load_recipe(name)[1].to_mapping()["data"]["target_language"]
    host = written
    if language == "fr":
        host = tmp_path / "fr-en"
        host.mkdir()
        for file in written.iterdir():
            rows = parquet.read_table(file).column("translation").to_pylist()
            french = [{"fr": row["de"], "en": row["en"]} for row in rows]
            parquet.write_table(pyarrow.table({"translation": french}), host / file.name)
    run = ff.run(name, {**FEW, **NARROW[name], "data.path": str(host)}, workspace=tmp_path)
    assert run.status == "done"
    assert run.recipe.to_mapping()["data"]["target_language"] == language
    assert {"bleu", "perplexity"} <= set(run.metrics["test"])
