"""Ensembles through the loop and the commands: resumed, scored, predicted with, exported, reported."""

from pathlib import Path
from typing import Any

import pytest
import torch
from stopping import differences, remains, resumed, start_and_stop

import fourfold as ff
from fourfold.algorithms.ensemble import Ensemble
from fourfold.core.errors import InputError
from fourfold.core.recipe import Recipe
from fourfold.report.page import write_report
from fourfold.run.blind import SealedError, without
from fourfold.run.build import build_parts
from fourfold.run.evaluate import evaluate
from fourfold.run.export import export
from fourfold.run.inspect import inspect_recipe
from fourfold.run.parts import load_recipe
from fourfold.run.predict import predict
from fourfold.run.run import Run, start

STEPS = 9

# 42 training examples in batches of 12: a member's three steps are less than an epoch of four.
POINTS: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60, "validation": 0.15, "test": 0.15},
    "model": {"name": "mlp", "widths": [6, 5], "dropout": 0.3},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": "adam", "schedule": "cosine"},
    "budget": {"steps": STEPS, "batch_size": 12, "validate_every": 4, "log_every": 2},
    "runtime": {"device": "cpu", "threads": 1},
    "seed": 11,
}
SMOOTH = [{"name": "input_noise", "deviation": 0.2}, {"name": "ema", "decay": 0.8}]


def recipe(algorithm: Any, **changes: Any) -> Recipe:
    return load_recipe({**POINTS, "algorithm": algorithm, **changes})[1]


CASES = {
    "bagging": {"name": "bagging", "members": 3, "schedule": "cosine"},
    "bagging, averaged and noisy": {"name": "bagging", "members": 4, "regularizers": SMOOTH},
    "boosting": {"name": "boosting", "members": 3, "optimizer": {"name": "adam", "lr": 0.03}},
    "boosting, averaged and noisy": {"name": "boosting", "members": 4, "regularizers": SMOOTH},
}


@pytest.mark.promise("R1")
@pytest.mark.parametrize("case", CASES)
def test_stopped_after_any_step(case: str, tmp_path: Path) -> None:
    chosen = recipe(CASES[case])
    whole = remains(start("whole", chosen, tmp_path / "whole"))
    assert whole["step"] == STEPS
    for k in range(1, STEPS):
        run = resumed(start_and_stop(chosen, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"


def test_one_member_without_sampling_is_supervised_bit_for_bit(tmp_path: Path) -> None:
    changes = {"optimizer": {"name": "adam", "lr": 0.02}, "schedule": "cosine", "regularizers": SMOOTH}
    alone = remains(start("whole", recipe({"name": "supervised", **changes}), tmp_path / "alone"))
    one = recipe({"name": "bagging", "members": 1, "sample": None, **changes})
    bagged = remains(start("whole", one, tmp_path / "bagged"))
    assert differences({f"members.0.{key}": value for key, value in alone["model"].items()} | {
        "weights": torch.ones(1)
    }, bagged["model"]) == []  # fmt: skip
    points = [point for point in bagged["points"] if point[1] != "train.member"]
    assert differences(points, alone["points"]) == []
    for field in ("metrics", "params", "steps", "sizes"):
        assert differences(bagged["result"][field], alone["result"][field]) == []
    assert differences(bagged["state"]["training"]["current"], alone["state"]["training"]) == []


def test_each_member_s_first_weights_are_a_draw_of_its_own() -> None:
    members = build_parts(recipe({"name": "bagging", "members": 3})).model.members
    assert isinstance(members, torch.nn.ModuleList)
    drawn = [next(member.parameters()).detach() for member in members]
    alone = build_parts(recipe("supervised")).model
    assert torch.equal(drawn[0], next(alone.parameters()))
    assert not torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[1], drawn[2])


@pytest.mark.promise("R13")
def test_two_processes_boost_as_one(tmp_path: Path) -> None:
    """Both draw the same samples, share each batch, and score each member together."""
    algorithm = {"name": "boosting", "members": 3, "optimizer": {"name": "sgd", "lr": 0.3}}
    model = {"name": "mlp", "widths": [6]}
    one, two = (
        ff.run(recipe(algorithm, model=model, runtime={**POINTS["runtime"], "processes": n}), workspace=tmp_path)
        for n in (1, 2)
    )
    for name, weight in one.model.state_dict().items():
        torch.testing.assert_close(two.model.state_dict()[name], weight, rtol=0, atol=1e-6)
    votes = one.model.weights.tolist()  # type: ignore[union-attr, operator]
    assert len(set(votes)) == 3, "the case tests nothing"
    assert two.metrics["test"] == pytest.approx(one.metrics["test"], abs=1e-6)


ENSEMBLES = {
    "bagged classes": ({"name": "bagging", "members": 3}, {}),
    "votes": ({"name": "bagging", "members": 3, "aggregate": "vote"}, {}),
    "boosted classes": ({"name": "boosting", "members": 3}, {}),
    "bagged numbers": ({"name": "bagging", "members": 3}, {"data": "diabetes", "loss": "mse"}),
    "boosted numbers": ({"name": "boosting", "members": 3}, {"data": "diabetes", "loss": "mse"}),
    "bagged Gaussians": (
        {"name": "bagging", "members": 3},
        {"data": {"name": "diabetes", "task": "probabilistic_regression"}, "loss": "gaussian_nll"},
    ),
}


@pytest.fixture(scope="module", params=ENSEMBLES)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    algorithm, changes = ENSEMBLES[request.param]
    return start("ensemble", recipe(algorithm, **changes), tmp_path_factory.mktemp("ensembles"))


def test_its_weights_are_read_back_and_score_the_same(run: Run) -> None:
    assert isinstance(run.model, Ensemble)
    assert len(run.model.members) == 3
    assert len({float(next(member.parameters()).detach().sum()) for member in run.model.members}) == 3
    for split, metrics in run.metrics.items():
        assert evaluate(run.model, run.parts.loss, run.parts.source, split) == metrics
    assert run.result["params"] == sum(p.numel() for p in run.model.parameters())
    assert any(line.startswith("3 members, trained one after another: 3 steps") for line in run.findings)


def test_it_predicts_without_its_data(run: Run) -> None:
    source = run.parts.source
    raw = source.raw("test", [0, 1, 2])
    rows = predict(run, raw.tolist()).rows
    with torch.no_grad():
        expected = run.spec.predictions(run.model(next(iter(source.split("test", 3))).inputs[0]))
    assert len(rows) == 3
    assert numbers(rows) == pytest.approx(numbers(expected), rel=1e-4)


def numbers(value: Any) -> list[float]:
    """Every number in nested predictions."""
    if isinstance(value, dict):
        return numbers(list(value.values()))
    if isinstance(value, list):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, float) else []


