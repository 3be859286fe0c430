"""Runs of two players: exact resume of both optimizers, and what a run of them leaves."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from stopping import differences, remains, resumed, start_and_stop

from fourfold.core.errors import InputError
from fourfold.run.checkpoint import load_newest
from fourfold.run.parts import load_recipe
from fourfold.run.predict import predict
from fourfold.run.run import start
from fourfold.run.snapshots import kept

RECIPE: dict[str, Any] = {
    "data": {"name": "gaussians", "examples": 40, "scored": 30},
    "model": {"name": "gan", "latent": 2, "generator_widths": [6], "discriminator_widths": [6]},  # with dropout
    "loss": {"name": "non_saturating", "label_smoothing": 0.1},
    "algorithm": {
        "name": "adversarial",
        "discriminator_optimizer": {"name": "momentum", "lr": 0.05},
        "discriminator_steps": 2,
        "label_noise": 0.1,
        "schedule": "cosine",
        "regularizers": [{"name": "ema", "decay": 0.9}],
    },
    "budget": {"steps": 9, "batch_size": 12, "validate_every": 4, "log_every": 3},
    "runtime": {"device": "cpu", "threads": 1},
}
PICTURES = {
    "data": {"name": "unlabelled_pictures", "of": "digits", "scored": 20, "augment": ["horizontal_flip"]},
    "model": {"name": "dcgan", "width": 4, "latent": 5},
    "loss": "minimax",
    "algorithm": {"name": "adversarial", "fresh_latents": True},
    "budget": {"steps": 4, "batch_size": 500, "validate_every": 2, "log_every": 3},
    "runtime": {"device": "cpu", "threads": 1, "accumulate": 3},
}


def pictures(folder: Path) -> dict[int, bytes]:
    return {step: path.read_bytes() for step, path in kept(folder)}


@pytest.mark.promise("R1")
def test_both_players_stopped_after_any_step(tmp_path: Path) -> None:
    _, recipe = load_recipe(RECIPE)
    whole = remains(start("whole", recipe, tmp_path / "whole"))
    assert whole["step"] == 9
    assert set(whole["state"]["training"]["optimizers"]) == {"discriminator", "generator"}
    for k in range(1, 9):
        run = resumed(start_and_stop(recipe, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"
        assert pictures(run.folder.path) == pictures(tmp_path / "whole" / "whole-1")


@pytest.mark.promise("R1")
def test_with_running_statistics_flips_and_micro_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))
    _, recipe = load_recipe(PICTURES)
    whole = remains(start("whole", recipe, tmp_path / "whole"))
    for k in (1, 3):
        run = resumed(start_and_stop(recipe, tmp_path / f"stopped after {k}", k, "whole"))
        assert differences(remains(run), whole) == [], f"stopped after {k}"
        assert pictures(run.folder.path) == pictures(tmp_path / "whole" / "whole-1")


@pytest.mark.slow
@pytest.mark.promise("R13")
def test_two_processes_are_one(tmp_path: Path) -> None:
    plain = {**RECIPE["model"], "dropout": 0.0, "dropout_input": 0.0}  # each process has a dropout stream of its own
    runs = []
    for processes in (1, 2):
        file = tmp_path / f"{processes}.yaml"
        runtime = {**RECIPE["runtime"], "processes": processes}
        file.write_text(load_recipe({**RECIPE, "model": plain, "runtime": runtime})[1].to_yaml(), encoding="utf-8")
        command = [sys.executable, "-m", "fourfold", "run", str(file), "--workspace", str(tmp_path / str(processes))]
        subprocess.run(command, check=True, capture_output=True)
        runs.append(load_newest(tmp_path / str(processes) / f"{processes}-1" / "checkpoints")[0].model)
    for name, weight in runs[0].items():
        torch.testing.assert_close(runs[1][name], weight, rtol=0, atol=1e-5)


def test_a_run_is_scored_by_its_data_and_predicts_nothing(tmp_path: Path) -> None:
    run = start("points", load_recipe(RECIPE)[1], tmp_path)
    assert set(run.metrics["test"]) == set(run.spec.metrics)
    assert run.headline == "jensen_shannon"
    names = {point.name for point in run.folder.points()}
    assert {"train.discriminator_loss", "train.generator_loss", "train.discriminator_accuracy"} <= names
    with pytest.raises(InputError, match="point synthesis predicts nothing of an example"):
        predict(run, [{"x": 1.0, "y": 0.0}])


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ({"algorithm": "supervised"}, "use algorithm=adversarial"),
        ({"model": "mlp"}, "adversarial moves two players"),
        ({"loss": "mse"}, "mse is for regression, but this data poses point_synthesis"),
        ({"data": "two_moons"}, "gan is for synthesis, but this data poses classification"),
    ],
)
def test_parts_that_do_not_fit_leave_nothing(override, says, tmp_path: Path) -> None:
    _, recipe = load_recipe(RECIPE, override)
    with pytest.raises(InputError, match=says):
        start("points", recipe, tmp_path / "workspace")
    assert not (tmp_path / "workspace").exists()
