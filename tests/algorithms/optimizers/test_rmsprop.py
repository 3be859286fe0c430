"""RMSprop, by hand."""

from math import sqrt

import pytest
import torch
from torch import nn

from fourfold.algorithms.optimizers import RMSprop


@pytest.mark.promise("R14")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
def test_two_steps_by_hand(monkeypatch, fast) -> None:
    if not fast:
        monkeypatch.setattr(RMSprop, "fast_devices", ())
    param = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    own = RMSprop([param], lr=0.1, alpha=0.5, eps=0.25)
    # r = 2, then 9
    param.grad = torch.tensor([2.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(1 - 0.1 * 2 / (sqrt(2) + 0.25), rel=1e-14)
    param.grad = torch.tensor([4.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(1 - 0.1 * 2 / (sqrt(2) + 0.25) - 0.1 * 4 / (3 + 0.25), rel=1e-14)


def test_no_bias_correction_however_slowly_the_mean_square_moves() -> None:
    """The first step is lr / sqrt(1 - alpha) times the sign, for alpha up to the last number below 1."""
    for alpha in (0.5, 0.999999, 1 - 2**-40):
        param = nn.Parameter(torch.tensor([0.0], dtype=torch.float64))
        param.grad = torch.tensor([2.0], dtype=torch.float64)
        RMSprop([param], lr=1e-9, alpha=alpha, eps=0.0).step()
        assert param.item() == pytest.approx(-1e-9 / sqrt(1 - alpha), rel=1e-9)
