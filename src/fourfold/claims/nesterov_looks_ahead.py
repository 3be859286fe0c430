"""Nesterov's gradient, taken where the velocity leads, brakes before the turn; momentum brakes after it.

The path is that of the paper's theta. The parameters that training holds are the ones looked ahead to, and theta
follows from them: phi_t = theta_t + mu (theta_t - theta_{t-1}), so theta_t = (phi_t + mu theta_{t-1}) / (1 + mu).

    ravine    (x^2 + 50 y^2) / 2 from a random place on a circle of radius 4, step 0.01, mu 0.9, 300 steps: the path's
              length, and how far it goes past the minimum along the floor
    net       digits, one hidden layer of 32, the whole training split a step, step 0.3, mu 0.9: steps until the
              training loss is below 0.1, and the path's length up to there

The change of variable alone would make a path of momentum look 1.3 times shorter and its overshoot 1 % smaller, so the
rule asks for more than that there; paths of the net are compared as they are, both of theta. Along the floor both are
linear, so how far each goes past is in proportion to where it begins: the ratio of the two is one number, computed and
no longer tested, by the same bound.
"""

import math
from functools import cache
from typing import TYPE_CHECKING

from fourfold.claims.base import ComputedClaim, Name, Size
from fourfold.claims.rules import all_of, exact, not_greater, ratio
from fourfold.core.seeds import stream_seed

if TYPE_CHECKING:
    from torch import Tensor

MU, RAVINE_LR, RAVINE_STEPS = 0.9, 0.01, 300
NET_LR, NET_STEPS, LEVEL = 0.3, 400, 0.1


def score(arm: str, seed: int, size: Name) -> float:
    """Return what an arm's experiment comes to at a seed; it is of one size."""
    measured, _, optimizer = arm.partition(": ")
    scores = on_ravine(optimizer, seed) | on_net(optimizer, seed)
    return scores[measured]


def trail(points: "Tensor", mu: float) -> "Tensor":
    """Return theta `[steps + 1, …]` from the places looked ahead to, phi, of the same shape; they begin alike."""
    import torch

    thetas = [points[0]]
    for phi in points[1:]:
        thetas.append((phi + mu * thetas[-1]) / (1 + mu))
    return torch.stack(thetas)


@cache
def on_ravine(optimizer: str, seed: int) -> dict[str, float]:
    """Return the length and the overshoot of a path down the ravine."""
    import torch

    from fourfold.study.paths import overshoot, path_length
    from fourfold.study.race import race
    from fourfold.study.surfaces import SURFACES

    draw = torch.Generator().manual_seed(stream_seed(seed, "init"))
    angle = 2 * math.pi * float(torch.rand((), generator=draw))
    surface, start = SURFACES["ravine"], (4 * math.cos(angle), 4 * math.sin(angle))
    points = race({"it": _config(optimizer, RAVINE_LR)}, surface, RAVINE_STEPS, start=start)["it"].points
    points = trail(points, MU) if optimizer == "nesterov" else points
    minimum = torch.tensor(surface.minima[0], dtype=points.dtype)
    along = surface.valley(surface.minima[0])
    return {"ravine length": path_length(points), "ravine overshoot": overshoot(points, minimum, along)}


@cache
def on_net(optimizer: str, seed: int) -> dict[str, float]:
    """Return the steps, and the length of the path, to the level; a net that never gets there counts all its steps."""
    import torch
    from torch.nn.utils import parameters_to_vector

    from fourfold.run.build import build_parts
    from fourfold.run.parts import load_recipe
    from fourfold.study.objective import split_batches
    from fourfold.study.paths import path_length

    _, recipe = load_recipe("digits-mlp", {"model.widths": [32], "data.split_seed": None, "seed": seed})
    source, model, loss = build_parts(recipe)
    params, (whole,) = list(model.parameters()), split_batches(source, "train", batch_size=10_000)
    moves, points = _config(optimizer, NET_LR).build(params), [parameters_to_vector(params).detach()]
    for _ in range(NET_STEPS):
        moves.zero_grad()
        mean = loss(model(*whole.inputs), whole).mean
        if mean < LEVEL:
            break
        mean.backward()
        moves.step()
        points.append(parameters_to_vector(params).detach())
    path = torch.stack(points).double()
    path = trail(path, MU) if optimizer == "nesterov" else path
    return {"net steps": float(len(points) - 1), "net length": path_length(path)}


def _config(optimizer: str, lr: float):
    from fourfold.algorithms.optimizers.momentum import MomentumConfig
    from fourfold.algorithms.optimizers.nesterov import NesterovConfig

    return {"momentum": MomentumConfig, "nesterov": NesterovConfig}[optimizer](lr=lr, momentum=MU)


MEASURES = {
    "ravine length": "length of the path",
    "ravine overshoot": "how far it goes past the minimum along the floor",
    "net steps": f"updates until the training loss is below {LEVEL:g}",
    "net length": "length of the path up to there, over all weights",
}

CLAIM = ComputedClaim(
    id="nesterov-looks-ahead",
    says="At the same step and momentum, Nesterov's gradient goes less far past its mark and wastes less movement than "
    "momentum, and needs no more steps.",
    source="Sutskever, Martens, Dahl and Hinton, On the importance of initialization and momentum in deep learning, "
    "ICML 2013, section 2.1 and the trajectories of Fig. 2",
    arms={
        f"{measured}: {optimizer}": f"{optimizer}: {words}"
        for measured, words in MEASURES.items()
        for optimizer in ("momentum", "nesterov")
    },
    measured="; ".join(f"{measured}: {words}" for measured, words in MEASURES.items()),
    score=score,
    rule=all_of(
        ratio("ravine length: momentum", "ravine length: nesterov", above=1.5),
        exact("ravine overshoot: momentum", over="ravine overshoot: nesterov", at_least=1.1),
        ratio("net length: momentum", "net length: nesterov", above=1.0),
        not_greater("net steps: nesterov", "net steps: momentum", by=5.0),
    ),
    quick=Size(seeds=8),
    full=Size(seeds=20),
    scaled_from="deep autoencoders and recurrent nets of hundreds of thousands of steps; here one hidden layer",
)
