"""Both experiments, where what comes out is known."""

import math

import pytest

from fourfold.claims.momentum_escapes import share_in_deep, steps_on_saddle


@pytest.mark.parametrize(
    ("optimizer", "growth"),
    [
        ("descent", 1.02),  # 1 + lr, lr = 1/50
        ("momentum", (1.92 + math.sqrt(1.92**2 - 3.6)) / 2),  # the larger root of z^2 - (1.9 + lr) z + 0.9
        ("descent, largest step", 1.039),
    ],
)
def test_a_saddle_is_left_at_the_rate_that_its_curvature_gives(optimizer: str, growth: float):
    """Noise of 0.01 makes about 0.01 lr of the way out at each step, which grows by `growth`, up to 0.1."""
    mean = sum(steps_on_saddle(optimizer, seed) for seed in range(3)) / 3
    lr = 0.039 if "largest" in optimizer else 0.02
    e_folds = math.log(0.1 / (0.01 * lr / math.sqrt(2 * math.log(growth)))) / math.log(growth)
    assert mean == pytest.approx(e_folds, rel=0.6)


def test_descent_stays_in_the_shallow_minimum():
    assert share_in_deep("descent", 0) == 0.0
    assert share_in_deep("momentum", 0) > 0.5
