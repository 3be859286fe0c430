"""Which command a run is used with: the hint under a result, and what `predict` refuses."""

import shlex

import pytest

import fourfold as ff
from fourfold.cli import main
from fourfold.cli.app import app
from fourfold.cli.by_task import USED, hint
from fourfold.tasks.specs import TASKS


def test_every_task_and_command_of_the_table_exists() -> None:
    commands = {command.name for command in app.registered_commands}
    assert set(USED) <= set(TASKS)
    assert {hint(task, "run-1").split()[0] for task in TASKS} <= commands


@pytest.mark.parametrize(
    ("task", "used"),
    [
        ("control", "play run-1"),
        ("contrastive", "probe run-1"),
        ("point_synthesis", "sample run-1"),
        ("tagging", "tag run-1 TEXT"),
        ("regression", "predict run-1 FILE"),
        ("None", "predict run-1 FILE"),
    ],
)
def test_the_hint_names_the_command_that_is_made_for_the_task(task, used) -> None:
    assert hint(task, "run-1") == used


@pytest.mark.parametrize(
    ("encoding", "used"),
    [
        ({"name": "features", "names": ["a", "area, m2"], "mean": [0.0, 84.26]}, "predict run-1 a=0 'area, m2=84'"),
        ({"name": "features", "names": list("abcde"), "mean": [0.0] * 5}, "predict run-1 FILE"),
        ({"name": "image"}, "predict run-1 PICTURE"),
        ({"name": "text"}, "predict run-1 TEXT"),
        ({"name": "text", "columns": ["text"]}, "predict run-1 TEXT"),
        ({"name": "text", "columns": ["one", "other"]}, "predict run-1 TEXT TEXT"),
        ({"name": "masked_text"}, "predict run-1 TEXT"),
        ({"name": "table"}, "predict run-1 FILE"),
        ({}, "predict run-1 FILE"),
    ],
)
def test_the_hint_says_what_predict_takes(encoding, used) -> None:
    assert hint("classification", "run-1", encoding) == used


@pytest.mark.slow
def test_a_hint_can_be_typed(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    for recipe, budget in (("xor-mlp", "budget.steps=5"), ("iris-softmax", "budget.epochs=1")):
        assert main(["run", recipe, budget]) == 0
        said = capsys.readouterr().err.rpartition("fourfold predict ")[2]
        assert main(["predict", *shlex.split(said)]) == 0


def test_a_state_of_a_few_numbers_can_be_given_as_a_row_though_its_hint_is_play(tmp_path, capsys) -> None:
    changes = {"budget.steps": 4, "data.test_episodes": 1, "data.validation_episodes": 1}
    run = ff.run("cartpole-dqn", changes, workspace=tmp_path)
    assert main(["predict", run.run_id, "--row", "[0, 0, 0, 0]", "--workspace", str(tmp_path)]) == 0
    assert "action" in capsys.readouterr().out
