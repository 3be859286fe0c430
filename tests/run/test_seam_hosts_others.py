"""The one loop drives algorithms that are not supervised learning, and resumes them exactly."""

from pathlib import Path

import adversarial
import environment
import pytest
from stopping import differences, remains, resumed, start_and_stop

from fourfold.core.errors import InputError
from fourfold.run.checkpoint import load_newest
from fourfold.run.parts import load_recipe
from fourfold.run.run import start


@pytest.mark.promise("R1")
@pytest.mark.usefixtures("adversarial_parts")
def test_two_networks_and_two_optimizers_stopped_after_any_step(tmp_path: Path) -> None:
    _, recipe = load_recipe(adversarial.RECIPE)
    whole = remains(start("whole", recipe, tmp_path / "whole"))
    assert whole["step"] == 9
    assert set(whole["state"]["training"]) == {"step", "discriminator", "generator"}
    for k in range(1, 9):
        run = resumed(start_and_stop(recipe, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"


@pytest.mark.promise("R1")
@pytest.mark.usefixtures("environment_parts")
def test_an_environment_with_replay_stopped_after_any_step(tmp_path: Path) -> None:
    _, recipe = load_recipe(environment.RECIPE)
    whole = remains(start("whole", recipe, tmp_path / "whole"))
    assert whole["step"] == 30
    for k in range(1, 30):
        run = resumed(start_and_stop(recipe, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"


@pytest.mark.usefixtures("adversarial_parts")
def test_both_players_learn(tmp_path: Path) -> None:
    _, recipe = load_recipe(adversarial.RECIPE, {"budget.steps": 400, "budget.validate_every": 100})
    run = start("points", recipe, tmp_path)
    assert run.metrics["test"]["distance"] < 0.5  # the real points lie around (1, -1), the first fakes around 0
    assert {"train.real", "train.fake", "train.fooled"} <= {point.name for point in run.folder.points()}


@pytest.mark.usefixtures("environment_parts")
def test_the_corridor_is_learned_and_scored_by_playing(tmp_path: Path) -> None:
    _, recipe = load_recipe(environment.RECIPE, {"budget.steps": 300, "model.dropout": 0.0})
    run = start("corridor", recipe, tmp_path)
    assert run.metrics["test"] == {"return": 1.0}  # every episode ends with the reward
    assert run.result["headline"] == "return"
    assert dict(run.curve("train.epsilon"))[300] == pytest.approx(0.1)
    replay = load_newest(run.folder.checkpoints)[0].state["training"]["replay"]
    assert replay["before"].shape == (environment.CAPACITY, environment.LENGTH)


@pytest.mark.usefixtures("environment_parts")
def test_an_environment_cannot_be_learned_by_an_algorithm_that_needs_batches(tmp_path: Path) -> None:
    _, recipe = load_recipe({**environment.RECIPE, "algorithm": "supervised"})
    with pytest.raises(InputError, match="needs an algorithm that acts"):
        start("corridor", recipe, tmp_path / "workspace")
    assert not (tmp_path / "workspace").exists()
