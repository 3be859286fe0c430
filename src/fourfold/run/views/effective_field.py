"""Which part of the picture a unit does depend on, of all that can reach it: its effective receptive field.

    the gradient of a stage's unit in the middle, summed over maps, with respect to the input pixels

Paper: Luo, Li, Urtasun and Zemel, Understanding the Effective Receptive Field in Deep Convolutional Neural Networks,
NeurIPS 2016, arXiv:1701.04128; sections 1 and 3.
Departures: its units have one map and its gradients are averaged with their signs, over random networks and inputs;
here a trained network's maps are summed, and its gradients averaged over pictures without their signs, which would
cancel. Its size counts pixels above 1 - 95.45 % of the middle one; here of the largest, which need not be the middle.
Checked by: a linear network, whose gradients are its kernels convolved; no pixel outside the theoretical field.
"""

import math

import torch
from torch import Tensor, nn

from fourfold.run.views.layers import Stage, record, stages

EFFECTIVE = 1 - 0.9545  # of the largest gradient: what a pixel must reach to be counted


def effective_fields(model: nn.Module, inputs: Tensor) -> list[tuple[Stage, Tensor]]:
    """Return for each stage how strongly its middle unit depends on each pixel, `[height, width]`.

    That is the mean over pictures of the gradient's size, added up over channels.

    Args:
        model: on the inputs' device.
        inputs: `[batch, channels, height, width]`.
    """
    inputs = inputs.detach().clone().requires_grad_()
    found = []
    with torch.enable_grad():
        for stage in stages(record(model, inputs)[1]):
            height, width = stage.values.shape[2:]
            middle = stage.values[:, :, height // 2, width // 2].sum()
            (gradient,) = torch.autograd.grad(middle, inputs, retain_graph=True)
            found.append((Stage(stage.name, stage.values.detach()), gradient.abs().sum(1).mean(0)))
    return found


def effective_size(strength: Tensor) -> float:
    """Return the side of a square of as many pixels as are above 1 - 95.45 % of the largest (section 3).

    Args:
        strength: `[height, width]`, from `effective_fields`.
    """
    return math.sqrt(int((strength > EFFECTIVE * strength.max()).sum()))
