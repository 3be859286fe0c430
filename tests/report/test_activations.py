import io
import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.report.activations import ALL, curve, describe, draw_activations, in_words


def test_each_panel_shows_value_and_derivative() -> None:
    figure = draw_activations()
    figure.savefig(io.BytesIO(), format="png", dpi=40)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert len(panels) == len(ALL)
    for axes, name in zip(panels, ALL, strict=True):
        lines = {line.get_label(): line for line in axes.lines}
        x = torch.tensor(np.asarray(lines["value"].get_xdata()))
        y = lines["value"].get_ydata()
        expected = (
            F.softmax(x[:, None] * torch.tensor([1, 0, 0]), 1)[:, 0] if name == "softmax" else getattr(F, name)(x)
        )
        np.testing.assert_allclose(y, expected, atol=1e-12)
        slope = np.gradient(np.asarray(y), x.numpy())
        drawn = np.asarray(lines["derivative"].get_ydata())
        smooth = np.isfinite(drawn) & (np.abs(np.asarray(x)) > 0.05)
        np.testing.assert_allclose(drawn[smooth], slope[smooth], atol=2e-4)


@pytest.mark.parametrize(("name", "edge"), [("sigmoid", 2.887), ("tanh", 2.178)])
def test_the_shaded_stretch_is_where_the_derivative_is_small(name, edge) -> None:
    axes = draw_activations([name]).axes[0]
    left, right = (path.get_extents() for path in axes.collections[0].get_paths())
    assert (left.x0, right.x1) == (-6, 6)
    assert left.x1 == pytest.approx(-edge, abs=0.02)
    assert right.x0 == pytest.approx(edge, abs=0.02)


def test_softmax_is_the_first_of_three_shares() -> None:
    x, value, derivative = curve("softmax")
    at_zero = int(x.abs().argmin())
    assert value[at_zero].item() == pytest.approx(1 / 3)
    assert derivative[at_zero].item() == pytest.approx(2 / 9)


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'sigmoid'"):
        draw_activations(["sigmod"])


def test_saturated_stretches_are_solved_by_hand() -> None:
    edge = math.log((1 + math.sqrt(0.8)) / (1 - math.sqrt(0.8)))  # s (1 - s) = 0.05
    assert describe("sigmoid").saturated == [(-math.inf, round(-edge, 2)), (round(edge, 2), math.inf)]
    assert describe("sigmoid").steepest == pytest.approx(0.25)
    edge = math.atanh(math.sqrt(0.95))  # 1 - t^2 = 0.05
    assert describe("tanh").saturated == [(-math.inf, round(-edge, 2)), (round(edge, 2), math.inf)]
    assert describe("relu").saturated == [(-math.inf, 0)]
    assert in_words(describe("relu").saturated) == "x < 0"  # and not "x < -0"
    assert describe("leaky_relu").saturated == [(-math.inf, 0)]
    assert [math.isinf(low) for low, _ in describe("gelu").saturated] == [True, False]  # far left, and at its dip


def test_stretches_are_said_as_one_reads_them() -> None:
    assert in_words([(-math.inf, -2.5), (-0.8, -0.7), (3, math.inf)]) == "x < -2.5, -0.8 < x < -0.7, x > 3"
    assert in_words([]) == "nowhere"
