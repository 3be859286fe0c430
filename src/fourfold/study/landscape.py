"""The loss around a trained network's weights, on a plane that two directions span, or along a line.

    f(a, b) = L(theta + a d1 + b d2)                                 section 2
    d_ij    = d_ij / |d_ij| * |theta_ij|                             section 4, filter normalisation

Paper: Li, Xu, Taylor, Studer and Goldstein, Visualizing the Loss Landscape of Neural Nets, NeurIPS 2018,
arXiv:1712.09913; the plane through an optimizer's path is its section 7, Eq. of the matrix M of theta_i - theta_n. The
line between two networks: Goodfellow, Vinyals and Saxe, Qualitatively characterizing neural network optimization
problems, ICLR 2015, arXiv:1412.6544, section 3.
A filter is what makes one output: of a convolution's weights `[out, in, height, width]` and of a linear layer's
`[out, in]` each slice along the first axis. Parameters of one axis or none (biases, scales and shifts of normalisation)
are not moved: their direction is zero, as in the authors' own figures.
Departures: none known.
Checked by: each filter's norm equals its weight's; the centre of a plane is the loss that was recorded; a quadratic
whose plane is written out by hand; scaling a filter up and the next layer's down leaves a ReLU net's plane as it was.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.study.objective import Objective
from fourfold.tasks.seam import Batch, Loss


@dataclass(frozen=True)
class Plane:
    """Losses on a grid.

    Attributes:
        alphas: float64 `[columns]`, along the first direction, ascending.
        betas: float64 `[rows]`, along the second.
        losses: float64 `[rows, columns]`; NaN or infinity where the loss is.
        centre: the loss at the weights themselves.
    """

    alphas: Tensor
    betas: Tensor
    losses: Tensor
    centre: float


def _nobody(points: int) -> None:
    """Hear nothing."""


@torch.no_grad()
def normalise_filters(direction: Mapping[str, Tensor], weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `direction` with each filter as long as the weights' (section 4), and zero for parameters of one axis.

    A filter of zeros stays where it is.
    """
    normalised: dict[str, Tensor] = {}
    for name, weight in weights.items():
        drawn = direction[name]
        if weight.dim() < 2:
            normalised[name] = torch.zeros_like(weight)
            continue
        ours, theirs = drawn.flatten(1).norm(dim=1), weight.flatten(1).norm(dim=1)  # [out]
        scale = torch.where(ours > 0, theirs / ours.clamp(min=torch.finfo(ours.dtype).tiny), 0.0)
        normalised[name] = drawn * scale.view(-1, *[1] * (weight.dim() - 1))
    return normalised


def random_direction(weights: Mapping[str, Tensor], seed: int, which: int = 0) -> dict[str, Tensor]:
    """Draw a filter-normalised direction, normal before it is normalised.

    Args:
        weights: by name, what it is normalised by.
        seed: of the draw.
        which: directions of one seed are independent.
    """
    draw = torch.Generator().manual_seed(stream_seed(seed, "sample", which))
    drawn = {
        name: torch.randn(each.shape, generator=draw, dtype=torch.float64).to(each.dtype)
        for name, each in weights.items()
    }
    return normalise_filters(drawn, weights)


