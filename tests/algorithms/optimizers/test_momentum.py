"""The heavy ball, by hand."""

import pytest
import torch
from torch import nn

from fourfold.algorithms.optimizers import Momentum


@pytest.mark.promise("R14")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
def test_two_steps_by_hand(monkeypatch, fast) -> None:
    if not fast:
        monkeypatch.setattr(Momentum, "fast_devices", ())
    param = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    own = Momentum([param], lr=0.1, momentum=0.5)
    param.grad = torch.tensor([2.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(1 - 0.1 * 2, rel=1e-14)
    param.grad = torch.tensor([1.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(0.8 - 0.1 * (0.5 * 2 + 1), rel=1e-14)
