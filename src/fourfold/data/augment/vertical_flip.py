"""Turn each picture upside down with some probability.

It keeps the label of what has no upside: cells under a microscope, galaxies, land seen from above. It changes that of
a 6, and makes photographs of a world that stands on its head.
Source: Dieleman, Willett and Dambre, Rotation-invariant convolutional neural networks for galaxy morphology prediction,
Monthly Notices of the Royal Astronomical Society 450, 2015, arXiv:1503.07077, where galaxies are
flipped and turned.
Checked by: torch.flip of single pictures with the same draws.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.tasks.seam import Image


class VerticalFlipConfig(AugmentConfig):
    """Fields of `augment: vertical_flip`."""

    name: Literal["vertical_flip"] = "vertical_flip"
    probability: float = Field(default=0.5, gt=0, le=1, description="share of the pictures that are turned")

    def build(self, image: Image) -> "VerticalFlip":
        """Return the augmentation."""
        return VerticalFlip(self.probability)


class VerticalFlip(Augment):
    """Turn pictures upside down with probability `probability`."""

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return which pictures are turned, bool `[count]`."""
        return torch.rand(count, generator=generator) < self.probability

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return the pictures, some upside down."""
        return vertical_flip(images, draws)


def vertical_flip(images: Tensor, chosen: Tensor) -> Tensor:
    """Turn the pictures of `images [batch, channels, height, width]` that `chosen`, bool `[batch]`, names."""
    nhwc = images.permute(0, 2, 3, 1)
    if images.device.type != "cpu" or not nhwc.is_contiguous():
        return torch.where(chosen.to(images.device).view(-1, 1, 1, 1), images.flip(2), images)
    # On a CPU whole rows of the chosen pictures are copied, which NumPy does without an index for each number.
    flipped, which = nhwc.clone(), chosen.numpy()
    flipped.numpy()[which] = nhwc.numpy()[which, ::-1]
    return flipped.permute(0, 3, 1, 2)
