"""Classic surfaces over two numbers, on which an optimizer's path can be looked at.

    ravine      (x^2 + 50 y^2) / 2                                     Sutton 1986; Polyak 1964
    saddle      x^2 / 2 + y^4 / 4 - y^2 / 2                            Nesterov 2004, Example 1.2.2
    beale       (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2       Beale 1958
    rosenbrock  (1 - x)^2 + 100 (y - x^2)^2                            Rosenbrock 1960
    himmelblau  (x^2 + y - 11)^2 + (x + y^2 - 7)^2                     Himmelblau 1972
    wells       x^4 / 4 - 7 x^2 / 8 - 3 x / 4 + y^2 / 2                Thom 1972 (the cusp), with roots easy to check

Sources: Sutton, Two problems with backpropagation and other steepest-descent learning procedures for networks,
Cognitive Science Society 1986; Polyak, Some methods of speeding up the convergence of iteration methods, 1964;
Nesterov, Introductory Lectures on Convex Optimization, 2004; Beale, On an iterative method for finding a local minimum
of a function of more than one variable, Princeton 1958; Rosenbrock, An automatic method for finding the greatest or
least value of a function, Computer Journal 3, 1960; Himmelblau, Applied Nonlinear Programming, 1972; Thom, Stabilité
structurelle et morphogenèse, 1972. Beale's and Rosenbrock's minima are those of More, Garbow and Hillstrom, Testing
unconstrained optimization software, ACM TOMS 7, 1981, problems 1 and 5.
Departures: starts are chosen for the picture, and are the papers' only for Rosenbrock.
Checked by: gradients written out by hand; at every listed point the gradient is zero and the curvatures' signs fit.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from fourfold.core.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from torch import Tensor

Point = tuple[float, float]


class Window(NamedTuple):
    """The part of the plane that is drawn, four wide and three high, so that one unit is as long both ways."""

    left: float
    right: float
    bottom: float
    top: float

    def holds(self, x: float, y: float) -> bool:
        """Return whether a point lies in it, its border included."""
        return self.left <= x <= self.right and self.bottom <= y <= self.top


@dataclass(frozen=True)
class Surface:
    """A function of two numbers with known critical points.

    Attributes:
        name: its key, such as `ravine`.
        title: its name for reading.
        shows: what it is good for, a sentence.
        formula: the function, for reading.
        source: who thought of it.
        function: x and y, tensors of one shape, to the value, a tensor of that shape.
        minima: where it is lowest nearby, deepest first.
        saddles: where it is flat and neither lowest nor highest.
        start: where a race begins.
        window: what is drawn.
        steps: updates of a race unless one says otherwise.
    """

    name: str
    title: str
    shows: str
    formula: str
    source: str
    function: "Callable[[Tensor, Tensor], Tensor]"
    minima: tuple[Point, ...]
    saddles: tuple[Point, ...]
    start: Point
    window: Window
    steps: int

    def value(self, points: "Tensor") -> "Tensor":
        """Return the values `[…]` at points `[…, 2]`."""
        return self.function(points[..., 0], points[..., 1])

    def gradient(self, points: "Tensor") -> "Tensor":
        """Return the gradients `[…, 2]` at points `[…, 2]`, by autograd."""
        import torch

        with torch.enable_grad():
            points = points.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.value(points).sum(), points)
        return gradient

    def hessian(self, point: "Tensor") -> "Tensor":
        """Return the matrix of second derivatives `[2, 2]` at one point `[2]`, by autograd twice."""
        import torch

        with torch.enable_grad():  # not torch.func.hessian, which imports the compiler
            point = point.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.value(point), point, create_graph=True)
            rows = [torch.autograd.grad(each, point, retain_graph=True)[0] for each in gradient]
        return torch.stack(rows)

    def valley(self, minimum: Point) -> "Tensor":
        """Return the unit vector `[2]` along which the surface rises least at a minimum."""
        import torch

        _, directions = torch.linalg.eigh(self.hessian(torch.tensor(minimum, dtype=torch.float64)))
        return directions[:, 0]  # eigenvalues are in ascending order


SURFACES: Mapping[str, Surface] = {
    each.name: each
    for each in (
        Surface(
            name="ravine",
            title="Ravine",
            shows="Fifty times steeper across than along: descent zigzags or crawls, momentum runs along the floor.",
            formula="(x² + 50 y²) / 2",
            source="Sutton 1986; Polyak 1964",
            function=lambda x, y: (x**2 + 50 * y**2) / 2,
            minima=((0.0, 0.0),),
            saddles=(),
            start=(-4.0, 2.0),
            window=Window(-4.8, 2.4, -2.7, 2.7),
            steps=120,
        ),
        Surface(
            name="saddle",
            title="Saddle",
            shows="Flat at the middle and downhill on both sides: how long does each stay on the pass?",
            formula="x² / 2 + y⁴ / 4 − y² / 2",
            source="Nesterov 2004, Example 1.2.2",
            function=lambda x, y: x**2 / 2 + y**4 / 4 - y**2 / 2,
            minima=((0.0, 1.0), (0.0, -1.0)),
            saddles=((0.0, 0.0),),
            start=(-1.6, 0.001),
            window=Window(-2.0, 2.0, -1.5, 1.5),
            steps=120,
        ),
        Surface(
            name="beale",
            title="Beale",
            shows="Flat plains between walls: steps that suit the wall are lost on the plain.",
            formula="(1.5 − x + xy)² + (2.25 − x + xy²)² + (2.625 − x + xy³)²",
            source="Beale 1958",
            function=lambda x, y: (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2,
            minima=((3.0, 0.5),),
            saddles=((0.0, 1.0),),
            start=(1.0, 1.5),
            window=Window(-0.6, 4.2, -1.4, 2.2),
            steps=300,
        ),
        Surface(
            name="rosenbrock",
            title="Rosenbrock",
            shows="A bent ravine: easy to reach its floor, hard to follow it round the bend.",
            formula="(1 − x)² + 100 (y − x²)²",
            source="Rosenbrock 1960",
            function=lambda x, y: (1 - x) ** 2 + 100 * (y - x**2) ** 2,
            minima=((1.0, 1.0),),
            saddles=(),
            start=(-1.2, 1.0),
            window=Window(-2.0, 2.0, -0.75, 2.25),
            steps=400,
        ),
        Surface(
            name="himmelblau",
            title="Himmelblau",
            shows="Four minima of one depth: the same start, another end.",
            formula="(x² + y − 11)² + (x + y² − 7)²",
            source="Himmelblau 1972",
            function=lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
            minima=(
                (3.0, 2.0),
                (-2.805118086952745, 3.131312518250573),
                (-3.779310253377747, -3.283185991286169),
                (3.584428340330492, -1.848126526964404),
            ),
            saddles=(
                (0.086677504555396, 2.884254701174776),
                (3.385154183607021, 0.073851879837749),
                (-3.073025750764390, -0.081353044287968),
                (-0.127961346730680, -1.953714980244577),
            ),
            start=(0.5, 4.0),
            window=Window(-6.0, 6.0, -4.5, 4.5),
            steps=120,
        ),
        Surface(
            name="wells",
            title="Two wells",
            shows="A shallow minimum before a deep one: who rolls over the ridge between them?",
            formula="x⁴ / 4 − 7 x² / 8 − 3 x / 4 + y² / 2",
            source="Thom 1972, the cusp",
            function=lambda x, y: x**4 / 4 - 7 * x**2 / 8 - 3 * x / 4 + y**2 / 2,  # d/dx = (x + 1) (x + 1/2) (x - 3/2)
            minima=((1.5, 0.0), (-1.0, 0.0)),
            saddles=((-0.5, 0.0),),
            start=(-2.2, 1.4),
            window=Window(-2.6, 2.6, -1.95, 1.95),
            steps=120,
        ),
    )
}


def find_surface(name: str) -> Surface:
    """Return the surface of that name.

    Raises:
        InputError: there is none; the nearest is offered.
    """
    if name not in SURFACES:
        raise InputError(f"no surface called '{name}'{did_you_mean(name, SURFACES)}")
    return SURFACES[name]
