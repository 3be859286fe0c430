"""Fill a random rectangle of some pictures with noise, so that no one part of a picture can be relied on.

Paper: Zhong, Zheng, Kang, Li and Yang, Random Erasing Data Augmentation, AAAI 2020, arXiv:1708.04896, Algorithm 1 and
section 4 (random values, the best of the four fillings there).
Departures: a rectangle that does not fit is drawn again up to ten times, where the paper's loop has no end; then the
picture stays whole. The noise of a picture is a stretch of one long table of random values, which begins at a place of
its own. It is done to pixels before they are standardised, as in the paper's program.
Checked by: plain slices, picture by picture, with the same draws; the shares and ranges drawn.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from fourfold.core.seeds import stream_seed
from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.tasks.seam import Image

TRIES = 10
PLACES = 1 << 16  # where a picture's noise can begin


class RandomErasingConfig(AugmentConfig):
    """Fields of `augment: random_erasing`."""

    name: Literal["random_erasing"] = "random_erasing"
    probability: float = Field(default=0.5, gt=0, le=1, description="share of the pictures that lose a rectangle (p)")
    area_low: float = Field(default=0.02, gt=0, lt=1, description="smallest share of a picture's area (s_l)")
    area_high: float = Field(default=0.4, gt=0, lt=1, description="largest share of a picture's area (s_h)")
    ratio_low: float = Field(
        default=0.3, gt=0, le=1, description="smallest height over width (r_1); the largest is 1 over this"
    )

    @model_validator(mode="after")
    def _check(self) -> "RandomErasingConfig":
        if self.area_low > self.area_high:
            raise ValueError(f"area_low of {self.area_low:g} is above area_high of {self.area_high:g}")
        return self

    def build(self, image: Image) -> "RandomErasing":
        """Return the augmentation."""
        return RandomErasing(image, self.probability, (self.area_low, self.area_high), self.ratio_low)


class RandomErasing(Augment):
    """Fill rectangles with noise.

    Args:
        image: size of the pictures.
        probability: share of the pictures that lose a rectangle.
        area: smallest and largest share of the area.
        ratio_low: smallest height over width; the largest is 1 over this.

    Attributes:
        noise: what rectangles are filled with, from 0 to the largest value of a pixel, by the type of the pictures.
    """

    noise: Mapping[torch.dtype, Tensor]

    def __init__(self, image: Image, probability: float, area: tuple[float, float], ratio_low: float) -> None:
        self.image, self.probability, self.area, self.ratio_low = image, probability, area, ratio_low

    def fit(self, pictures: Iterable[Tensor], maximum: float) -> None:
        generator = torch.Generator().manual_seed(stream_seed(0, "augment"))  # the table is alike in every run
        values = torch.rand(PLACES + self.image.size, generator=generator)
        whole = (values * (maximum + 1)).to(torch.uint8)  # each whole number as often as another
        self.noise = {torch.uint8: whole, torch.float32: values * maximum}

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return what each picture loses, int64 `[count, 5]`: top, left, height, width, and where its noise begins.

        Height and width are 0 where a picture stays whole.
        """
        chance = torch.rand(count, 2, TRIES, generator=generator)
        low, high = self.area
        area = (low + (high - low) * chance[:, 0]) * (self.image.height * self.image.width)
        ratio = self.ratio_low + (1 / self.ratio_low - self.ratio_low) * chance[:, 1]
        heights, widths = (area * ratio).sqrt().round().long(), (area / ratio).sqrt().round().long()
        fits = (heights > 0) & (heights < self.image.height) & (widths > 0) & (widths < self.image.width)
        first = fits.int().argmax(1, keepdim=True)
        chosen = fits.any(1) & (torch.rand(count, generator=generator) < self.probability)
        sides = torch.cat([heights.gather(1, first), widths.gather(1, first)], 1) * chosen[:, None]
        room = torch.tensor([self.image.height, self.image.width]) - sides
        corner = torch.minimum((torch.rand(count, 2, generator=generator) * (room + 1)).long(), room)
        return torch.cat([corner, sides, torch.randint(PLACES, (count, 1), generator=generator)], 1)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return the pictures, some with a rectangle of noise."""
        return erase(images, draws, self.noise[images.dtype])


def erase(images: Tensor, rectangles: Tensor, noise: Tensor) -> Tensor:
    """Fill a rectangle of each of `images [batch, channels, height, width]` with noise.

    Args:
        images: uint8 or float32.
        rectangles: int64 `[batch, 5]`, as `RandomErasing.draw` gives them; on the CPU.
        noise: a table of values of the pictures' type, long enough for the last place plus a picture.
    """
    if images.device.type == "cpu":
        return _in_turn(images, rectangles, noise)
    return _at_once(images, rectangles.to(images.device), noise.to(images.device))


def _in_turn(images: Tensor, rectangles: Tensor, noise: Tensor) -> Tensor:
    """Write into the chosen rectangles only."""
    result = images.clone()
    pixels, table, (_, channels, _, _) = result.permute(0, 2, 3, 1).numpy(), noise.numpy(), images.shape
    for i, (top, left, height, width, place) in enumerate(rectangles.tolist()):
        if height:
            values = table[place : place + height * width * channels]
            pixels[i, top : top + height, left : left + width] = values.reshape(height, width, channels)
    return result


def _at_once(images: Tensor, rectangles: Tensor, noise: Tensor) -> Tensor:
    """Choose between picture and noise for every number, which needs few operations."""
    _, channels, height, width = images.shape
    top, left, rows, columns, place = (each.view(-1, 1, 1, 1) for each in rectangles.unbind(1))
    y = torch.arange(height, device=images.device).view(1, 1, -1, 1) - top
    x = torch.arange(width, device=images.device).view(1, 1, 1, -1) - left
    inside = (y >= 0) & (y < rows) & (x >= 0) & (x < columns)
    channel = torch.arange(channels, device=images.device).view(1, -1, 1, 1)
    where = (place + (y * columns + x) * channels + channel).clamp(0, len(noise) - 1)  # outside it is not looked at
    return torch.where(inside, noise[where], images)
