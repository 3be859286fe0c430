"""The weights that were scored are the weights that are saved."""

from pathlib import Path
from typing import Any

import pytest

import fourfold as ff
from fourfold.run.evaluate import evaluate

RECIPE: dict[str, Any] = {
    "data": "iris",
    "model": {"name": "mlp", "widths": [8]},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": 3.0}},
    "budget": {"steps": 4, "batch_size": 16, "validate_every": 1},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}


def scored_again(run: ff.Run) -> float:
    return evaluate(run.model, run.parts.loss, run.parts.source, "validation")["loss"]


def test_early_stopping_saves_and_scores_the_best_weights(tmp_path: Path) -> None:
    stopping = {"name": "early_stopping", "metric": "loss", "patience": 50}
    run = ff.run(RECIPE, {"algorithm.regularizers": [stopping]}, workspace=tmp_path)
    losses = [value for _, value in run.curve("validation.loss")]
    assert losses[-1] > min(losses), "the last weights are the best, which shows nothing"
    assert run.metrics["validation"]["loss"] == pytest.approx(min(losses), rel=1e-6)
    assert scored_again(run) == pytest.approx(min(losses), rel=1e-6)


def test_an_average_is_what_is_validated_and_saved(tmp_path: Path) -> None:
    run = ff.run(RECIPE, {"algorithm.regularizers": [{"name": "ema", "decay": 0.9}]}, workspace=tmp_path)
    assert scored_again(run) == pytest.approx(run.curve("validation.loss")[-1][1], rel=1e-6)
