"""Stochastic gradient descent, by hand."""

import pytest
import torch
from torch import nn

from fourfold.algorithms.optimizers import SGD


@pytest.mark.promise("R14")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
def test_two_steps_by_hand(monkeypatch, fast) -> None:
    if not fast:
        monkeypatch.setattr(SGD, "fast_devices", ())
    param = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    own = SGD([param], lr=0.1)
    param.grad = torch.tensor([2.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(0.8, rel=1e-14)
    param.grad = torch.tensor([-1.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(0.9, rel=1e-14)
