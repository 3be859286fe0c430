"""Turn each picture about its middle by an angle of its own.

A few degrees keep the label of a digit; half a turn makes a 6 of a 9.
Paper: Ciresan, Meier, Gambardella and Schmidhuber, Deep, Big, Simple Neural Nets for Handwritten Digit Recognition,
Neural Computation 22, 2010, arXiv:1003.0358 (up to 15 degrees, 7.5 for 1 and 7).
Departures: one range for all classes. What comes from outside the picture is black, as in `pad_crop`.
Checked by: torchvision.transforms.functional.rotate, picture by picture; quarter turns are torch.rot90.
"""

import math
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.data.augment.warp import affine_warp
from fourfold.tasks.seam import Image


class RotationConfig(AugmentConfig):
    """Fields of `augment: rotation`."""

    name: Literal["rotation"] = "rotation"
    degrees: float = Field(default=15.0, gt=0, le=180, description="the largest angle, either way; 180 is every angle")

    def build(self, image: Image) -> "Rotation":
        """Return the augmentation."""
        return Rotation(self.degrees)


class Rotation(Augment):
    """Turn pictures by up to `degrees`, either way."""

    def __init__(self, degrees: float) -> None:
        self.degrees = degrees

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the angle of each picture in degrees, clockwise, float32 `[count]`."""
        return (2 * torch.rand(count, generator=generator) - 1) * self.degrees

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return the pictures, turned."""
        return rotate(images, draws)


def rotate(images: Tensor, degrees: Tensor) -> Tensor:
    """Turn each of `images [batch, channels, height, width]` clockwise by its number of `degrees`, `[batch]`."""
    angle = degrees * (math.pi / 180)
    cos, sin = angle.cos(), angle.sin()
    back = torch.stack([torch.stack([cos, sin], 1), torch.stack([-sin, cos], 1)], 1)  # the transpose turns back
    return affine_warp(images, back, torch.zeros(len(images), 2))
