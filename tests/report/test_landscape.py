import io
import re
from typing import Any

import numpy as np
import pytest
import torch

from fourfold.report.landscape import draw_landscape, draw_line, draw_path, is_logarithmic, levels
from fourfold.report.view_page import view_page
from fourfold.study.landscape import PathPlane, Plane


def _plane(function, reach: float = 1.0, points: int = 21) -> Plane:
    places = torch.linspace(-reach, reach, points, dtype=torch.float64)
    x, y = torch.meshgrid(places, places, indexing="xy")
    losses = function(x, y)
    return Plane(places, places, losses, float(losses[points // 2, points // 2]))


BOWL = _plane(lambda x, y: 1 + x**2 + 2 * y**2)
STEEP = _plane(lambda x, y: 1e-3 * torch.exp(4 * x**2 + 4 * y**2), reach=0.8)


def test_a_wide_span_is_logarithmic_and_nothing_below_zero_ever_is() -> None:
    assert not is_logarithmic(BOWL.losses.numpy())
    assert is_logarithmic(STEEP.losses.numpy())
    assert not is_logarithmic(np.array([-1.0, 1e9]))
    assert is_logarithmic(np.array([1.0, 100.0, np.inf, np.nan]))
    assert not is_logarithmic(np.array([np.nan]))


def test_lines_are_evenly_spaced_losses_inside_the_span() -> None:
    assert levels(np.array([0.0, 13.0])) == [float(k) for k in range(1, 13)]
    steep = levels(np.array([1.0, 1e13]))
    assert np.diff(np.log10(steep)) == pytest.approx(np.ones(11))
    assert levels(np.array([2.0, 2.0])) == levels(np.array([np.nan])) == []


@pytest.mark.parametrize("plane", [BOWL, STEEP], ids=["even", "logarithmic"])
def test_contour_lines_lie_where_the_loss_is_what_they_say(plane: Plane) -> None:
    from matplotlib.contour import QuadContourSet

    axes = draw_landscape(plane, "loss")[0].figure.axes[0]
    lines = next(each for each in axes.collections if isinstance(each, QuadContourSet) and not each.filled)
    checked = 0
    for level, line in zip(lines.levels, lines.get_paths(), strict=True):
        for x, y in line.vertices[:: max(1, len(line.vertices) // 5)]:
            exact = 1 + x**2 + 2 * y**2 if plane is BOWL else 1e-3 * np.exp(4 * x**2 + 4 * y**2)
            assert exact == pytest.approx(level, rel=0.05)
            checked += 1
    assert checked > 30
    star = next(line for line in axes.lines if line.get_marker() == "*")
    assert np.asarray(star.get_xydata()).tolist() == [[0, 0]]


def test_rows_are_the_second_direction_and_columns_the_first() -> None:
    from matplotlib.contour import QuadContourSet

    slope = _plane(lambda x, y: 1 + y)
    lines = next(
        each
        for each in draw_landscape(slope, "loss")[0].figure.axes[0].collections
        if isinstance(each, QuadContourSet) and not each.filled
    )
    for level, line in zip(lines.levels, lines.get_paths(), strict=True):
        np.testing.assert_allclose(line.vertices[:, 1], level - 1, atol=1e-9)
    surface = draw_landscape(slope, "loss")[1].figure.axes[0]
    polygons: Any = surface.collections[0]
    corners = polygons._faces.reshape(-1, 3) if hasattr(polygons, "_faces") else polygons._vec[:3].T  # until 3.10
    x, y, z = np.asarray(corners).T
    np.testing.assert_allclose(z, 1 + y, atol=1e-9)
    assert np.ptp(x) == 2


def test_the_way_is_drawn_from_the_circle_to_the_star() -> None:
    places = torch.tensor([[-3.0, 1.0], [-1.0, -1.0], [0.0, 0.0]], dtype=torch.float64)
    path = PathPlane(torch.zeros(2), torch.zeros(2), places, (0.8, 0.15))
    drawn = draw_path(_plane(lambda x, y: 1 + x**2 + y**2, reach=4), path, "loss")
    axes = drawn.figure.axes[0]
    way, start, end = (np.asarray(line.get_xydata()).tolist() for line in axes.lines)
    assert way == places.tolist()
    assert (start, end) == ([[-3, 1]], [[0, 0]])
    assert "80 % of" in axes.get_xlabel()
    assert "15 %" in axes.get_ylabel()


@pytest.mark.parametrize(
    "plane",
    [
        _plane(lambda x, y: torch.where(x > 0.5, torch.inf, 1 + x**2)),
        _plane(lambda x, y: torch.full_like(x, torch.nan)),
        _plane(lambda x, y: torch.ones_like(x)),
        _plane(lambda x, y: -2 + 0 * x),
    ],
    ids=["partly infinite", "nothing finite", "flat", "flat below zero"],
)
def test_a_plane_with_holes_or_without_slope_is_drawn_without_a_warning(plane: Plane) -> None:
    for drawn in draw_landscape(plane, "loss"):
        drawn.figure.savefig(io.BytesIO(), format="png", dpi=40)
        drawn.to_html()


def test_a_line_has_its_losses_and_both_networks_on_it() -> None:
    alphas = torch.tensor([-0.5, 0.0, 0.5, 1.0], dtype=torch.float64)
    drawn = draw_line(torch.tensor([np.inf, 2.0, 5.0, 3.0]).double(), alphas, ("one", "$둘$ <b>"), "loss")
    line, stars = drawn.figure.axes[0].lines
    assert np.asarray(line.get_xydata())[1:].tolist() == [[0, 2], [0.5, 5], [1, 3]]
    assert np.asarray(stars.get_xydata()).tolist() == [[0, 2], [1, 3]]
    assert "at 2 and 3" in drawn.caption
    assert drawn.figure.axes[0].get_xlabel() == "0 is one, 1 is $둘$ <b>"
    drawn.to_html()
    steep = draw_line(torch.tensor([9.0, 1.0, 500.0, 3.0]).double(), alphas, ("a", "b"), "loss")
    assert steep.figure.axes[0].get_yscale() == "log"
    steep.to_html()


def test_the_page_has_both_figures_and_loads_nothing() -> None:
    page = view_page(
        "a <i>kind",
        "<b>run</b>",
        "The <b>loss",
        draw_landscape(STEEP, "손실 <b>"),
        [("1", "loss")],
        "made <b>so",
        [("points", "21 x 21")],
        "fourfold landscape",
        "1",
    )
    for text in ("<b>", "<i>"):
        assert text not in page.replace('class="card tile "><b>', "")
    assert "손실 &lt;b&gt;" in page
    assert 'id="landscape"' in page
    assert 'id="landscape-3d"' in page
    assert re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page) == []
    assert "mathdefault" not in page
