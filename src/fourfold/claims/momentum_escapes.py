"""Momentum leaves a saddle sooner, and rolls through a shallow minimum where plain descent stays.

Two experiments, each of plain descent and of momentum (0.9):

    saddle    steps until a path that begins on the saddle itself, moved by nothing but the noise of its gradients, is
              a distance of 0.1 away for good. Across the saddle the surface is 50 times as steep as along the way out,
              so no step above 2/50 is stable for descent. Both use 1/50; a further arm, told and not judged, is descent
              just below 2/50, the most that it can do.
    shallow   share of 50 starts, high up the wall behind a shallow minimum, that end in the deep one beyond it.
              Where a start ends is settled by where it is, so the share is looked at for every draw of starts. The
              first rule tested the mean difference, for the same half.

What it does to the noise of mini-batches is a claim of its own, momentum-smooths.
"""

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, every, ratio
from fourfold.core.seeds import stream_seed

STEEP = 50.0  # curvature across the saddle; along the way out it is -1
SADDLE_STEPS, NOISE = 1000, 0.01
STARTS, SHALLOW_STEPS = 50, 400


def score(arm: str, seed: int, size: Name) -> float:
    """Return what an arm's experiment comes to at a seed; it is of one size."""
    experiment, _, optimizer = arm.partition(": ")
    return steps_on_saddle(optimizer, seed) if experiment == "saddle" else share_in_deep(optimizer, seed)


def steps_on_saddle(optimizer: str, seed: int) -> float:
    """Return the steps until the saddle is left for good; all that there were if it is not."""
    from dataclasses import replace

    import torch

    from fourfold.study.paths import steps_to_leave
    from fourfold.study.race import race
    from fourfold.study.surfaces import SURFACES

    lr = 1.95 / STEEP if optimizer == "descent, largest step" else 1 / STEEP
    surface = replace(SURFACES["saddle"], function=lambda x, y: STEEP * x**2 / 2 + y**4 / 4 - y**2 / 2)
    path = race({"it": _config(optimizer, lr)}, surface, SADDLE_STEPS, start=(0.0, 0.0), noise=NOISE, seed=seed)["it"]
    left = steps_to_leave(path.points, torch.zeros(2, dtype=torch.float64), 0.1)
    return float(SADDLE_STEPS if left is None else left)


def share_in_deep(optimizer: str, seed: int) -> float:
    """Return the share of starts high on the wall left of the shallow minimum that end right of the ridge."""
    import torch

    from fourfold.study.surfaces import SURFACES

    draw = torch.Generator().manual_seed(stream_seed(seed, "init"))
    wells, places = SURFACES["wells"], torch.rand(STARTS, 2, generator=draw, dtype=torch.float64)
    low, size = torch.tensor([-2.6, -1.9], dtype=torch.float64), torch.tensor([1.0, 3.8], dtype=torch.float64)
    points = torch.nn.Parameter(low + size * places)  # one parameter: what moves it acts on each number by itself
    moves = _config(optimizer, 0.05).build([points])
    for _ in range(SHALLOW_STEPS):
        points.grad = wells.gradient(points)
        moves.step()
    return float((points[:, 0] > wells.saddles[0][0]).double().mean())


def _config(optimizer: str, lr: float):
    from fourfold.algorithms.optimizers.momentum import MomentumConfig
    from fourfold.algorithms.optimizers.sgd import SGDConfig

    return MomentumConfig(lr=lr, momentum=0.9) if optimizer == "momentum" else SGDConfig(lr=lr)


CLAIM = ComputedClaim(
    id="momentum-escapes",
    says="Momentum leaves saddles sooner than plain descent and rolls through shallow minima, where that stays.",
    source="Wang, Lin and Abernethy, Escaping Saddle Points Faster with Stochastic Momentum, ICLR 2020, "
    "arXiv:2106.02985 (saddles); "
    "that it rolls through shallow minima is what lectures say of the heavy ball of Polyak, 1964",
    arms={
        "saddle: descent": f"step 1/50, gradient noise of deviation {NOISE}",
        "saddle: momentum": "the same step and noise",
        "saddle: descent, largest step": "just below the largest stable step, 2/50; told, not judged",
        "shallow: descent": "step 0.05",
        "shallow: momentum": "step 0.05",
    },
    measured="saddle: steps until it is left; shallow: share of starts that end in the deep minimum",
    score=score,
    rule=all_of(
        ratio("saddle: descent", "saddle: momentum", above=2.0),
        every("shallow: momentum", at_least=0.75),
        every("shallow: descent", at_most=0.25),
    ),
    quick=Size(seeds=7),
    full=Size(seeds=20),
    scaled_from="the first source runs phase retrieval in ten dimensions and more; here two",
)