def random_plane(
    objective: Objective,
    resolution: int = 41,
    reach: float = 1.0,
    seed: int = 0,
    heard: Callable[[int], None] = _nobody,
) -> Plane:
    """Return the loss on the plane of two filter-normalised random directions around the objective's own weights.

    Args:
        objective: the loss and the weights.
        resolution: points along each direction, odd, so that the weights themselves are one of them.
        reach: the plane goes from -reach to reach in both directions; 1 is as far as the weights are from zero.
        seed: of the directions.
        heard: told how many points are done, after each.

    Raises:
        InputError: resolution or reach are out of range.
    """
    if resolution < 3 or resolution % 2 == 0:
        nearest = max(3, resolution + 1)
        raise InputError(f"resolution: expected an odd number of at least 3, got {resolution}; such as {nearest}")
    if not 0 < reach < float("inf"):
        raise InputError(f"range: expected a number above 0, got {reach:g}")
    weights = objective.named(objective.start)
    first, second = (objective.flat(random_direction(weights, seed, which)) for which in (0, 1))
    steps = torch.arange(resolution, dtype=torch.float64) - resolution // 2
    grid = reach * steps / (resolution // 2)  # exactly 0 in the middle
    return loss_plane(objective, first, second, grid, grid, heard)


@torch.no_grad()
def loss_plane(
    objective: Objective,
    first: Tensor,
    second: Tensor,
    alphas: Tensor,
    betas: Tensor,
    heard: Callable[[int], None] = _nobody,
) -> Plane:
    """Return L(theta + alpha first + beta second) for every alpha and beta, theta the objective's own weights.

    Args:
        objective: the loss and the weights.
        first: `[weights]`.
        second: `[weights]`.
        alphas: `[columns]`.
        betas: `[rows]`.
        heard: told how many points are done, after each.
    """
    start = objective.start
    losses: list[float] = []
    for beta, alpha in product(betas.tolist(), alphas.tolist()):
        losses.append(float(objective(start + alpha * first + beta * second)))
        heard(len(losses))
    grid = torch.tensor(losses, dtype=torch.float64).view(len(betas), len(alphas))
    return Plane(alphas, betas, grid, float(objective(start)))


def plane_around(
    objective: Objective, path: "PathPlane", resolution: int, heard: Callable[[int], None] = _nobody
) -> Plane:
    """Return the loss on a path's plane, from a little before its lowest coordinates to a little past its highest.

    Args:
        objective: the loss, and the path's last state as its own weights.
        path: from `path_plane`.
        resolution: points along each direction, at least 2.
        heard: told how many points are done, after each.
    """
    low, high = path.places.min(0).values, path.places.max(0).values
    margin = 0.2 * (high - low).clamp(min=1e-6)
    alphas, betas = (
        torch.linspace(float((low - margin)[k]), float((high + margin)[k]), resolution, dtype=torch.float64)
        for k in (0, 1)
    )
    return loss_plane(objective, path.first, path.second, alphas, betas, heard)


@torch.no_grad()
def loss_line(
    first: nn.Module,
    second: nn.Module,
    loss: Loss,
    batches: Sequence[Batch],
    alphas: Tensor,
    heard: Callable[[int], None] = _nobody,
) -> Tensor:
    """Return L((1 - alpha) first + alpha second), float64 `[alphas]`: the line between networks (Goodfellow).

    Running statistics, where a network has them, are mixed like its weights, so the ends are the networks themselves.

    Args:
        first: a network, alpha 0.
        second: another of the same shape, alpha 1.
        loss: the loss.
        batches: the examples.
        alphas: `[alphas]`; below 0 and above 1 it goes on past the ends.
        heard: told how many points are done, after each.

    Raises:
        InputError: the networks are of different shapes.
    """
    start, end = first.state_dict(), second.state_dict()
    shapes = [{name: tuple(each.shape) for name, each in state.items()} for state in (start, end)]
    if shapes[0] != shapes[1]:
        name = next(name for name in {**shapes[0], **shapes[1]} if shapes[0].get(name) != shapes[1].get(name))
        sizes = [str(list(each[name])) if name in each else "not there" for each in shapes]
        raise InputError(f"no line between different networks: {name} is {sizes[0]} in one and {sizes[1]} in the other")
    mixed, losses = copy.deepcopy(first), []
    for alpha in alphas.tolist():
        mixed.load_state_dict(
            {
                name: torch.lerp(each, end[name], alpha) if each.is_floating_point() else each
                for name, each in start.items()
            }
        )
        objective = Objective(mixed, loss, batches)
        losses.append(float(objective(objective.start)))
        heard(len(losses))
    return torch.tensor(losses, dtype=torch.float64)


def barrier(losses: Tensor, alphas: Tensor) -> float:
    """Return how far the losses between two networks rise above the higher of the two; 0: there is no need to climb.

    Args:
        losses: `[alphas]`, from `loss_line`.
        alphas: `[alphas]`, 0 and 1 among them.
    """
    between = losses[(alphas >= 0) & (alphas <= 1)]
    return float(between.max() - torch.maximum(losses[alphas == 0], losses[alphas == 1]))


@dataclass(frozen=True)
class PathPlane:
    """The plane that holds most of an optimizer's path.

    Attributes:
        first: `[weights]`, unit length: where the path varies most.
        second: `[weights]`, unit length, at a right angle to it.
        places: float64 `[states, 2]`, each state's coordinates; the last is the origin.
        explained: share of the path's variation along each of the two, 0..1.
    """

    first: Tensor
    second: Tensor
    places: Tensor
    explained: tuple[float, float]


def path_plane(states: Sequence[Tensor]) -> PathPlane:
    """Return the plane of the two principal directions of a path (section 7.2).

    The paper's matrix is [theta_0 - theta_n, …, theta_{n-1} - theta_n]; PCA takes its mean away, which the directions
    do not show, and the plane goes through theta_n.

    Args:
        states: at least four, each `[weights]`, in the order of the path; the last is the origin.

    Raises:
        InputError: there are fewer than four.
    """
    if len(states) < 4:
        raise InputError(f"a plane through a path needs at least four states, got {len(states)}")
    moved = torch.stack([state.double() - states[-1].double() for state in states])  # [states, weights]
    earlier = moved[:-1]
    _, sizes, directions = torch.linalg.svd(earlier - earlier.mean(0), full_matrices=False)
    first, second = directions[0], directions[1]
    variation = sizes.square()
    whole = float(variation.sum())
    shares = (float(variation[0]) / whole, float(variation[1]) / whole) if whole > 0 else (0.0, 0.0)
    places = moved @ torch.stack([first, second], dim=1)
    dtype = states[-1].dtype
    return PathPlane(first.to(dtype), second.to(dtype), places, shares)
