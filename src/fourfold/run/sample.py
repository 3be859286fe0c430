"""Making new examples with a trained run: drawn at random, or along a walk between points drawn at random.

    linear      z(t) = (1 - t) a + t b
    spherical   z(t) = (sin((1 - t) w) a + sin(t w) b) / sin w,   w the angle between a and b

Uniform latents are walked along straight lines, as in Radford et al., DCGAN, ICLR 2016, arXiv:1511.06434, Fig. 4;
normal ones along arcs, as in White, Sampling Generative Networks, 2016, arXiv:1609.04468, section 2.1: at the middle of
a straight line between two of them no latent is likely to lie.
Checked by: the ends of a walk; norms along an arc; the same seed, the same examples.
"""

import math
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.seeds import check_seed, stream_seed
from fourfold.run.run import Run
from fourfold.tasks.synthesis import SynthesisSpec, TwoPlayers

AT_ONCE = 256
STRIDE = 8  # examples from one point of a walk to the next


def sample(run: Run, count: int = 64, seed: int = 0, interpolate: bool = False) -> Tensor:
    """Return new examples as the run's data had them before encoding: pixels, or coordinates.

    Args:
        run: of synthesis, with weights.
        count: how many.
        seed: the same seed makes the same examples.
        interpolate: walk from one drawn point to the next, 8 examples from each to the one after it.

    Returns:
        float32: pixels `[count, channels, height, width]`, whole numbers from 0; or points `[count, features]`.

    Raises:
        InputError: another task's run, fewer than one, or fewer than two of a walk; a seed out of range.
        CheckpointError: the run has no weights, or they are damaged.
    """
    spec, model = run.spec, run.model if isinstance(run.spec, SynthesisSpec) else None
    if not isinstance(model, TwoPlayers):
        task = spec.task.replace("_", " ")
        raise InputError(f"{run.run_id}: only a run of synthesis makes new examples, and this is one of {task}")
    if count < 1:
        raise InputError(f"num: {count}; the nearest valid number is 1")
    if interpolate and count < 2:
        raise InputError(f"num: {count}; a walk has two ends, and the nearest valid number is 2")
    check_seed(seed)
    players: Any = model
    generator = torch.Generator().manual_seed(stream_seed(seed, "generation"))
    if interpolate:
        points = players.latents(math.ceil(count / STRIDE) + 1, generator)
        latents = walk(points, STRIDE, getattr(model, "prior", "uniform") == "normal")[:count]
    else:
        latents = players.latents(count, generator)
    encoding: Any = run.encoding
    with torch.inference_mode():  # from here on: what is made in it, such as a run's weights, never has a gradient
        made = torch.cat([players.generator(part) for part in latents.split(AT_ONCE)])
    raw = encoding.standardise().decode(made)
    return raw.round().clamp(0, encoding.maximum) if raw.dim() == 4 else raw


def walk(points: Tensor, stride: int, spherical: bool) -> Tensor:
    """Return latents along a walk through `points [points, latent]`, `stride` from each to before the next."""
    shares = torch.arange(stride, dtype=points.dtype) / stride
    legs = []
    for a, b in pairwise(points):
        t = shares.unsqueeze(1)
        angle = torch.acos((a @ b / (a.norm() * b.norm())).clamp(-1, 1))
        if spherical and float(angle.sin()) > 1e-4:
            legs.append((((1 - t) * angle).sin() * a + (t * angle).sin() * b) / angle.sin())
        else:
            legs.append((1 - t) * a + t * b)
    return torch.cat(legs)
