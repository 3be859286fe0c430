import math

import pytest
import torch
from torch import Tensor

from fourfold.study.paths import (
    effective_rates,
    overshoot,
    path_length,
    step_sizes,
    steps_below,
    steps_to_leave,
    steps_to_reach,
)


def _path(*points: tuple[float, float]) -> Tensor:
    return torch.tensor(points, dtype=torch.float64)


ORIGIN = torch.zeros(2, dtype=torch.float64)
ALONG_X = torch.tensor([1.0, 0.0], dtype=torch.float64)


def test_steps_and_length_of_a_path_of_right_triangles() -> None:
    path = _path((0, 0), (3, 4), (3, 4), (8, -8))
    assert step_sizes(path).tolist() == [5, 0, 13]
    assert path_length(path) == 18
    assert path_length(path[:1]) == 0


def test_overshoot_is_how_far_a_path_goes_past_the_minimum_and_not_how_far_it_swings_aside() -> None:
    path = _path((-4, 1), (-1, -9), (0.75, 2), (-0.25, 0), (0.1, 0))
    assert overshoot(path, ORIGIN, ALONG_X) == 0.75
    assert overshoot(path, ORIGIN, -3 * ALONG_X) == 0.75  # neither sign nor length of the direction matters
    assert overshoot(-path, ORIGIN, ALONG_X) == 0.75
    assert overshoot(path, torch.tensor([1.0, 0], dtype=torch.float64), ALONG_X) == 0
    diagonal = torch.tensor([1.0, 1.0], dtype=torch.float64)
    assert overshoot(_path((-1, -1), (2, 2)), ORIGIN, diagonal) == pytest.approx(2 * math.sqrt(2))


def test_a_place_is_left_when_the_path_does_not_come_back() -> None:
    path = _path((1, 0), (0.2, 0), (0.6, 0), (0.1, 0), (0, 0.5), (0, 0.7))
    assert steps_to_leave(path, ORIGIN, 0.3) == 4
    assert steps_to_leave(path, ORIGIN, 0.65) == 5
    assert steps_to_leave(path, ORIGIN, 0.05) == 0  # never there
    assert steps_to_leave(path[:4], ORIGIN, 0.3) is None


def test_a_place_is_reached_when_the_path_stays() -> None:
    path = _path((4, 0), (0.1, 0), (-2, 0), (0.2, 0), (0, 0.1))
    assert steps_to_reach(path, ORIGIN, 0.3) == 3
    assert steps_to_reach(path, ORIGIN, 5) == 0
    assert steps_to_reach(path[:3], ORIGIN, 0.3) is None


def test_the_first_step_below_a_level() -> None:
    losses = torch.tensor([3.0, 2.0, 4.0, 1.0])
    assert [steps_below(losses, level) for level in (5, 2, 1.5, 0.5)] == [0, 1, 3, None]


def test_the_effective_rate_is_step_over_gradient() -> None:
    rates = effective_rates(torch.tensor([1.0, 0.5, 0.0]), torch.tensor([2.0, 0.0, 0.0]))
    assert rates.tolist() == [0.5, 0, 0]
