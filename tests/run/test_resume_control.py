"""Exact resume of what acts: replay, environments, epsilon and streams."""

from pathlib import Path
from typing import Any

import pytest
from stopping import differences, remains, resumed, start_and_stop

from fourfold.run.parts import load_recipe
from fourfold.run.run import start

RECIPE: dict[str, Any] = {
    "data": {"name": "gym", "validation_episodes": 1, "test_episodes": 1},
    "model": {"name": "mlp", "widths": [4]},
    "loss": "td_error",
    "algorithm": {
        "name": "q_learning",
        "regularizers": ["early_stopping"],
        "capacity": 14,
        "learning_starts": 5,
        "train_every": 2,
        "target_every": 3,
        "epsilon_moves": 20,
    },
    "budget": {"steps": 18, "batch_size": 4, "validate_every": 7, "log_every": 4},
    "runtime": {"device": "cpu", "threads": 1},
}


@pytest.mark.promise("R1")
def test_cartpole_stopped_after_any_step(tmp_path: Path) -> None:
    _, recipe = load_recipe(RECIPE)
    whole = remains(start("whole", recipe, tmp_path / "whole"))
    assert whole["step"] == 18
    for k in range(1, 18):
        run = resumed(start_and_stop(recipe, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"


@pytest.mark.promise("R1")
def test_prioritised_replay_of_two_environments_stopped_after_some_steps(tmp_path: Path) -> None:
    variant = {"algorithm.prioritised": True, "algorithm.double": True, "algorithm.environments": 2}
    _, recipe = load_recipe(RECIPE, variant)
    whole = remains(start("whole", recipe, tmp_path / "whole"))
    for k in (4, 11, 15):
        run = resumed(start_and_stop(recipe, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"


GAMES: dict[str, dict[str, Any]] = {
    "minatar": {"data": {"name": "minatar", "validation_episodes": 0, "test_episodes": 1, "max_moves": 9}},
    "atari": {
        "data": {"name": "atari", "validation_episodes": 0, "test_episodes": 1, "max_frames": 80, "noop_frames": 7},
        "algorithm.capacity": 40,
    },
}


@pytest.mark.slow
@pytest.mark.promise("R1")
@pytest.mark.parametrize("name", GAMES)
def test_games_stopped_after_any_step(name: str, tmp_path: Path) -> None:
    _stopped(name, list(range(1, 18)), tmp_path)


@pytest.mark.promise("R1")
@pytest.mark.parametrize("name", GAMES)
def test_games_stopped_after_some_steps(name: str, tmp_path: Path) -> None:
    _stopped(name, [3, 12], tmp_path)


def _stopped(name: str, after: list[int], tmp_path: Path) -> None:
    variant = {"model": "mlp", "model.widths": [3], "algorithm.regularizers": [], **GAMES[name]}
    _, recipe = load_recipe(RECIPE, variant)
    whole = remains(start("whole", recipe, tmp_path / "whole"))
    for k in after:
        run = resumed(start_and_stop(recipe, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"


def test_a_curve_has_no_loss_where_nothing_was_learned(tmp_path: Path) -> None:
    _, recipe = load_recipe(RECIPE, {"algorithm.learning_starts": 9})
    run = start("run", recipe, tmp_path)
    assert [step for step, _ in run.curve("train.loss")] == [12, 14, 16, 18]  # a point every 4 steps or validation
    assert [step for step, _ in run.curve("train.epsilon")] == [4, 7, 8, 12, 14, 16, 18]


def test_without_the_replay_a_resumed_run_says_that_it_is_another(tmp_path: Path) -> None:
    _, recipe = load_recipe(RECIPE, {"algorithm.save_replay": False})
    whole = start("whole", recipe, tmp_path / "whole")
    assert not any("replay" in finding for finding in whole.findings)
    run = resumed(start_and_stop(recipe, tmp_path / "stopped", 13, "whole"))
    assert "resumed at step 13 without its replay" in run.findings[-1]
    assert run.result["steps"] == 18


@pytest.mark.promise("R12")
def test_the_same_seed_plays_the_same_and_another_does_not(tmp_path: Path) -> None:
    _, recipe = load_recipe(RECIPE, {"budget.steps": 20})
    first, again = (remains(start("run", recipe, tmp_path / name)) for name in ("first", "again"))
    assert differences(first, again) == []
    _, other = load_recipe(RECIPE, {"budget.steps": 20, "seed": 1})
    memories = [
        each["state"]["training"]["experience"]["memory"]
        for each in (first, remains(start("run", other, tmp_path / "other")))
    ]
    assert differences(*[memory["observations"] for memory in memories]) != []
