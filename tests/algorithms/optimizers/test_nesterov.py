"""Nesterov's accelerated gradient, by hand and against the form that looks ahead."""

import pytest
import torch
from torch import nn

from fourfold.algorithms.optimizers import Nesterov


@pytest.mark.promise("R14")
@pytest.mark.parametrize("fast", [True, False], ids=["fast", "equations"])
def test_two_steps_by_hand(monkeypatch, fast) -> None:
    if not fast:
        monkeypatch.setattr(Nesterov, "fast_devices", ())
    param = nn.Parameter(torch.tensor([1.0], dtype=torch.float64))
    own = Nesterov([param], lr=0.1, momentum=0.5)
    param.grad = torch.tensor([2.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(1 - 0.1 * (2 + 0.5 * 2), rel=1e-14)
    param.grad = torch.tensor([1.0], dtype=torch.float64)
    own.step()
    assert param.item() == pytest.approx(0.7 - 0.1 * (1 + 0.5 * 2), rel=1e-14)


def test_is_sutskevers_form_seen_from_where_it_looks_ahead() -> None:
    """Eq. 3 and 4: v_t = mu v_{t-1} - lr grad(theta_{t-1} + mu v_{t-1}), theta_t = theta_{t-1} + v_t."""
    lr, mu = 0.05, 0.8
    theta, velocity = 3.0, 0.0
    param = nn.Parameter(torch.tensor([3.0], dtype=torch.float64))
    own = Nesterov([param], lr=lr, momentum=mu)
    for _ in range(50):
        velocity = mu * velocity - lr * (2 * (theta + mu * velocity) + 1)
        theta += velocity
        param.grad = 2 * param.detach() + 1
        own.step()
        assert param.item() == pytest.approx(theta + mu * velocity, rel=1e-12)
