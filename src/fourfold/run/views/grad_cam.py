"""Grad-CAM: where in a picture a network's last convolution finds what speaks for a class.

    alpha_k = 1/Z sum_ij d y / d A^k_ij                                   Eq. 1
    L = relu(sum_k alpha_k A^k)                                           Eq. 2

y is the class's score before softmax, A^k the k-th of the last convolution's maps, Z the number of its places.

Paper: Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization, ICCV 2017,
arXiv:1610.02391; section 3.
Departures: none; A is what follows the last convolution at its size (its ReLU, its normalisation, its block's sum).
Maps of a single place say nothing of where, so that A is then what follows the last convolution of larger maps.
Checked by: a network of two maps by hand; class activation maps (Zhou et al. 2016), to which it is equal up to 1/Z for
networks that end in global average pooling and a linear layer, section 3 of the paper.
"""

import torch
from torch import Tensor, nn

from fourfold.run.views.layers import last_places, record


def grad_cam(model: nn.Module, inputs: Tensor, classes: Tensor) -> Tensor:
    """Return how strongly each place speaks for a class, `[batch, height, width]` of the last maps with places.

    Args:
        model: with a convolution, and one score a class.
        inputs: `[batch, channels, height, width]`.
        classes: one for each picture, int64 `[batch]`.

    Raises:
        InputError: the network has no convolution.
    """
    inputs = inputs.detach().clone().requires_grad_()
    with torch.enable_grad():
        scores, layers = record(model, inputs)
        maps = last_places(layers).values  # [batch, maps, height, width]
        chosen = scores.gather(1, classes.view(-1, 1)).sum()  # pictures do not meet in evaluation mode
        (gradient,) = torch.autograd.grad(chosen, maps)
    alpha = gradient.mean((2, 3), keepdim=True)  # Eq. 1
    return (alpha * maps.detach()).sum(1).relu()  # Eq. 2
