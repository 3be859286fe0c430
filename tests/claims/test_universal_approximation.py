"""The polygon that a hidden layer is built as."""

import math

import pytest

from fourfold.claims.universal_approximation import WIDTHS, built, found
from fourfold.models.mlp import MLPConfig
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Features

SPEC = RegressionSpec(Features(("x",)), ("y",), (0.0,), (1.0,))


@pytest.mark.parametrize("units", [8, 64, 200])
def test_its_error_is_just_below_the_bound_of_a_polygon(units: int):
    """Where h is small, the error of a polygon through points of f has the rms h^2 / sqrt(120) rms(f'')."""
    expected = (2 * math.pi) ** 2 / math.sqrt(2) / math.sqrt(120) / units**2
    assert built(units) == pytest.approx(expected, rel=0.05)
    assert built(units) < (2 * math.pi) ** 2 / 8 / units**2


def test_wide_and_deep_have_as_many_parameters():
    sizes = [
        sum(p.numel() for p in MLPConfig(widths=WIDTHS[w]).build(SPEC).parameters())
        for w in ("64 units", "12 + 12 units")
    ]
    assert sizes == [193, 193]


def test_training_gets_closer():
    assert found("8 units", 0, 300) < 0.5 * found("8 units", 0, 3) < 1
