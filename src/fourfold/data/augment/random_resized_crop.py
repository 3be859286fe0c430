"""Cut a piece of random size, shape and place out of each picture, and enlarge it to the picture's size.

Paper: Szegedy et al., Going Deeper with Convolutions, CVPR 2015, arXiv:1409.4842, section 6: between 8 % and 100 % of
the area, sides in a ratio between 3/4 and 4/3.
Departures: the paper does not say how the ratio is drawn; here its logarithm is uniform. It varies the interpolation
between four kinds; here it is bilinear. A piece that does not fit is drawn again, up to ten times, as in torchvision;
then it is the largest one in the middle that fits. The result has the picture's own size.
Checked by: torchvision.transforms.functional.resized_crop, picture by picture (uint8 pictures of 48x48 and more to one
level of grey: their interpolation is in whole numbers).
"""

import math
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional as F

from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.data.augment.warp import warp
from fourfold.tasks.seam import Image

TRIES = 10
LARGE = 48 * 48  # pixels, from which a CPU is faster with one picture at a time


class RandomResizedCropConfig(AugmentConfig):
    """Fields of `augment: random_resized_crop`."""

    name: Literal["random_resized_crop"] = "random_resized_crop"
    area_low: float = Field(default=0.08, gt=0, le=1, description="smallest piece, as a share of the picture's area")
    area_high: float = Field(default=1.0, gt=0, le=1, description="largest piece")
    ratio: float = Field(
        default=4 / 3, ge=1, le=100, description="largest ratio of width to height, and of height to width"
    )

    @model_validator(mode="after")
    def _check(self) -> "RandomResizedCropConfig":
        if self.area_low > self.area_high:
            raise ValueError(f"area_low of {self.area_low:g} is above area_high of {self.area_high:g}")
        return self

    def build(self, image: Image) -> "RandomResizedCrop":
        """Return the augmentation."""
        return RandomResizedCrop(image, (self.area_low, self.area_high), self.ratio)


class RandomResizedCrop(Augment):
    """Enlarge pieces of pictures.

    Args:
        image: size of the pictures.
        area: smallest and largest share of the area.
        ratio: largest ratio of the sides, either way.
    """

    def __init__(self, image: Image, area: tuple[float, float], ratio: float) -> None:
        self.height, self.width, self.area, self.ratio = image.height, image.width, area, ratio

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the piece of each picture, int64 `[count, 4]`: top, left, height, width."""
        chance = torch.rand(count, 2, TRIES, generator=generator)
        low, high = self.area
        area = (low + (high - low) * chance[:, 0]) * (self.height * self.width)
        ratio = ((2 * chance[:, 1] - 1) * math.log(self.ratio)).exp()
        heights, widths = (area / ratio).sqrt().round().long(), (area * ratio).sqrt().round().long()
        fits = (heights > 0) & (heights <= self.height) & (widths > 0) & (widths <= self.width)  # [count, TRIES]
        first = fits.int().argmax(1, keepdim=True)
        found, largest = fits.any(1), self._largest()
        height = torch.where(found, heights.gather(1, first)[:, 0], largest[0])
        width = torch.where(found, widths.gather(1, first)[:, 0], largest[1])
        place = torch.rand(count, 2, generator=generator).masked_fill(~found[:, None], 0.5)
        room = torch.stack([self.height - height, self.width - width], 1)
        corner = torch.minimum((place * (room + 1)).long(), room)  # a product may be rounded up to room + 1
        return torch.cat([corner, height[:, None], width[:, None]], 1)

    def _largest(self) -> tuple[int, int]:
        """Return height and width of the largest piece whose ratio is allowed."""
        height, width = self.height, self.width
        return min(height, round(width * self.ratio)), min(width, round(height * self.ratio))

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return the pieces, enlarged."""
        return resized_crop(images, draws)


def resized_crop(images: Tensor, pieces: Tensor) -> Tensor:
    """Enlarge a piece of each of `images [batch, channels, height, width]` to the same size, bilinearly.

    Args:
        images: uint8 or float32.
        pieces: int64 `[batch, 4]`: top, left, height, width of each.
    """
    if images.device.type == "cpu" and images.shape[2] * images.shape[3] >= LARGE:
        return _one_by_one(images, pieces)
    return _at_once(images, pieces)


def _one_by_one(images: Tensor, pieces: Tensor) -> Tensor:
    """Enlarge pieces in whole numbers, in the CPU's wide registers: 8 times faster at 224x224, slower at 32x32."""
    size = images.shape[2:]
    cut = (
        images[i : i + 1, :, top : top + height, left : left + width]
        for i, (top, left, height, width) in enumerate(pieces.tolist())
    )
    whole = [F.interpolate(piece, size, mode="bilinear", align_corners=False) for piece in cut]
    return torch.cat(whole) if whole else images.clone()


def _at_once(images: Tensor, pieces: Tensor) -> Tensor:
    """Read all new pixels at once; a place is held inside its piece, so that nothing leaks in from around it."""
    top, left, height, width = pieces.to(images.device).unbind(1)
    y, x = _places(top, height, images.shape[2]), _places(left, width, images.shape[3])
    return warp(images, torch.stack(torch.broadcast_tensors(x[:, None, :], y[:, :, None]), dim=-1))


def _places(start: Tensor, length: Tensor, count: int) -> Tensor:
    """Return where along one side each of `count` new pixels is read, from -1 to 1, float32 `[batch, count]`."""
    middles = torch.arange(count, device=start.device) + 0.5
    inside = (middles * (length[:, None] / count)).clamp(min=0.5)
    return 2 * (start[:, None] + torch.minimum(inside, length[:, None] - 0.5)) / count - 1
