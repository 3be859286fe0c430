"""Adadelta, by hand."""

from math import sqrt

import pytest
import torch
from torch import nn

from fourfold.algorithms.optimizers import Adadelta


@pytest.mark.promise("R14")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
def test_two_steps_by_hand(monkeypatch, fast) -> None:
    if not fast:
        monkeypatch.setattr(Adadelta, "fast_devices", ())
    param = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    own = Adadelta([param], rho=0.5, eps=1.0)
    # E[g^2] = 2, then 1.5; E[d^2] = 0, then 2/3
    param.grad = torch.tensor([2.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(1 - 2 / sqrt(0.5 * 4 + 1), rel=1e-14)
    param.grad = torch.tensor([1.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(
        1 - 2 / sqrt(3) - sqrt(0.5 * 4 / 3 + 1) / sqrt(0.5 * 2 + 0.5 * 1 + 1), rel=1e-14
    )
