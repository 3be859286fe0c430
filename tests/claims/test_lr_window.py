"""What a run counts as that ended without a network, for the two claims that give such runs a number."""

from pathlib import Path

import pytest

from fourfold.claims.adadelta_no_lr import DIVERGED, training_loss
from fourfold.claims.lr_window import training_error
from fourfold.study.cells import CellResult


def cell(status, metrics):
    return CellResult(status, metrics, Path("nowhere"), {}, {})


def test_a_finished_run_counts_with_its_own_score():
    done = cell("done", {"train": {"error": 0.25, "loss": 0.75}, "test": {"error": 0.5, "loss": 9.0}})
    assert training_error(done) == 0.25
    assert training_loss(done) == 0.75


@pytest.mark.parametrize("metrics", [{}, {"train": {"error": 0.1, "loss": 0.1}}])
def test_a_diverged_run_counts_as_worse_than_any_network(metrics):
    assert training_error(cell("diverged", metrics)) == 1.0
    assert training_loss(cell("diverged", metrics)) == DIVERGED


def test_a_loss_beyond_all_bounds_counts_as_diverged():
    assert training_loss(cell("done", {"train": {"loss": 1e30}})) == DIVERGED
