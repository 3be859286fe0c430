"""How far planted outliers pull the slope of a line that is fitted by squared, absolute and Huber's loss.

Fifty points along y = x, x between -1 and 1, with noise of deviation 0.1; five of the right half are moved up by 20
such deviations, or by 200. The score is how much the slope changes by that. Each line is the minimum of the loss part
itself. Huber's delta is 1.345 deviations, where it is 95 % as efficient as squared error if there are no outliers.
Outliers in x, against which absolute error does not help either, are not in here. By absolute error a line may not
move at all, so that differences are judged there, and not ratios.

How much ten times the distance adds is arithmetic and not chance. A line of least squares is linear in y, so its slope
changes ten times as much; and the other two losses have the same derivative at both distances, so their lines stay,
as long as the outliers are above them: looked at for every draw, by the bounds of the first rule,
which tested it.

Checked by: the line of least squares in closed form; every line through two points for absolute error, of which one is
the best; scipy's minimiser for Huber's loss.
"""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, every, exact, greater
from fourfold.core.seeds import stream_seed

if TYPE_CHECKING:
    from torch import Tensor

    from fourfold.tasks.seam import LossValue

POINTS, OUTLIERS, NOISE = 50, 5, 0.1
NEAR, FAR = 20, 200  # deviations of the noise
BEYOND = "from there to ten times as far"
ITERATIONS, STILL = 2000, 1e-10  # at most so many, until the line moves by less


def slope_shift(arm: str, seed: int, size: Name) -> float:
    """Return how much the slope changes when outliers are planted, or moved on."""
    loss, _, place = arm.partition(", ")
    if place == BEYOND:
        return abs(slope(loss, seed, FAR) - slope(loss, seed, NEAR))
    return abs(slope(loss, seed, FAR if place else NEAR) - slope(loss, seed, 0))


@cache
def slope(loss: str, seed: int, distance: float) -> float:
    """Return the slope of the line that minimises a loss, with outliers `distance` deviations above where they were."""
    from fourfold.losses.huber import huber
    from fourfold.losses.mae import mae
    from fourfold.losses.mse import mse

    losses = {"squared": mse, "absolute": mae, "huber": lambda output, y: huber(output, y, 1.345 * NOISE)}
    return minimum(losses[loss], *points(seed, distance))[1]


def points(seed: int, distance: float) -> "tuple[Tensor, Tensor]":
    """Return x and y, float64 `[points, 1]`; the same at every distance but for the outliers' y."""
    import torch

    draw = torch.Generator().manual_seed(stream_seed(seed, "sample"))
    x = 2 * torch.rand(POINTS, 1, generator=draw, dtype=torch.float64) - 1
    y = x + NOISE * torch.randn(POINTS, 1, generator=draw, dtype=torch.float64)
    right = (x[:, 0] > 0).nonzero()[:, 0]
    y[right[torch.randperm(len(right), generator=draw)[:OUTLIERS]]] += distance * NOISE
    return x, y


def minimum(loss: "Callable[[Tensor, Tensor], LossValue]", x: "Tensor", y: "Tensor") -> tuple[float, float]:
    """Return intercept and slope of the line with the least loss.

    By least squares with weights, over and over: a residual's weight is the loss's derivative there over the residual
    (Holland and Welsch, Robust Regression using Iteratively Reweighted Least-Squares, 1977).
    """
    import torch

    design = torch.cat([torch.ones_like(x), x], 1)
    line = torch.linalg.lstsq(design, y).solution
    for _ in range(ITERATIONS):
        output = (design @ line).requires_grad_()
        (derivative,) = torch.autograd.grad(loss(output, y).total, output)
        residual = (output - y).detach()
        weights = (derivative.abs() / residual.abs().clamp(min=1e-9)).sqrt()
        before, line = line, torch.linalg.lstsq(weights * design, weights * y).solution
        if float((line - before).abs().max()) < STILL:
            break
    return float(line[0]), float(line[1])


CLAIM = ComputedClaim(
    id="mse-outliers",
    says="Outliers pull a line fitted by squared error more than one fitted by absolute or Huber's; and the farther "
    "out they are, the more, without bound.",
    source="Huber, Robust Estimation of a Location Parameter, Annals of Mathematical Statistics 35, 1964, section 1; "
    "for lines Rousseeuw and Leroy, Robust Regression and Outlier Detection, 1987, chapter 1",
    arms={
        f"{loss}{place}": f"{OUTLIERS} of {POINTS} points {distance} deviations of the noise too high"
        for loss in ("squared", "absolute", "huber")
        for place, distance in (("", NEAR), (", ten times as far", FAR))
    }
    | {f"{loss}, {BEYOND}": f"between the two, from {NEAR} to {FAR} deviations" for loss in ("absolute", "huber")},
    measured="change of the slope, which is 1, by the outliers",
    score=slope_shift,
    rule=all_of(
        greater("squared", "absolute", by=0.1),
        greater("squared", "huber", by=0.1),
        exact("squared, ten times as far", over="squared", at_least=9.0),
        every(f"absolute, {BEYOND}", at_most=0.01),
        every(f"huber, {BEYOND}", at_most=0.01),
    ),
    quick=Size(seeds=8),
    full=Size(seeds=30),
)
