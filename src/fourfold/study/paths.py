"""What a path is measured by: a surface's two numbers, or all weights of a network, one row a step.

Source: plain geometry.
Checked by: paths drawn by hand.
"""

import torch
from torch import Tensor


def step_sizes(points: Tensor) -> Tensor:
    """Return how far each step went, |theta_{t+1} - theta_t|, `[steps]`, of a path `[steps + 1, parameters]`."""
    return points.diff(dim=0).norm(dim=1)


def path_length(points: Tensor) -> float:
    """Return the length of a path `[steps + 1, parameters]`; at least the distance between its ends."""
    return float(step_sizes(points).sum())


def overshoot(points: Tensor, minimum: Tensor, direction: Tensor) -> float:
    """Return how far a path `[steps + 1, parameters]` goes past a minimum, measured along a line; 0 if it does not.

    "Past" is the side of the minimum on which the path does not start.

    Args:
        points: the path.
        minimum: `[parameters]`.
        direction: `[parameters]`, of any length and sign: where the valley leads, from `Surface.valley`.
    """
    along = (points - minimum) @ (direction / direction.norm())  # [steps + 1], the minimum at 0
    ahead = along if along[0] <= 0 else -along
    return max(0.0, float(ahead.max()))


def steps_to_leave(points: Tensor, place: Tensor, distance: float) -> int | None:
    """Return after how many steps a path is further than `distance` from a place, a saddle say, and stays so.

    A path that is never that near has left after 0 steps. None: it is still there at the end.
    """
    near = ((points - place).norm(dim=1) <= distance).nonzero().flatten()
    if len(near) == 0:
        return 0
    last = int(near[-1])
    return None if last == len(points) - 1 else last + 1


def steps_to_reach(points: Tensor, place: Tensor, distance: float) -> int | None:
    """Return after how many steps a path is within `distance` of a place, a minimum say, and stays so; None: never."""
    far = ((points - place).norm(dim=1) > distance).nonzero().flatten()
    if len(far) == 0:
        return 0
    last = int(far[-1])
    return None if last == len(points) - 1 else last + 1


def steps_below(losses: Tensor, level: float) -> int | None:
    """Return the first step at which a loss `[steps + 1]` is at most `level`; None if it never is."""
    low = (losses <= level).nonzero().flatten()
    return int(low[0]) if len(low) else None


def effective_rates(sizes: Tensor, gradient_norms: Tensor) -> Tensor:
    """Return |step| / |gradient| at each step: the learning rate that plain descent would need to go as far.

    Both `[steps]`; where a gradient is zero so is the rate.
    """
    return torch.where(gradient_norms > 0, sizes / gradient_norms.clamp(min=torch.finfo(sizes.dtype).tiny), 0.0)
