"""What claims read from a cell with functions of their own."""

import math
from pathlib import Path

import pytest
import torch

import fourfold
from fourfold.claims.ce_imbalance import minority_precision, minority_recall
from fourfold.claims.loss_is_not_the_goal import disagreement, gain_after_the_lowest_loss, rise_of_loss
from fourfold.study.cells import CellResult


def cell_of(run: fourfold.Run) -> CellResult:
    return CellResult("done", run.metrics, run.folder.path, run.result, {})


@pytest.mark.parametrize(
    ("losses", "scores", "share"),
    [
        ([9, 9, 3, 2, 1, 0.5, 0.4, 0.3], [0, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], 0.0),  # loss says it all
        ([9, 9, 3, 2, 1, 0.5, 0.4, 0.3], [0, 0, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], 1.0),  # and the opposite
        ([0, 9, 3, 2, 1, 0.5, 0.4, 0.3], [0, 0, 0.1, 0.2, 0.3, 0.4, 0.6, 0.5], 1 / 15),  # the beginning is left out
        ([9, 9, 3, 2, 1, 0.5, 0.4, 0.3], [0, 0, 0.1, 0.1, 0.1, 0.1, 0.2, 0.1], 1 / 5),  # a tie is no disagreement
        ([9, 9, 1, 1, 1, 1, 1, 1], [0, 0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6], math.nan),
    ],
)
def test_pairs_in_which_the_lower_loss_has_the_lower_f1(losses, scores, share, monkeypatch):
    curves = {"validation.loss": losses, "validation.macro_f1": scores}
    monkeypatch.setattr(
        "fourfold.claims.loss_is_not_the_goal.curve", lambda cell, name: list(enumerate(curves[name], 1))
    )
    cell = CellResult("done", {}, Path("nowhere"), {}, {})
    assert disagreement(cell) == pytest.approx(share, nan_ok=True)


def test_what_comes_after_the_lowest_loss(monkeypatch):
    """Twenty validations: the loss is lowest at the sixth; the last two are late."""
    curves = {"validation.loss": [9, 8, 5, 4, 3, 2, 3, *[4] * 11, 5, 7], "validation.macro_f1": [0.1] * 5 + [0.4] * 15}
    curves["validation.macro_f1"][-2:] = [0.5, 0.6]
    monkeypatch.setattr(
        "fourfold.claims.loss_is_not_the_goal.curve", lambda cell, name: list(enumerate(curves[name], 1))
    )
    cell = CellResult("done", {}, Path("nowhere"), {}, {})
    assert rise_of_loss(cell) == pytest.approx(math.log(6 / 2))
    assert gain_after_the_lowest_loss(cell) == pytest.approx(0.55 - 0.4)
    diverged = cell._replace(status="diverged")
    assert all(math.isnan(of(diverged)) for of in (rise_of_loss, gain_after_the_lowest_loss, disagreement))


def test_the_recall_of_the_smaller_class_is_that_of_the_run_s_scores(tmp_path: Path):
    """Of two classes it follows from accuracy and macro recall, which the run has recorded."""
    settings = {"data.num_examples": 420, "data.imbalance": 4, "data.noise": 0.4, "budget.epochs": 3}
    run = fourfold.run("moons-mlp", {**settings, "data.test": 0.5}, workspace=tmp_path)
    (batch,) = run.parts.source.split("test", 1000)
    share = float((batch.targets == 1).double().mean())
    assert share == pytest.approx(0.2, abs=0.01)
    accuracy, macro = run.metrics["test"]["accuracy"], run.metrics["test"]["macro_recall"]
    expected = (accuracy - 2 * macro * (1 - share)) / (2 * share - 1)
    assert 0 < expected < 1
    assert minority_recall(cell_of(run)) == pytest.approx(expected, abs=1e-6)
    hits = expected * share
    named = hits + (1 - share) - (accuracy - hits)  # of all: those found, and those of the larger class that were not
    other = (accuracy - hits) / (1 - named)
    precision = 2 * run.metrics["test"]["macro_precision"] - other
    assert minority_precision(cell_of(run)) == pytest.approx(precision, abs=1e-6)
    assert precision == pytest.approx(hits / named)
    assert math.isnan(minority_recall(cell_of(run)._replace(status="diverged")))
    assert math.isnan(minority_precision(cell_of(run)._replace(status="diverged")))
    assert torch.is_grad_enabled()
