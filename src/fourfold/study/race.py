"""Optimizers racing down a surface: where each went, and its path in numbers.

The optimizers are the ones that train networks, given a parameter of two numbers in float64. With `noise`, every
gradient has a draw of a normal distribution added, the same for all optimizers at a step: the mini-batch's noise.

Source: steps along noisy gradients are those of Robbins and Monro, A stochastic approximation method, 1951.
Departures: real mini-batch noise is neither isotropic nor the same everywhere.
Checked by: torch.optim on every surface, step for step; a ravine's path by hand.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fourfold.algorithms.optimizers.base import OptimizerConfig
from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.study.paths import overshoot, path_length, step_sizes, steps_to_leave, steps_to_reach
from fourfold.study.surfaces import Point, Surface


@dataclass(frozen=True)
class Path:
    """Where an optimizer went.

    Attributes:
        points: float64 `[steps + 1, 2]`, the start first; it ends before a number that is not finite.
        losses: float64 `[steps + 1]`, the surface's value at each point, without noise.
        gradient_norms: float64 `[steps]`, size of the gradient that each step was given, noise included.
        diverged: whether the race was cut short because a number was no longer finite.
    """

    points: Tensor
    losses: Tensor
    gradient_norms: Tensor
    diverged: bool

    @property
    def steps(self) -> int:
        """How many updates were made."""
        return len(self.points) - 1


def race(
    optimizers: Mapping[str, OptimizerConfig],
    surface: Surface,
    steps: int,
    *,
    start: Point | None = None,
    noise: float = 0.0,
    seed: int = 0,
) -> dict[str, Path]:
    """Let each optimizer move from one start, and return their paths by name.

    Args:
        optimizers: by the name they are to have.
        surface: what they go down.
        steps: updates, at least 1.
        start: where; the surface's own by default.
        noise: standard deviation of what is added to each of the two numbers of a gradient, at least 0.
        seed: of the noise; a step's noise is the same for every optimizer.

    Raises:
        InputError: steps or noise are out of range.
    """
    if steps < 1:
        raise InputError(f"steps: expected at least 1, got {steps}")
    if not (noise >= 0 and math.isfinite(noise)):
        raise InputError(f"noise: expected a number of at least 0, got {noise:g}")
    racers = {name: _Racer(config, start or surface.start) for name, config in optimizers.items()}
    for extra in _noise(steps, noise, seed):
        running = [racer for racer in racers.values() if not racer.diverged]
        if not running:
            break
        places = torch.stack([racer.place.detach() for racer in running])
        for racer, gradient in zip(running, surface.gradient(places) + extra, strict=True):
            racer.step(gradient)
    return {name: racer.path(surface) for name, racer in racers.items()}


def _noise(steps: int, noise: float, seed: int) -> Tensor:
    draw = torch.Generator().manual_seed(stream_seed(seed, "noise"))
    return noise * torch.randn(steps, 2, generator=draw, dtype=torch.float64)


class _Racer:
    """An optimizer with its two numbers, and where they have been."""

    def __init__(self, config: OptimizerConfig, start: Point) -> None:
        self.place = nn.Parameter(torch.tensor(start, dtype=torch.float64))
        self.diverged = False
        self._optimizer = config.build([self.place])
        self._points = [self.place.detach().clone()]
        self._norms: list[Tensor] = []

    def step(self, gradient: Tensor) -> None:
        """Move once, unless that would lead to a number that is not finite."""
        self.place.grad = gradient
        if gradient.isfinite().all():
            self._optimizer.step()
        point = self.place.detach().clone()
        self.diverged = not (gradient.isfinite().all() and point.isfinite().all())
        if not self.diverged:
            self._norms.append(gradient.norm())
            self._points.append(point)

    def path(self, surface: Surface) -> Path:
        """Return where it has been, as far as the surface's value there is finite."""
        points = torch.stack(self._points)
        losses = surface.value(points)
        kept = int(losses.isfinite().long().cumprod(0).sum())
        norms = torch.stack(self._norms) if self._norms else losses.new_zeros(0)
        return Path(points[:kept], losses[:kept], norms[: kept - 1], self.diverged or kept < len(points))


def nearest_minimum(point: Tensor, surface: Surface) -> Point:
    """Return the minimum of the surface that is nearest to a point `[2]`."""
    minima = torch.tensor(surface.minima, dtype=point.dtype)
    return surface.minima[int((minima - point).norm(dim=1).argmin())]


@dataclass(frozen=True)
class PathFacts:
    """A path in numbers.

    Attributes:
        loss: at its end.
        lowest: the lowest on the way.
        minimum: of the surface's minima the one nearest to its end.
        distance: from there.
        length: of the path.
        overshoot: how far it went past that minimum, along the valley.
        arrived: steps until it was within `near` of that minimum for good, None if it is not.
        left_saddle: steps until it was further than `near` from every saddle for good, None if it is not.
        first_step: size of the first step.
        last_step: size of the last step.
        steps: updates that were made.
        diverged: whether they are fewer than asked for, because a number was no longer finite.
    """

    loss: float
    lowest: float
    minimum: Point
    distance: float
    length: float
    overshoot: float
    arrived: int | None
    left_saddle: int | None
    first_step: float
    last_step: float
    steps: int
    diverged: bool


def describe_path(path: Path, surface: Surface, near: float = 0.1) -> PathFacts:
    """Return a path's facts.

    Args:
        path: at least one step.
        surface: that it is on.
        near: what "at a minimum" and "at a saddle" mean, a distance.
    """
    points, end = path.points, path.points[-1]
    minimum = nearest_minimum(end, surface)
    place = torch.tensor(minimum, dtype=points.dtype)
    left = [steps_to_leave(points, torch.tensor(each, dtype=points.dtype), near) for each in surface.saddles]
    sizes = step_sizes(points)
    return PathFacts(
        loss=float(path.losses[-1]),
        lowest=float(path.losses.min()),
        minimum=minimum,
        distance=float((end - place).norm()),
        length=path_length(points),
        overshoot=overshoot(points, place, surface.valley(minimum)),
        arrived=None if path.diverged else steps_to_reach(points, place, near),
        left_saddle=None if None in left else max((each for each in left if each is not None), default=0),
        first_step=float(sizes[0]) if len(sizes) else 0.0,
        last_step=float(sizes[-1]) if len(sizes) else 0.0,
        steps=path.steps,
        diverged=path.diverged,
    )
