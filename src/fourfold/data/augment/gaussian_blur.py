"""Blur some pictures by a Gaussian of a width of its own each.

    weight of a neighbour k pixels away ~ exp(-k^2 / (2 sigma^2)), |k| <= reach; first along columns, then along rows

Beyond an edge the picture is reflected.
Paper: Chen, Kornblith, Norouzi and Hinton, A Simple Framework for Contrastive Learning of Visual Representations, ICML
2020, arXiv:2002.05709, appendix A: half of the pictures, sigma uniform between 0.1 and 2 pixels, the kernel a tenth of
the picture's side; not for CIFAR-10 (appendix B.9).
Departures: the kernel has an odd number of pixels, so that it has a middle: twice a twentieth of the shorter side, and
one.
Checked by: torchvision.transforms.functional.gaussian_blur, picture by picture.
"""

from typing import Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor
from torch.nn import functional as F

from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.data.augment.random_grey import some_of
from fourfold.data.augment.warp import like
from fourfold.tasks.seam import Image


class GaussianBlurConfig(AugmentConfig):
    """Fields of `augment: gaussian_blur`."""

    name: Literal["gaussian_blur"] = "gaussian_blur"
    probability: float = Field(default=0.5, gt=0, le=1, description="share of the pictures that are blurred")
    sigma_low: float = Field(default=0.1, gt=0, description="narrowest Gaussian, in pixels")
    sigma_high: float = Field(default=2.0, gt=0, le=1000, description="widest Gaussian, in pixels")

    @model_validator(mode="after")
    def _check(self) -> "GaussianBlurConfig":
        if self.sigma_low > self.sigma_high:
            raise ValueError(f"sigma_low of {self.sigma_low:g} is above sigma_high of {self.sigma_high:g}")
        return self

    def build(self, image: Image) -> "GaussianBlur":
        """Return the augmentation."""
        reach = max(1, round(min(image.height, image.width) / 20))
        return GaussianBlur(self.probability, (self.sigma_low, self.sigma_high), reach)


class GaussianBlur(Augment):
    """Blur pictures.

    Args:
        probability: share that is blurred.
        sigma: narrowest and widest Gaussian, in pixels.
        reach: pixels to either side that a pixel is mixed with.
    """

    def __init__(self, probability: float, sigma: tuple[float, float], reach: int) -> None:
        self.probability, self.sigma, self.reach = probability, sigma, reach

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the sigma of each picture, 0 for one that stays sharp, float32 `[count]`."""
        chance, width = torch.rand(2, count, generator=generator)
        low, high = self.sigma
        return (low + (high - low) * width) * (chance < self.probability)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return the pictures, some blurred."""
        return blur(images, draws, self.reach)


def blur(images: Tensor, sigma: Tensor, reach: int) -> Tensor:
    """Blur each of `images [batch, channels, height, width]` by its own `sigma` in pixels, `[batch]`; 0 leaves it.

    Args:
        images: uint8 or float32, more than `reach` pixels high and wide; smaller ones are blurred less far.
        sigma: float32, on the CPU.
        reach: pixels to either side that a pixel is mixed with.
    """
    result = images.clone()
    for rows in some_of(images, sigma > 0):
        values = images[rows].to(torch.float32, memory_format=torch.contiguous_format)
        own = sigma[rows.cpu()].to(images.device)
        for axis in (2, 3):
            values = _along(values, own, min(reach, images.shape[axis] - 1), axis)
        result[rows] = like(images[rows], values)
    return result


def _along(values: Tensor, sigma: Tensor, reach: int, axis: int) -> Tensor:
    """Blur `values [batch, channels, height, width]` along one axis."""
    away = torch.arange(-reach, reach + 1, device=values.device)
    weights = (-0.5 * (away / sigma[:, None]).square()).exp()  # [batch, 2 reach + 1]
    weights = weights / weights.sum(1, keepdim=True)
    padded = F.pad(values, (0, 0, reach, reach) if axis == 2 else (reach, reach, 0, 0), mode="reflect")
    result = torch.zeros_like(values)
    for place, weight in enumerate(weights.unbind(1)):
        result.addcmul_(padded.narrow(axis, place, values.shape[axis]), weight.view(-1, 1, 1, 1))
    return result
