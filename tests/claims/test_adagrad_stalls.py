"""What is left of a step: sequences of which it is known, and a short run of each optimizer."""

import pytest
import torch

from fourfold.claims.adagrad_stalls import rate_kept, score, trained


def test_a_step_that_falls_as_one_over_the_root_of_t():
    rates = torch.arange(1, 1001, dtype=torch.float64).rsqrt()
    assert rate_kept(rates) == pytest.approx((51 / 951) ** 0.5, rel=1e-12)  # of 100 the lower middle one: step t + 1


def test_a_step_that_is_huge_once_moves_nothing():
    rates = torch.full((1000,), 0.5)
    rates[950] = 1e9
    assert rate_kept(rates) == 1.0


def test_scores_are_halvings(monkeypatch: pytest.MonkeyPatch):
    """Of the step size with the lowest loss half-way: a quarter of the step is left, an eighth of the loss."""
    found = {0.1: (0.8, 0.1, 0.25, 2.0), 0.3: (0.9, 0.2, 9.0, 9.0)}
    monkeypatch.setattr("fourfold.claims.adagrad_stalls.trained", lambda optimizer, lr, seed, steps: found.get(lr))
    assert score("rate: adagrad", 0, "quick") == -2.0
    assert score("whole: adagrad", 0, "quick") == 1.0
    assert score("progress: adagrad", 0, "quick") == pytest.approx(-3.0)


def test_a_step_that_stays():
    assert rate_kept(torch.full((50,), 0.3)) == pytest.approx(1.0)
    assert rate_kept(torch.tensor([2.0, 1.0])) == 0.5  # the first step and the last


def test_adagrad_loses_more_of_each_weights_step_than_rmsprop():
    adagrad, rmsprop = trained("adagrad", 0.1, 0, 200), trained("rmsprop", 0.003, 0, 200)
    assert adagrad is not None
    assert rmsprop is not None
    assert adagrad[2] < 0.9 < rmsprop[2] / adagrad[2]
    assert adagrad[1] < 0.8  # ln 2 = 0.69 is the loss of knowing nothing
