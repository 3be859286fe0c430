"""Adam, by hand."""

from math import sqrt

import pytest
import torch
from torch import nn

from fourfold.algorithms.optimizers import Adam


@pytest.mark.promise("R14")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
def test_two_steps_by_hand(monkeypatch, fast) -> None:
    if not fast:
        monkeypatch.setattr(Adam, "fast_devices", ())
    param = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    own = Adam([param], lr=0.1, betas=(0.5, 0.75), eps=1.0)
    # m = 1, 1; v = 1, 1; corrected by 1/2, 3/4 and 1/4, 7/16
    param.grad = torch.tensor([2.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(1 - 0.1 * 2 / (sqrt(4) + 1), rel=1e-14)
    param.grad = torch.tensor([1.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(1 - 0.1 * 2 / 3 - 0.1 * (1 / 0.75) / (sqrt(1 / (1 - 0.75**2)) + 1), rel=1e-14)


def test_first_step_is_the_rate_whatever_the_gradient() -> None:
    """Bias correction makes the first step lr * g / |g|; without it, it would be lr * (1 - b1) / sqrt(1 - b2)."""
    for gradient in (1e-4, 1.0, 1e4):
        param = nn.Parameter(torch.tensor([0.0], dtype=torch.float64))
        param.grad = torch.tensor([gradient], dtype=torch.float64)
        Adam([param], lr=0.01, eps=0.0).step()
        assert param.item() == pytest.approx(-0.01, rel=1e-12)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
def test_two_steps_by_hand_without_bias_correction(monkeypatch, fast) -> None:
    if not fast:
        monkeypatch.setattr(Adam, "fast_devices", ())
    param = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    own = Adam([param], lr=0.1, betas=(0.5, 0.75), eps=1.0, bias_correction=False)
    # m = 1, 1; v = 1, 1; as they are
    for gradient in (2.0, 1.0):
        param.grad = torch.tensor([gradient], dtype=torch.float64)
        own.step()
    assert param.item() == pytest.approx(1 - 0.1 * 1 / (1 + 1) - 0.1 * 1 / (1 + 1), rel=1e-14)
    assert own.state_dict()["state"][0]["step"] == 2


@pytest.mark.promise("R14")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
@pytest.mark.parametrize("beta2", [0.9, 0.999])
def test_without_bias_correction_and_momentum_it_is_rmsprop(monkeypatch, problem, fast, beta2) -> None:
    if not fast:
        monkeypatch.setattr(Adam, "fast_devices", ())
    mine, theirs = problem(), problem()
    own = Adam(mine.params, lr=0.01, betas=(0.0, beta2), eps=1e-8, bias_correction=False)
    oracle = torch.optim.RMSprop(theirs.params, lr=0.01, alpha=beta2, eps=1e-8)
    for a, b in zip(mine.run(own, range(100)), theirs.run(oracle, range(100)), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-14)
