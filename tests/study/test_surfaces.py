import pytest
import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.study.surfaces import SURFACES, find_surface


def _ravine(x: float, y: float) -> tuple[float, float]:
    return x, 50 * y


def _saddle(x: float, y: float) -> tuple[float, float]:
    return x, y**3 - y


def _beale(x: float, y: float) -> tuple[float, float]:
    a, b, c = 1.5 - x * (1 - y), 2.25 - x * (1 - y**2), 2.625 - x * (1 - y**3)
    return (
        -2 * a * (1 - y) - 2 * b * (1 - y**2) - 2 * c * (1 - y**3),
        2 * a * x + 4 * b * x * y + 6 * c * x * y**2,
    )


def _rosenbrock(x: float, y: float) -> tuple[float, float]:
    return -2 * (1 - x) - 400 * x * (y - x**2), 200 * (y - x**2)


def _himmelblau(x: float, y: float) -> tuple[float, float]:
    a, b = x**2 + y - 11, x + y**2 - 7
    return 4 * x * a + 2 * b, 2 * a + 4 * y * b


def _wells(x: float, y: float) -> tuple[float, float]:
    return (x + 1) * (x + 0.5) * (x - 1.5), y


BY_HAND = {
    "ravine": _ravine,
    "saddle": _saddle,
    "beale": _beale,
    "rosenbrock": _rosenbrock,
    "himmelblau": _himmelblau,
    "wells": _wells,
}
# a value at a point that is no minimum, worked out by hand
VALUES = {
    "ravine": ((2, 1), 27),
    "saddle": ((2, 2), 4),
    "beale": ((0, 0), 1.5**2 + 2.25**2 + 2.625**2),
    "rosenbrock": ((-1.2, 1), 24.2),  # problem 1 of More, Garbow and Hillstrom, at its start
    "himmelblau": ((0, 0), 170),
    "wells": ((2, 1), 4 - 3.5 - 1.5 + 0.5),
}
LOWEST = {"ravine": 0, "saddle": -0.25, "beale": 0, "rosenbrock": 0, "himmelblau": 0, "wells": -1.828125}


def _point(x: float, y: float) -> Tensor:
    return torch.tensor([x, y], dtype=torch.float64)


def test_every_surface_is_checked() -> None:
    assert list(SURFACES) == list(BY_HAND) == list(VALUES) == list(LOWEST)
    assert all(name == each.name for name, each in SURFACES.items())


@pytest.mark.parametrize("name", SURFACES)
def test_gradients_are_those_written_out_by_hand(name: str) -> None:
    draw = torch.Generator().manual_seed(3)
    points = 6 * torch.rand(40, 2, generator=draw, dtype=torch.float64) - 3
    expected = torch.tensor([BY_HAND[name](x, y) for x, y in points.tolist()], dtype=torch.float64)
    torch.testing.assert_close(SURFACES[name].gradient(points), expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", SURFACES)
def test_values_are_those_worked_out_by_hand(name: str) -> None:
    (x, y), value = VALUES[name]
    assert float(SURFACES[name].value(_point(x, y))) == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize("name", SURFACES)
def test_critical_points_are_what_they_are_called(name: str) -> None:
    surface = SURFACES[name]
    for kind, places in (("minimum", surface.minima), ("saddle", surface.saddles)):
        for place in places:
            point = _point(*place)
            assert float(surface.gradient(point).norm()) < 1e-11
            low, high = torch.linalg.eigvalsh(surface.hessian(point)).tolist()
            assert high > 0
            assert (low > 0) == (kind == "minimum")
    depths = [float(surface.value(_point(*place))) for place in surface.minima]
    assert depths[0] == pytest.approx(LOWEST[name], abs=1e-12)
    assert depths == pytest.approx(sorted(depths), abs=1e-12)


@pytest.mark.parametrize("name", SURFACES)
def test_nothing_in_the_window_is_lower_than_the_first_minimum(name: str) -> None:
    surface = SURFACES[name]
    window = surface.window
    x, y = torch.linspace(window.left, window.right, 300), torch.linspace(window.bottom, window.top, 300)
    values = surface.value(torch.stack(torch.meshgrid(x, y, indexing="ij"), dim=-1).double())
    assert float(values.min()) >= LOWEST[name] - 1e-9


@pytest.mark.parametrize("name", SURFACES)
def test_the_picture_holds_the_start_and_every_critical_point_but_not_on_its_edge(name: str) -> None:
    surface = SURFACES[name]
    left, right, bottom, top = surface.window
    assert (right - left) / (top - bottom) == pytest.approx(4 / 3)
    for x, y in (surface.start, *surface.minima, *surface.saddles):
        assert surface.window.holds(x, y)
        assert min(x - left, right - x) > 0.04 * (right - left)
        assert min(y - bottom, top - y) > 0.04 * (top - bottom)
    assert not surface.window.holds(right + 1, top)


def test_the_ravine_s_valley_leads_along_x() -> None:
    valley = SURFACES["ravine"].valley((0.0, 0.0))
    assert valley.abs().tolist() == pytest.approx([1, 0])
    assert SURFACES["wells"].valley((1.5, 0.0)).abs().tolist() == pytest.approx([0, 1])  # 5 along x, 1 along y


def test_an_unknown_surface_is_met_with_the_nearest() -> None:
    assert find_surface("beale") is SURFACES["beale"]
    with pytest.raises(InputError, match="no surface called 'ravin'; did you mean 'ravine'"):
        find_surface("ravin")
