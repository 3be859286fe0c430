"""A finished run that is no better than an answer that ignores the inputs says so; one that is better does not."""

import math
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import sacrebleu
import torch
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.metrics import accuracy_score, root_mean_squared_error
from whole_texts import sentence, tagged

from fourfold.losses import CrossEntropy, Focal
from fourfold.run.build import build_parts
from fourfold.run.findings import BY_HEART, CAUSES, LUCK, NEXT, find, find_misplaced_certainty
from fourfold.run.parts import load_recipe
from fourfold.run.run import start
from fourfold.run.usual_translation import usual_translation

NEVER = {"name": "supervised", "optimizer": {"name": "sgd", "lr": 1e-9}}
CLASSES: dict[str, Any] = {
    "data": {"name": "wine", "validation": 0.2, "test": 0.2},
    "model": {"name": "mlp", "widths": [8]},
    "loss": "cross_entropy",
    "algorithm": "supervised",
    "budget": {"epochs": 30, "batch_size": 16},
    "runtime": {"device": "cpu", "threads": 1},
}
NUMBERS: dict[str, Any] = {**CLASSES, "data": "diabetes", "loss": "mse"}
DENSITIES = {**CLASSES, "data": {"name": "diabetes", "task": "probabilistic_regression"}, "loss": "gaussian_nll"}


def test_a_huge_learning_rate_that_ends_at_chance_says_so(tmp_path: Path) -> None:
    saturated = {"name": "mlp", "widths": [8, 8, 8], "activation": "sigmoid"}  # it never overflows, and never learns
    huge = {"name": "supervised", "optimizer": {"name": "adam", "lr": 10.0}}
    run = start("run", load_recipe({**CLASSES, "model": saturated, "algorithm": huge})[1], tmp_path)
    assert run.status == "done"
    (finding,) = run.findings
    targets = run.parts.source._targets  # type: ignore[attr-defined]
    dummy = DummyClassifier().fit(torch.zeros(len(targets["train"]), 1), targets["train"])
    chance = accuracy_score(targets["test"], dummy.predict(torch.zeros(len(targets["test"]), 1)))
    most = run.spec.class_names[int(dummy.predict([[0]])[0])]  # type: ignore[attr-defined]
    accuracy = run.metrics["test"]["accuracy"]
    assert accuracy <= chance
    assert finding == (
        f"test accuracy {accuracy:.4g} is no better than {chance:.4g}, which always answering '{most}', "
        f"the most frequent class in training, would get; usual causes: {CAUSES}"
    )


def test_a_network_that_is_sure_where_it_is_wrong_says_so(tmp_path: Path) -> None:
    changes = {"algorithm.optimizer.lr": 10.0, "budget.epochs": 3, "runtime.device": "cpu", "runtime.threads": 1}
    run = start("run", load_recipe("digits-mlp", changes)[1], tmp_path)
    (finding,) = run.findings
    loss = run.metrics["train"]["loss"]
    assert loss > math.log(10)
    assert finding.startswith(f"train loss {loss:.4g} is above 2.303, that of finding all 10 classes equally likely")
    spec, even = run.spec, {"train": {"loss": math.log(10)}}
    assert find_misplaced_certainty(spec, CrossEntropy(), even) == []
    assert find_misplaced_certainty(spec, CrossEntropy(0.1), run.metrics) == []
    assert find_misplaced_certainty(spec, Focal(), run.metrics) == []


def test_numbers_that_are_no_better_than_the_mean_say_so(tmp_path: Path) -> None:
    run = start("run", load_recipe({**NUMBERS, "algorithm": NEVER})[1], tmp_path)
    (finding,) = run.findings
    spec, targets = run.spec, run.parts.source._targets  # type: ignore[attr-defined]
    dummy = DummyRegressor().fit(torch.zeros(len(targets["train"]), 1), targets["train"])
    of_the_mean = dummy.predict(torch.zeros(len(targets["test"]), 1))
    rmse = root_mean_squared_error(targets["test"], of_the_mean) * spec.target_deviation[0]  # type: ignore[attr-defined]
    assert run.metrics["test"]["rmse"] > rmse
    assert f" is no better than {rmse:.4g}, which always answering the mean of the training split, would" in finding


@pytest.mark.parametrize("recipe", [CLASSES, NUMBERS, DENSITIES], ids=["classes", "numbers", "densities"])
def test_a_run_that_learned_something_has_no_such_finding(recipe: dict[str, Any], tmp_path: Path) -> None:
    assert start("run", load_recipe(recipe)[1], tmp_path).findings == []


