"""Adagrad, by hand."""

import pytest
import torch
from torch import nn

from fourfold.algorithms.optimizers import Adagrad


@pytest.mark.promise("R14")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
def test_two_steps_by_hand(monkeypatch, fast) -> None:
    if not fast:
        monkeypatch.setattr(Adagrad, "fast_devices", ())
    param = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    own = Adagrad([param], lr=0.1, eps=0.5)
    # G = 9, then 25
    param.grad = torch.tensor([3.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(1 - 0.1 * 3 / (3 + 0.5), rel=1e-14)
    param.grad = torch.tensor([4.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(1 - 0.1 * 3 / 3.5 - 0.1 * 4 / (5 + 0.5), rel=1e-14)
