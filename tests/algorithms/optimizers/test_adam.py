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
