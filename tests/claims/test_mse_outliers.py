"""The lines of least loss, each against another way to find it; and which points are moved."""

from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from fourfold.claims.mse_outliers import BEYOND, NOISE, minimum, points, slope, slope_shift
from fourfold.losses.huber import huber
from fourfold.losses.mae import mae
from fourfold.losses.mse import mse


def on_line(x: torch.Tensor, line: tuple[float, float]) -> torch.Tensor:
    return line[0] + line[1] * x


@pytest.mark.parametrize("distance", [0, 20])
def test_squared_error_has_the_line_of_least_squares(distance: float):
    x, y = points(3, distance)
    slope_, intercept = np.polyfit(x[:, 0].numpy(), y[:, 0].numpy(), 1)
    assert minimum(mse, x, y) == pytest.approx((intercept, slope_), rel=1e-9)
    assert slope("squared", 3, distance) == pytest.approx(slope_, rel=1e-9)


@pytest.mark.parametrize("distance", [0, 20])
def test_absolute_error_has_the_best_of_all_lines_through_two_points(distance: float):
    x, y = points(3, distance)
    lines = []
    for (a, b), (c, d) in combinations(torch.cat([x, y], 1).tolist(), 2):
        slope_ = (d - b) / (c - a)
        lines.append((b - slope_ * a, slope_))
    best = min(lines, key=lambda line: float(mae(on_line(x, line), y).total))
    assert minimum(mae, x, y) == pytest.approx(best, abs=1e-4)
    assert slope("absolute", 3, distance) == pytest.approx(best[1], abs=1e-4)


@pytest.mark.parametrize("distance", [0, 20])
def test_huber_has_the_line_that_a_minimiser_finds(distance: float):
    x, y = points(3, distance)
    delta = 1.345 * NOISE
    found = minimize(lambda line: float(huber(on_line(x, line), y, delta).total), [0.0, 1.0], tol=1e-12)
    assert minimum(lambda output, t: huber(output, t, delta), x, y) == pytest.approx(tuple(found.x), abs=1e-5)
    assert slope("huber", 3, distance) == pytest.approx(found.x[1], abs=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_ten_times_as_far_adds_ten_times_as_much_to_least_squares_and_nothing_to_the_others(seed: int):
    near, far = (slope_shift(f"squared{place}", seed, "full") for place in ("", ", ten times as far"))
    assert far / near == pytest.approx(10, rel=1e-9)
    for loss in ("absolute", "huber"):
        beyond = slope(loss, seed, 200) - slope(loss, seed, 20)
        assert slope_shift(f"{loss}, {BEYOND}", seed, "full") == abs(beyond) < 1e-6


def test_five_points_of_the_right_half_are_moved_up_and_nothing_else():
    (x, clean), (again, planted) = points(0, 0), points(0, 20)
    assert torch.equal(x, again)
    moved = (planted - clean)[:, 0]
    assert sorted(moved.round(decimals=9).unique().tolist()) == [0.0, 2.0]
    assert int((moved > 0).sum()) == 5
    assert (x[moved > 0] > 0).all()
    assert not torch.equal(points(1, 0)[1], clean)
