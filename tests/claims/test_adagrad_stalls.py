"""What is left of a step: sequences of which it is known, and a short run of each optimizer."""

import pytest
import torch

from fourfold.claims.adagrad_stalls import rate_kept, trained


def test_a_step_that_falls_as_one_over_the_root_of_t():
    rates = torch.arange(1, 1001, dtype=torch.float64).rsqrt()
    early = sum(t**-0.5 for t in range(1, 101)) / 100
    late = sum(t**-0.5 for t in range(901, 1001)) / 100
    assert rate_kept(rates) == pytest.approx(late / early, rel=1e-12)


def test_a_step_that_stays():
    assert rate_kept(torch.full((50,), 0.3)) == pytest.approx(1.0)
    assert rate_kept(torch.tensor([2.0, 1.0])) == 0.5  # the first step and the last


def test_adagrad_loses_more_of_each_weights_step_than_rmsprop():
    adagrad, rmsprop = trained("adagrad", 0.1, 0, 200), trained("rmsprop", 0.003, 0, 200)
    assert adagrad is not None
    assert rmsprop is not None
    assert adagrad[2] < 0.9 < rmsprop[2] / adagrad[2]
    assert adagrad[1] < 0.8  # ln 2 = 0.69 is the loss of knowing nothing
