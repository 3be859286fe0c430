"""Turn, shift, scale and shear each picture, all four by amounts of its own.

    q = scale R(angle) [1 -tan(shear); 0 1] p + shift,  p and q from the picture's middle

Paper: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition, Proceedings of the
IEEE 86, 1998, section III.B (shifts, scaling, horizontal shearing).
Departures: rotation in place of the paper's squeezing. What comes from outside the picture is black, as in `pad_crop`.
Checked by: torchvision.transforms.functional.affine, picture by picture.
"""

import math
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.data.augment.warp import affine_warp
from fourfold.tasks.seam import Image


class AffineConfig(AugmentConfig):
    """Fields of `augment: affine`."""

    name: Literal["affine"] = "affine"
    degrees: float = Field(default=10.0, ge=0, le=180, description="the largest rotation, either way")
    shift: float = Field(default=0.1, ge=0, le=1, description="the largest shift, either way, as a share of the side")
    scale_low: float = Field(default=0.9, gt=0, le=100, description="the smallest scale; 1 leaves it as it is")
    scale_high: float = Field(default=1.1, gt=0, le=100, description="the largest scale")
    shear: float = Field(default=10.0, ge=0, lt=90, description="the largest lean of vertical lines, in degrees")

    @model_validator(mode="after")
    def _check(self) -> "AffineConfig":
        if self.scale_low > self.scale_high:
            raise ValueError(f"scale_low of {self.scale_low:g} is above scale_high of {self.scale_high:g}")
        return self

    def build(self, image: Image) -> "Affine":
        """Return the augmentation."""
        return Affine(image, self.degrees, self.shift, (self.scale_low, self.scale_high), self.shear)


class Affine(Augment):
    """Move pictures by affine maps about their middle.

    Args:
        image: size of the pictures.
        degrees: largest rotation, either way.
        shift: largest shift, either way, as a share of the picture's width and height.
        scale: smallest and largest.
        shear: largest lean in degrees, either way.
    """

    def __init__(self, image: Image, degrees: float, shift: float, scale: tuple[float, float], shear: float) -> None:
        (low, high), width, height = scale, image.width, image.height
        self._middle = torch.tensor([0.0, 0.0, 0.0, (low + high) / 2, 0.0])
        self._reach = torch.tensor([degrees, shift * width, shift * height, (high - low) / 2, shear])

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return a map for each picture, float32 `[count, 5]`.

        Its numbers are: degrees clockwise, pixels right, pixels down, scale, degrees of shear.
        """
        return self._middle + (2 * torch.rand(count, 5, generator=generator) - 1) * self._reach

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return the pictures, moved."""
        return affine(images, draws)


def affine(images: Tensor, maps: Tensor) -> Tensor:
    """Move each of `images [batch, channels, height, width]` by its map, `[batch, 5]` as `Affine.draw` gives them."""
    degrees, right, down, scale, shear = maps.unbind(1)
    angle, lean = degrees * (math.pi / 180), (shear * (math.pi / 180)).tan()
    cos, sin = angle.cos(), angle.sin()
    # The inverse: [1 lean; 0 1] R(-angle) / scale
    first = torch.stack([cos - lean * sin, sin + lean * cos], 1)
    second = torch.stack([-sin, cos], 1)
    back = torch.stack([first, second], 1) / scale.view(-1, 1, 1)
    shift = -(back @ torch.stack([right, down], 1).unsqueeze(2)).squeeze(2)
    return affine_warp(images, back, shift)
