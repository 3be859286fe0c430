"""k-fold cross-validation: folds that partition, means and spreads as the statistics module gives them."""

import json
import math
import signal
import statistics
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from stopping import around_steps, interrupted_after

import fourfold as ff
from fourfold.cli import main
from fourfold.core.errors import InputError
from fourfold.records.folder import RunFolder
from fourfold.report.page import write_report
from fourfold.run.crossvalidate import CrossValidation, cross_validate, go_on, summarise
from fourfold.run.parts import load_recipe
from fourfold.tasks.seam import LossValue, Training

RECIPE: dict[str, Any] = {
    "data": "iris",
    "model": "softmax_regression",
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": 0.1}},
    "budget": {"steps": 30, "batch_size": 16},
    "runtime": {"device": "cpu", "threads": 1},
}
FOLDS = 4


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> CrossValidation:
    return ff.cross_validate(RECIPE, FOLDS, workspace=tmp_path_factory.mktemp("runs"))


def rows(run: ff.Run, split: str) -> list[tuple[float, ...]]:
    source = run.parts.source
    return sorted(tuple(row) for row in source.raw(split, list(range(source.sizes[split]))).tolist())


def test_folds_partition_everything_but_the_test_split(validated: CrossValidation) -> None:
    assert len(validated.runs) == FOLDS
    test = rows(validated.runs[0], "test")
    together: list[tuple[float, ...]] = []
    for run in validated.runs:
        assert rows(run, "test") == test  # the same in every fold
        together += rows(run, "validation")
    whole = [row for split in ("train", "validation", "test") for row in rows(validated.runs[0], split)]
    assert sorted(together + test) == sorted(whole)  # each example validates once
    assert len(whole) == 150
    for run in validated.runs:
        assert sorted(rows(run, "train") + rows(run, "validation") + test) == sorted(whole)
    sizes = [run.parts.source.sizes["validation"] for run in validated.runs]
    assert max(sizes) - min(sizes) <= 1


def test_mean_and_spread_are_those_of_the_statistics_module(validated: CrossValidation) -> None:
    spreads = []
    for split in ("train", "validation", "test"):
        assert set(validated.mean[split]) == set(validated.runs[0].metrics[split])
        for metric, mean in validated.mean[split].items():
            values = [run.metrics[split][metric] for run in validated.runs]
            assert mean == pytest.approx(statistics.mean(values), rel=1e-12)
            assert validated.spread[split][metric] == pytest.approx(statistics.stdev(values), rel=1e-12)
            spreads.append(validated.spread[split][metric])
    assert max(spreads) > 0


def test_as_one_result(validated: CrossValidation) -> None:
    result = validated.to_mapping()
    assert result["metrics"] == validated.mean
    assert result["spread"] == validated.spread
    assert (result["status"], result["run_id"], result["headline"]) == ("done", "recipe-1", "accuracy")
    assert result["steps"] == FOLDS * 30
    assert result["folds"] == [f"recipe-{i}" for i in range(1, FOLDS + 1)]
    fields = {"run_id", "folder", "recipe", "seed", "status", "steps", "metrics", "params", "seconds"}
    assert fields | {"examples_per_second"} <= set(result)


