"""Shift the colour of each whole picture along the axes in which the training pixels vary.

    x + sum_i a_i s_i p_i,   a_i ~ N(0, deviation^2)

with p_i the eigenvectors of the 3x3 covariance of the training split's pixels and s_i the deviations along them: light
of another colour and strength.

Paper: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, NIPS 2012,
section 4.1.
Departures: the paper multiplies by the eigenvalues, whose size depends on the unit of a pixel, which it does not give;
here it is their square roots, as the first author's program (cuda-convnet2) calls what it multiplies by. The result is
held between black and full brightness.
Checked by: scikit-learn's PCA of the training pixels; hand arithmetic, picture by picture.
"""

from collections.abc import Iterable
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.data.augment.warp import like
from fourfold.tasks.seam import Image

CHUNK = 1024  # pictures widened to float64 at once


class PCAJitterConfig(AugmentConfig):
    """Fields of `augment: pca_jitter`."""

    name: Literal["pca_jitter"] = "pca_jitter"
    deviation: float = Field(default=0.1, gt=0, le=10, description="of the shift, in deviations of the training pixels")

    def build(self, image: Image) -> "PCAJitter":
        """Return the augmentation; the pictures must be in colour."""
        if image.channels != 3:
            raise InputError(f"data.augment: pca_jitter is for pictures of three colours, not for {image}")
        return PCAJitter(self.deviation)


class PCAJitter(Augment):
    """Shift the colours of pictures.

    Attributes:
        axes: float32 `[3, 3]`; row i is s_i p_i, the longest first. Known after `fit`.
    """

    def __init__(self, deviation: float) -> None:
        self.deviation = deviation
        self.axes = torch.zeros(3, 3)
        self._maximum = 255.0

    def fit(self, pictures: Iterable[Tensor], maximum: float) -> None:
        self.axes, self._maximum = principal_axes(pictures), maximum

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return how far each picture goes along each axis, float32 `[count, 3]`."""
        return torch.randn(count, 3, generator=generator) * self.deviation

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return the pictures, in other light."""
        return shift_colours(images, draws @ self.axes, self._maximum)


def principal_axes(pictures: Iterable[Tensor]) -> Tensor:
    """Return the axes in which the pixels of `pictures`, parts `[examples, 3, height, width]`, vary.

    Sums of whole numbers are exact in float64, so it does not matter how the pictures are cut into parts.

    Returns:
        float32 `[3, 3]`: row i is the i-th principal direction times the deviation along it, the longest first. Of the
        two signs, a direction has the one that makes its numbers sum to something positive.
    """
    count, total, products = 0, torch.zeros(3).double(), torch.zeros(3, 3).double()
    for part in (small for each in pictures for small in each.split(CHUNK)):
        pixels = part.permute(0, 2, 3, 1).reshape(-1, 3).double().cpu()
        count, total, products = count + len(pixels), total + pixels.sum(0), products + pixels.T @ pixels
    mean = total / count
    variances, directions = torch.linalg.eigh(products / count - mean[:, None] * mean)
    axes = (directions * variances.clamp(min=0).sqrt()).T.flip(0)
    return (axes * torch.where(axes.sum(1, keepdim=True) < 0, -1.0, 1.0)).float()


def shift_colours(images: Tensor, shifts: Tensor, maximum: float) -> Tensor:
    """Add to every pixel of each of `images [batch, 3, height, width]` its `shifts`, `[batch, 3]`."""
    shifts = shifts.to(images.device).view(-1, 3, 1, 1)
    return like(images, (images + shifts).clamp_(0, maximum))
