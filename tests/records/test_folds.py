"""The folds of a cross-validation are found again among other runs, whatever state those are in."""

import math
import statistics
from pathlib import Path
from typing import Any

import pytest

from fourfold.core.errors import InputError
from fourfold.records.folder import RunFolder
from fourfold.records.folds import find_folds

ACCURACIES = [0.9, 0.7, 0.95]


def record(workspace: Path, accuracy: float | None, seed: int = 0, lr: float = 0.1, **data: Any) -> RunFolder:
    recipe = {"data": {"name": "iris", **data}, "algorithm": {"lr": lr}, "seed": seed}
    folder = RunFolder.create(workspace, "iris", recipe, {})
    if accuracy is not None:
        folder.write_result("done", {"metrics": {"train": {"loss": 0.5}, "validation": {"accuracy": accuracy}}})
    return folder


def series(workspace: Path) -> list[RunFolder]:
    return [record(workspace, score, folds=4, fold=fold) for fold, score in enumerate(ACCURACIES)]


def test_mean_and_spread_are_those_of_the_statistics_module(workspace: Path) -> None:
    folds = series(workspace)
    for folder in folds:  # whichever of them is asked
        found = find_folds(folder)
        assert found is not None
        assert found.runs == ["iris-1", "iris-2", "iris-3"]
        assert found.mean["validation"]["accuracy"] == pytest.approx(statistics.mean(ACCURACIES))
        assert found.spread["validation"]["accuracy"] == pytest.approx(statistics.stdev(ACCURACIES))
        assert found.spread["train"]["loss"] == 0
    assert found.says == "mean ± standard deviation over 3 of 4 folds: iris-1, iris-2, iris-3"


def test_other_runs_beside_them_do_not_count(workspace: Path) -> None:
    folder = series(workspace)[0]
    record(workspace, 0.1, folds=4, fold=3, lr=0.2)
    record(workspace, 0.1, folds=4, fold=3, seed=1)
    record(workspace, 0.1, folds=5, fold=3)
    record(workspace, 0.1)
    record(workspace, None, folds=4, fold=3)  # which runs still
    record(workspace, 0.1, folds=4, fold=3).write_result("diverged", {"metrics": {"validation": {"accuracy": 0.1}}})
    for file, content in (("recipe.yaml", "data: 3"), ("recipe.yaml", "{"), ("result.json", "{}"), ("run.json", "")):
        (record(workspace, 0.1, folds=4, fold=3).path / file).write_text(content, encoding="utf-8")
    found = find_folds(folder)
    assert found is not None
    assert found.runs == ["iris-1", "iris-2", "iris-3"]


def test_of_several_runs_of_one_fold_the_newest_counts(workspace: Path) -> None:
    folder = series(workspace)[0]
    record(workspace, 0.8, folds=4, fold=1)
    found = find_folds(folder)
    assert found is not None
    assert found.runs == ["iris-1", "iris-4", "iris-3"]
    assert found.mean["validation"]["accuracy"] == pytest.approx(statistics.mean([0.9, 0.8, 0.95]))


def test_a_metric_that_one_of_them_lacks_is_left_out(workspace: Path) -> None:
    folder = series(workspace)[0]
    older = record(workspace, None, folds=4, fold=3)
    older.write_result("done", {"metrics": {"validation": {"accuracy": 0.85, "error": 0.15}}})
    for asked in (folder, older):
        found = find_folds(asked)
        assert found is not None
        assert len(found.runs) == 4
        assert found.mean["validation"] == {"accuracy": pytest.approx(statistics.mean([*ACCURACIES, 0.85]))}
        assert not found.mean.get("train")


def test_runs_of_other_data_files_do_not_belong_together(workspace: Path) -> None:
    folds = series(workspace)
    for folder, digest in zip(folds, "aab", strict=True):
        (folder.path / "inputs.json").write_text(f'{{"files": {{"houses.csv": "{digest}"}}}}', encoding="utf-8")
    found = find_folds(folds[0])
    assert found is not None
    assert found.runs == ["iris-1", "iris-2"]
    assert find_folds(folds[2]) is None


def test_a_fold_that_is_not_finite_leaves_nan(workspace: Path) -> None:
    folder = record(workspace, math.inf, folds=2, fold=0)
    record(workspace, 1.0, folds=2, fold=1)
    found = find_folds(folder)
    assert found is not None
    assert math.isnan(found.spread["validation"]["accuracy"])


def test_a_run_that_is_no_fold_or_the_only_one(workspace: Path) -> None:
    assert find_folds(record(workspace, 0.9)) is None
    assert find_folds(record(workspace, 0.9, folds=4, fold=0)) is None


def test_a_damaged_run_is_named(workspace: Path) -> None:
    folder = series(workspace)[0]
    (folder.path / "recipe.yaml").unlink()
    with pytest.raises(InputError, match=r"recipe\.yaml"):
        find_folds(folder)