def test_what_the_folds_scored_together_is_shown_with_each_of_them(
    validated: CrossValidation, capsys: pytest.CaptureFixture[str]
) -> None:
    last = validated.runs[-1]
    assert main(["show", str(last.folder.path), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out.splitlines()[-1])["cross_validation"]
    assert (shown["mean"], shown["spread"]) == (validated.mean, validated.spread)
    assert shown["runs"] == [run.run_id for run in validated.runs]
    assert main(["show", str(last.folder.path)]) == 0
    assert "mean ± standard deviation over 4 folds" in capsys.readouterr().out
    page = write_report(last).read_text(encoding="utf-8")
    accuracy, deviation = (100 * each["test"]["accuracy"] for each in (validated.mean, validated.spread))
    assert f"{accuracy:.2f}\u00a0% ± {deviation:.2f}\u00a0%" in page


def test_one_fold_alone_is_that_fold_of_the_series(validated: CrossValidation, tmp_path: Path) -> None:
    alone = ff.run(RECIPE, {"data.folds": FOLDS, "data.fold": 2}, workspace=tmp_path)
    third = validated.runs[2]
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == ["recipe-1"]
    assert alone.folder.recipe() == third.folder.recipe()
    assert alone.metrics == third.metrics
    for name, weight in alone.model.state_dict().items():
        assert torch.equal(weight, third.model.state_dict()[name])


def test_an_interrupted_fold_ends_the_series(tmp_path: Path) -> None:
    name, recipe = load_recipe(RECIPE, {"data.folds": 3})
    with interrupted_after(2):
        series = cross_validate(name, recipe, tmp_path)
    assert [run.status for run in series.runs] == ["interrupted"]
    assert series.to_mapping()["status"] == "interrupted"


def test_an_interrupted_series_names_the_fold_to_resume(tmp_path: Path) -> None:
    steps = 0

    def change(_: Training, calls: int, step: Callable[[], LossValue]) -> LossValue:
        nonlocal steps
        steps += 1
        if steps == 30 + 2:  # in the second fold
            signal.raise_signal(signal.SIGINT)
        return step()

    name, recipe = load_recipe(RECIPE, {"data.folds": 3})
    with around_steps(change):
        series = cross_validate(name, recipe, tmp_path)
    assert [run.status for run in series.runs] == ["done", "interrupted"]
    result = series.to_mapping()
    assert (result["status"], result["run_id"]) == ("interrupted", "recipe-2")
    assert result["folder"] == str(tmp_path / "recipe-2")
    assert ff.resume(result["run_id"], workspace=tmp_path).status == "done"


def test_an_interrupted_series_goes_on_with_its_fold_and_those_after_it(tmp_path: Path, capsys) -> None:
    name, recipe = load_recipe(RECIPE, {"data.folds": 3})
    whole = cross_validate(name, recipe, tmp_path / "whole")
    with interrupted_after(2):  # of each fold's 30 steps
        cross_validate(name, recipe, tmp_path / "stopped")
    first = RunFolder.open(tmp_path / "stopped" / "recipe-1")
    with interrupted_after(5):
        stopped = go_on(first)
    assert [run.status for run in stopped.runs] == ["interrupted"]
    with interrupted_after(28):  # more than the first has left, and fewer than the second
        stopped = go_on(first)
    assert [run.status for run in stopped.runs] == ["done", "interrupted"]
    assert main(["resume", "recipe-2", "--folds", "--workspace", str(tmp_path / "stopped"), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed["folds"] == ["recipe-1", "recipe-2", "recipe-3"]
    assert printed["metrics"] == whole.to_mapping()["metrics"]
    assert printed["spread"] == whole.to_mapping()["spread"]
    again = go_on(first)  # nothing is left to do
    assert [run.run_id for run in again.runs] == printed["folds"]


def test_a_fold_that_was_begun_is_gone_on_with_whichever_fold_is_named(tmp_path: Path) -> None:
    name, recipe = load_recipe(RECIPE, {"data.folds": 3})
    ff.run(RECIPE, {"data.folds": 3, "data.fold": 0}, workspace=tmp_path)
    with interrupted_after(28):
        ff.run(RECIPE, {"data.folds": 3, "data.fold": 2}, workspace=tmp_path)
    series = go_on(RunFolder.open(tmp_path / "recipe-1"))
    assert [(run.run_id, run.recipe.data.fold) for run in series.runs] == [  # type: ignore[attr-defined]
        ("recipe-1", 0),
        ("recipe-3", 1),
        ("recipe-2", 2),
    ]
    whole = cross_validate(name, recipe, tmp_path / "whole").to_mapping()
    assert series.to_mapping()["metrics"] == whole["metrics"]


def test_folds_of_changed_data_are_not_mixed(tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    rows = [f"{i},{i % 7},{'ab'[i % 2]}" for i in range(40)]
    table.write_text("\n".join(["x,y,class", *rows]), encoding="utf-8")
    variant = {"data": {"name": "table", "path": str(table), "target": "class"}, "data.folds": 3, "data.fold": 0}
    run = ff.run(RECIPE, variant, workspace=tmp_path / "runs")
    table.write_text("\n".join(["x,y,class", *rows, "1,1,a"]), encoding="utf-8")
    with pytest.raises(InputError, match=r"table\.csv"):
        go_on(run.folder)
    assert len([path for path in (tmp_path / "runs").iterdir() if (path / "run.json").exists()]) == 1


def test_what_is_no_fold_has_no_other_folds(tmp_path: Path) -> None:
    run = ff.run(RECIPE, workspace=tmp_path)
    with pytest.raises(InputError, match=r"recipe-1: it is no fold of a cross-validation; leave out --folds"):
        go_on(run.folder)


def test_a_fold_that_is_not_finite_leaves_the_others_their_means() -> None:
    """After all folds are trained, no score of one may cost the result."""
    scores = [{"test": {"a": 1.0, "b": math.inf, "c": 1.0}}, {"test": {"a": math.nan, "b": -math.inf, "c": 3.0}}]
    series = summarise([cast(ff.Run, SimpleNamespace(metrics=each)) for each in scores])
    for metric in ("a", "b"):
        assert math.isnan(series.mean["test"][metric])
        assert math.isnan(series.spread["test"][metric])
    assert (series.mean["test"]["c"], series.spread["test"]["c"]) == (2.0, pytest.approx(math.sqrt(2)))


def test_overrides_and_other_data(tmp_path: Path) -> None:
    series = ff.cross_validate(RECIPE, 2, {"data": "wine", "budget.steps": 2}, workspace=tmp_path)
    assert [run.recipe.data.name for run in series.runs] == ["wine", "wine"]
    assert [run.result["steps"] for run in series.runs] == [2, 2]


@pytest.mark.promise("R9")
def test_mistakes_are_one_line_and_nothing_is_created(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^data\.folds: "):
        ff.cross_validate(RECIPE, 1, workspace=tmp_path)
    with pytest.raises(InputError, match=r"^data\.folds: 140 folds of \d+ examples leave some empty"):
        ff.cross_validate(RECIPE, 140, workspace=tmp_path)
    with pytest.raises(InputError, match=r"^data\.folds: no such field"):
        ff.cross_validate(RECIPE, 2, {"data": {"name": "gates", "gate": "and"}}, workspace=tmp_path)
    with pytest.raises(InputError, match=r"^data\.fold: names one fold, but cross_validate runs them all"):
        ff.cross_validate(RECIPE, 3, {"data.fold": 1}, workspace=tmp_path)
    with pytest.raises(InputError, match=r"^data\.folds: say how many folds, for example data\.folds=5$"):
        cross_validate(*load_recipe(RECIPE), tmp_path)
    assert list(tmp_path.iterdir()) == []
