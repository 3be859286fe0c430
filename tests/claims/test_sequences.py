"""What the claims about sequences draw and count."""

import math

import numpy as np
import pytest

import fourfold
from fourfold.claims.gru_lighter import weights
from fourfold.claims.markov_forgets import drawn, score, series
from fourfold.study.cells import CellResult


@pytest.mark.parametrize("back", [1, 4])
def test_a_series_depends_on_one_step_and_on_no_other(back: int):
    x = np.concatenate([series(back, seed) for seed in range(10)])
    assert x.var() == pytest.approx(1 / (1 - 0.81), rel=0.1)
    for lag in range(1, 2 * back + 1):
        expected = 0.9 ** (lag / back) if lag % back == 0 else 0.0
        assert np.corrcoef(x[lag:], x[:-lag])[0, 1] == pytest.approx(expected, abs=0.04)


def test_the_last_step_says_all_or_nothing():
    assert score("markov, 1 back", 0, "quick") == pytest.approx(1, abs=0.15)
    assert score("tau of 8, 4 back", 0, "quick") == pytest.approx(1, abs=0.15)
    nothing = float(drawn(4, 0)._values[2000:].var())
    assert score("markov, 4 back", 0, "quick") == pytest.approx(nothing, rel=0.1)


@pytest.mark.parametrize(("cell", "blocks"), [("gru", 3), ("lstm", 4)])
def test_the_weights_of_the_recurrent_layers_alone_are_counted(cell: str, blocks: int, tmp_path):
    settings = {"model": {"name": cell, "width": 5}, "budget.steps": 1, "data.train_examples": 60, "data.length": 4}
    run = fourfold.run("adding-lstm", settings, workspace=tmp_path)
    found = CellResult("done", run.metrics, run.folder.path, run.result, {})
    assert weights(found) == blocks * 5 * (2 + 5 + 2)
    assert math.isnan(weights(found._replace(status="diverged")))