def test_the_border_is_the_score_of_the_constant_answer_itself() -> None:
    source = build_parts(load_recipe(CLASSES)[1]).source
    counts = source.spec.class_counts  # type: ignore[attr-defined]
    share = max(counts) / sum(counts)
    assert find(source, {"train": {"loss": 9.0, "accuracy": share}}) != []
    assert find(source, {"train": {"loss": 9.0, "accuracy": share + 1e-6}}) == []
    assert find(source, {"train": {"accuracy": 0.0}, "test": {"accuracy": 1.0}}) == []  # the last split counts
    assert find(source, {}) == []


def test_causes_that_fit_the_run_come_first() -> None:
    source = build_parts(load_recipe(CLASSES)[1]).source
    train, validation = source.sizes["train"], source.sizes["validation"]
    counts = source.spec.class_counts  # type: ignore[attr-defined]
    chance = {"loss": 9.0, "accuracy": 0.0}
    (early,) = find(source, {"train": chance, "test": chance}, steps=60, kept=2)
    assert early.endswith(
        f"would get; likely causes: early stopping kept step 2 of 60, judging by {validation} validation examples, "
        f"and {train} training examples are few; usual ones: {CAUSES}"
    )
    (early,) = find(source, {"train": {"accuracy": 1.0}, "test": chance}, steps=60, kept=2)
    assert "kept step 2 of 60" in early
    for kept in (None, 7, 60):
        (usual,) = find(source, {"train": chance, "test": chance}, steps=60, kept=kept)
        assert usual.endswith(f"would get; usual causes: {CAUSES}")
    hardly = {"loss": 0.6, "accuracy": max(counts) / sum(counts) + 0.001}  # that much is chance
    (usual,) = find(source, {"train": hardly, "test": chance}, steps=60)
    assert usual.endswith(f"would get; usual causes: {CAUSES}")
    learned = {"loss": 0.1, "accuracy": max(counts) / sum(counts) + 0.01}
    (by_heart,) = find(source, {"train": learned, "test": chance}, steps=60)
    assert f"would get; what was learned of the training split (accuracy {learned['accuracy']:.4g}) holds" in by_heart
    assert by_heart.endswith(f"usual causes: {BY_HEART}; here: {train} training examples are few")


def test_a_run_says_which_step_early_stopping_went_back_to(tmp_path: Path) -> None:
    saturated = {"name": "mlp", "widths": [8, 8, 8], "activation": "sigmoid"}
    stopping = {"name": "early_stopping", "patience": 3}
    huge = {"name": "supervised", "optimizer": {"name": "adam", "lr": 10.0}, "regularizers": [stopping]}
    long = {**CLASSES, "model": saturated, "algorithm": huge, "budget": {"epochs": 100, "batch_size": 16}}
    run = start("run", load_recipe(long)[1], tmp_path)
    first, second = run.findings
    kept = int(first.split("after step ")[1].split(",")[0])
    assert kept < run.result["steps"]
    assert f"early stopping kept step {kept} of {run.result['planned_steps']}, judging by" in second


def test_a_density_is_compared_with_that_of_the_whole_training_split() -> None:
    source = build_parts(load_recipe(DENSITIES)[1]).source
    values = source._targets["train"].double() * source.spec.target_deviation[0]  # type: ignore[attr-defined]
    normal = torch.distributions.Normal(values.mean(), values.std(correction=0))
    nll = -float(normal.log_prob(values).mean())
    assert find(source, {"train": {"nll": nll - 1e-3}}) == []
    (finding,) = find(source, {"train": {"nll": nll + 1e-3}})
    assert "which always answering the mean and deviation of the training split, would get" in finding


def translations(place: Path) -> dict[str, Any]:
    rows = "".join(f"{sentence(i)}\t문서 {sentence(i)}\n" for i in range(60))
    (place / "pairs.tsv").write_text(rows, encoding="utf-8")
    data = {"name": "pairs", "path": str(place / "pairs.tsv"), "vocab_size": 400}
    return {
        **CLASSES,
        "data": {**data, "target_language": "ko"},
        "model": {"name": "seq2seq", "width": 8, "embedding": 8},
        "budget": {"steps": 2, "batch_size": 8},
    }