@pytest.mark.promise("R20")
@pytest.mark.parametrize("kind", ["safetensors", "onnx"])
def test_it_is_exported_with_the_same_answers(run: Run, kind: str, tmp_path: Path) -> None:
    report = export(run, tmp_path / f"model.{kind}")
    assert report.path.stat().st_size > 0
    assert report.examples > 10
    assert report.max_difference < 1e-4


def test_it_is_reported(run: Run, tmp_path: Path) -> None:
    page = write_report(run, path=tmp_path / "report.html").read_text(encoding="utf-8")
    assert "3 members, trained one after another" in page


@pytest.mark.promise("R15")
@pytest.mark.parametrize("name", ["bagging", "boosting"])
def test_a_trial_of_a_tuning_trains_one_without_the_test_split(name: str, tmp_path: Path) -> None:
    chosen = recipe({"name": name, "members": 3})
    blind = start("blind", chosen, tmp_path, splits=("train", "validation"))
    seeing = start("seeing", chosen, tmp_path)
    assert set(blind.metrics) == {"train", "validation"}
    assert blind.metrics["validation"] == seeing.metrics["validation"]
    sealed = without("test", seeing.parts.source).resampled(torch.tensor([0, 0, 1]))
    assert sealed.sizes["train"] == 3
    assert len(next(iter(sealed.split("train", 9))).targets) == 3
    with pytest.raises(SealedError):
        list(sealed.split("test", 9))


@pytest.mark.parametrize("name", ["bagging", "boosting"])
def test_what_it_is_can_be_looked_at_before_it_runs(name: str) -> None:
    facts = inspect_recipe(recipe({"name": name, "members": 3}))
    alone = inspect_recipe(recipe("supervised"))
    assert facts.model.params == 3 * alone.model.params
    assert facts.step[0].startswith("take the member in training, of 3 in turn, 3 steps each")


def test_a_source_without_a_set_of_examples_is_refused_and_nothing_is_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fourfold.data.in_memory import InMemorySource
    from fourfold.tasks.seam import Source

    monkeypatch.setattr(InMemorySource, "resampled", Source.resampled)
    with pytest.raises(InputError, match=r"^data: samples can be drawn from a fixed set of training examples"):
        start("whole", recipe({"name": "bagging", "members": 3}), tmp_path / "workspace")
    assert not (tmp_path / "workspace").exists()
