"""What a network makes of pictures before its last layer, and the plane on which that lies widest.

    a picture's embedding is the input of the last linear layer, or the output's where there is none
    principal components: (x - mean) W, W the two eigenvectors of the covariance with the largest eigenvalues

Source: Pearson, On Lines and Planes of Closest Fit to Systems of Points in Space, Philosophical Magazine 2, 1901.
Departures: an axis's sign, which is free, makes the largest weight in W positive.
Checked by: scikit-learn's PCA; the embedding put through the last layer by hand is the network's output.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn

from fourfold.algorithms.ensemble import Ensemble


class Projection(NamedTuple):
    """Points on a plane."""

    points: Tensor  # float64 [examples, 2]
    shares: Tensor  # float64 [2], of the variance, along each axis


@contextmanager
def listening(model: nn.Module) -> Iterator[list[Tensor]]:
    """Give a list to which every run of the network adds its embeddings, float32 `[batch, features]` on the CPU.

    It stays empty where there is no linear layer, and for several networks that answer as one, which have none in
    common.

    Args:
        model: any network.
    """
    heard: list[Tensor] = []
    linear = None if isinstance(model, Ensemble) else last_linear(model)
    if linear is None:
        yield heard
        return
    hook = linear.register_forward_pre_hook(lambda _, given: heard.append(given[0].detach().flatten(1).float().cpu()))
    try:
        yield heard
    finally:
        hook.remove()


def last_linear(model: nn.Module) -> nn.Linear | None:
    """Return the linear layer that was made last, which is the output's in every network of ours that has one."""
    return next((module for module in reversed(list(model.modules())) if isinstance(module, nn.Linear)), None)


def principal_plane(points: Tensor) -> Projection:
    """Return the first two principal components of each point.

    Args:
        points: `[examples, features]`; with one feature, or where all lie on a line, the second component is 0.
    """
    centred = points.double() - points.double().mean(0)
    examples, features = centred.shape
    # the eigenvalues of X'X are those of XX', and the smaller of the two is cheaper
    if features <= examples:
        values, vectors = torch.linalg.eigh(centred.T @ centred)
        weights = vectors[:, -2:].flip(1)
    else:
        values, vectors = torch.linalg.eigh(centred @ centred.T)
        weights = centred.T @ vectors[:, -2:].flip(1)
        weights = weights / weights.norm(dim=0).clamp(min=torch.finfo(weights.dtype).tiny)
    largest = weights.gather(0, weights.abs().argmax(0, keepdim=True))  # [1, components]
    plane = centred @ (weights * torch.where(largest < 0, -1.0, 1.0))
    shares = values[-2:].flip(0).clamp(min=0) / values.clamp(min=0).sum().clamp(min=torch.finfo(values.dtype).tiny)
    missing = 2 - plane.shape[1]
    return Projection(nn.functional.pad(plane, (0, missing)), nn.functional.pad(shares, (0, missing)))
