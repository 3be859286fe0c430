"""What a network makes of pictures before its last layer, and the plane on which that lies widest.

    a picture's embedding is the input of the last linear layer, or the output's where there is none
    principal components: (x - mean) W, W the two eigenvectors of the covariance with the largest eigenvalues

Source: Pearson, On Lines and Planes of Closest Fit to Systems of Points in Space, Philosophical Magazine 2, 1901.
Departures: an axis's sign, which is free, makes the largest weight in W positive.
Checked by: scikit-learn's PCA; the embedding put through the last layer by hand is the network's output.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from fourfold.run.views.layers import evaluating
from fourfold.tasks.seam import Batch


class Projection(NamedTuple):
    """Points on a plane."""

    points: Tensor  # float64 [examples, 2]
    shares: Tensor  # float64 [2], of the variance, along each axis


@torch.no_grad()
def embed(model: nn.Module, batches: Iterable[Batch]) -> Tensor:
    """Return embeddings, float32 `[examples, features]`, on the CPU.

    Args:
        model: on the batches' device.
        batches: of pictures or rows; one at least.
    """
    heard: list[Tensor] = []
    linear = last_linear(model)
    hook = None
    if linear is not None:
        hook = linear.register_forward_pre_hook(lambda _, inputs: heard.append(inputs[0]))
    found: list[Tensor] = []
    try:
        with evaluating(model):
            for batch in batches:
                heard.clear()
                output = model(*batch.inputs)
                found.append((heard[-1] if heard else output).flatten(1).float().cpu())
    finally:
        if hook is not None:
            hook.remove()
    return torch.cat(found)


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
