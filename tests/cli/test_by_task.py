"""Which command a run is used with: the hint under a result, and what `predict` refuses."""

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


def test_a_state_of_a_few_numbers_can_be_given_as_a_row_though_its_hint_is_play(tmp_path, capsys) -> None:
    changes = {"budget.steps": 4, "data.test_episodes": 1, "data.validation_episodes": 1}
    run = ff.run("cartpole-dqn", changes, workspace=tmp_path)
    assert main(["predict", run.run_id, "--row", "[0, 0, 0, 0]", "--workspace", str(tmp_path)]) == 0
    assert "action" in capsys.readouterr().out
