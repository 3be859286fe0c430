"""The path of theta from the places looked ahead to, against the source's own equations."""

import pytest
import torch

from fourfold.algorithms.optimizers.nesterov import NesterovConfig
from fourfold.claims.nesterov_looks_ahead import on_ravine, trail


def test_theta_follows_from_the_places_looked_ahead_to():
    """Sutskever et al., Eq. 3 and 4: v = mu v - lr grad(theta + mu v); theta = theta + v, on (x^2 + 50 y^2) / 2."""
    mu, lr, curvature = 0.9, 0.01, torch.tensor([1.0, 50.0], dtype=torch.float64)
    theta, v = torch.tensor([3.0, -2.0], dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    expected = [theta]
    for _ in range(20):
        v = mu * v - lr * curvature * (theta + mu * v)
        theta = theta + v
        expected.append(theta)
    phi = torch.nn.Parameter(expected[0].clone())
    optimizer, held = NesterovConfig(lr=lr, momentum=mu).build([phi]), [expected[0]]
    for _ in range(20):
        phi.grad = curvature * phi.detach()
        optimizer.step()
        held.append(phi.detach().clone())
    assert torch.allclose(trail(torch.stack(held), mu), torch.stack(expected), rtol=1e-12, atol=0)


def test_the_overshoot_of_momentum_is_that_of_its_recurrence():
    """Along the floor x_{t+1} = x_t + v_{t+1}, v_{t+1} = 0.9 v_t - 0.01 x_t; how far past 0 is in proportion to x_0."""
    x, v, furthest = 1.0, 0.0, 0.0
    for _ in range(300):
        v = 0.9 * v - 0.01 * x
        x += v
        furthest = min(furthest, x)
    found, other = on_ravine("momentum", 0), on_ravine("nesterov", 0)
    assert found["ravine overshoot"] > other["ravine overshoot"]
    start = found["ravine overshoot"] / -furthest
    assert 0 < start <= 4
    assert found["ravine length"] > 4
    x, v, furthest = start, 0.0, 0.0
    for _ in range(300):
        v = 0.9 * v - 0.01 * (x + 0.9 * v)
        x += v
        furthest = min(furthest, x)
    assert other["ravine overshoot"] == pytest.approx(-furthest, rel=1e-9)