def test_a_translator_that_learned_nothing_says_so_and_what_to_try(tmp_path: Path) -> None:
    run = start("run", load_recipe({**translations(tmp_path), "algorithm": NEVER})[1], tmp_path)
    (finding,) = run.findings
    source = run.parts.source
    rows = {split: [text for _, text in source.raw(split, [*range(source.sizes[split])])] for split in source.sizes}
    always = finding.split("always writing '")[1].split("', of training's")[0]
    assert always in rows["train"]
    likes = sorted(sacrebleu.corpus_chrf([text] * len(rows["train"]), [rows["train"]]).score for text in rows["train"])
    chosen = sacrebleu.corpus_chrf([always] * len(rows["train"]), [rows["train"]]).score
    assert chosen > likes[len(likes) // 2]  # of sixteen, the best
    constant = sacrebleu.corpus_bleu([always] * len(rows["test"]), [rows["test"]], tokenize="char", force=True).score
    bleu = run.metrics["test"]["bleu"]
    assert bleu <= constant
    assert finding == (
        f"test bleu {bleu:.4g} is no better than {constant:.4g}, which always writing '{always}', of training's "
        f"translations one that is like many others, would get; usual causes: {CAUSES}; {NEXT['translation']}"
    )


def test_the_border_of_a_translation_is_the_usual_sentence_s_bleu_or_of_next_to_none_its_chrf(tmp_path: Path) -> None:
    source = build_parts(load_recipe(translations(tmp_path))[1]).source
    scorer = source.spec.scorer()
    usual = usual_translation(source, source.spec)  # type: ignore[arg-type]
    for batch in source.split("test", 7):
        scorer.ask(usual.model, batch)
    border = scorer.compute()
    assert border["bleu"] > LUCK  # by characters
    assert find(source, {"test": {"bleu": border["bleu"] + 1e-6, "chrf": 0.0}}) == []
    (finding,) = find(source, {"test": {"bleu": border["bleu"], "chrf": 99.0}})
    assert finding.startswith(f"test bleu {border['bleu']:.4g} is no better than {border['bleu']:.4g}, which always")
    (finding,) = find(source, {"train": {"bleu": 100.0}, "test": {"bleu": 0.0, "chrf": 0.0}})
    assert f"(bleu 100) holds nowhere else; usual causes: {BY_HEART}; {NEXT['translation']}" in finding
    with patch("fourfold.run.findings._scores_of", lambda *_: {"bleu": 0.04, "chrf": 18.0}):  # as of English sentences
        (finding,) = find(source, {"test": {"bleu": 0.5, "chrf": 18.0}})
        assert finding.startswith("test chrf 18 is no better than 18, which always")
        assert find(source, {"test": {"bleu": 0.5, "chrf": 18.1}}) == []
        assert find(source, {"test": {"bleu": LUCK, "chrf": 17.0}}) == []


def test_a_tagger_that_finds_no_entity_says_so_and_what_to_try(tmp_path: Path) -> None:
    (tmp_path / "words.conll").write_bytes(tagged())
    data = {"name": "tagged_text", "path": str(tmp_path / "words.conll"), "vocab_size": 400}
    recipe = {**CLASSES, "data": data, "model": {"name": "lstm", "width": 8}, "budget": {"steps": 40, "batch_size": 8}}
    fast = {"name": "supervised", "optimizer": {"name": "adam", "lr": 0.02}}
    runs = [start("run", load_recipe({**recipe, "algorithm": each})[1], tmp_path) for each in (NEVER, fast)]
    for run in runs:
        f1 = run.metrics["test"]["f1"]
        assert run.findings == ([] if f1 > 0 else [find(run.parts.source, run.metrics)[0]])
    assert runs[1].metrics["test"]["f1"] > 0
    (finding,) = find(runs[0].parts.source, {"test": {"f1": 0.0, "accuracy": 0.9}})
    assert finding == (
        "test f1 0 is no better than 0, which always answering 'O', no entity anywhere, would get; "
        f"usual causes: {CAUSES}; {NEXT['tagging']}"
    )
    assert find(runs[0].parts.source, {"test": {"f1": 1e-6, "accuracy": 0.9}}) == []


def test_of_parts_of_speech_nothing_is_said(tmp_path: Path) -> None:
    (tmp_path / "words.conll").write_text("the\tDET\ncat\tNOUN\n\n" * 40, encoding="utf-8")
    data = {"name": "tagged_text", "path": str(tmp_path / "words.conll"), "vocab_size": 300}
    source = build_parts(load_recipe({**CLASSES, "data": data, "model": {"name": "lstm", "width": 8}})[1]).source
    assert find(source, {"test": {"accuracy": 0.0}}) == []
