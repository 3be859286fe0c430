"""Comparing from Python, as a script does it."""

import subprocess
import sys
from pathlib import Path

import pytest

import fourfold as ff
from fourfold.core.errors import InputError

SCRIPT = """
import fourfold as ff

study = ff.compare("iris-softmax", {"algorithm.optimizer": ["sgd", "adam"]}, {"budget.epochs": 1}, seeds=2)
print("ran once", study.arms)
"""


def test_a_study_reads_as_its_words_say(tmp_path: Path) -> None:
    varied = {"algorithm.optimizer": ["sgd", "adam"]}
    study = ff.compare("iris-softmax", varied, {"budget.epochs": 2}, seeds=2, workspace=tmp_path)
    assert study.arms == ["sgd", "adam"]
    assert study.recipes == ["iris-softmax"]
    assert study.unfair == []
    scores = {arm: study.scores(arm) for arm in study.arms}
    row = study.comparison("adam")
    difference = sum((scores["adam"][seed] or 0) - (scores["sgd"][seed] or 0) for seed in (0, 1)) / 2
    assert row["difference"] == pytest.approx(difference)
    frame = study.to_frame()
    assert list(frame["arm"]) == ["sgd", "sgd", "adam", "adam"]
    assert list(frame["test.accuracy"]) == list(frame["score"])
    run = ff.open_run(frame["folder"][0], workspace=tmp_path / "cells")
    assert run.metrics["test"]["accuracy"] == frame["score"][0]
    again = ff.compare("iris-softmax", varied, {"budget.epochs": 2}, seeds=2, workspace=tmp_path)
    assert again.content == study.content
    with pytest.raises(InputError, match="no arm called 'adm'; did you mean 'adam'"):
        study.scores("adm")
    with pytest.raises(InputError, match="'sgd' is what the others are compared with"):
        study.comparison("sgd")
    with pytest.raises(InputError, match="no 'iris' in this study"):
        study.scores("sgd", "iris")


def test_a_mistake_is_told_before_anything_is_run(tmp_path: Path) -> None:
    varied = {"algorithm.optimizer": ["sgd", "adam"]}
    with pytest.raises(InputError, match="--trials 8: of what"):
        ff.compare("iris-softmax", varied, trials=8, workspace=tmp_path / "runs")
    with pytest.raises(InputError, match="--stack: no choice called 'allways'"):
        ff.compare("iris-softmax", varied, stack="allways", workspace=tmp_path / "runs")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="which recipe"):
        ff.compare([], varied, workspace=tmp_path / "runs")
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(InputError, match=r"workspace .*file: not a folder"):
        ff.compare("iris-softmax", varied, workspace=tmp_path / "file")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_script_needs_no_guard(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "ran once ['sgd', 'adam']\n"
