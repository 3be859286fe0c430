"""Take the colours from some pictures; grey stays in all three channels.

Paper: Chen, Kornblith, Norouzi and Hinton, A Simple Framework for Contrastive Learning of Visual Representations, ICML
2020, arXiv:2002.05709, appendix A: one picture in five becomes grey.
Departures: a picture of whole numbers is rounded, where torchvision cuts off. Grey pictures stay as they are.
Checked by: torchvision.transforms.functional.rgb_to_grayscale, picture by picture.
"""

from collections.abc import Iterator
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.data.augment.colour_jitter import to_grey
from fourfold.data.augment.warp import like, pieces
from fourfold.tasks.seam import Image


class RandomGreyConfig(AugmentConfig):
    """Fields of `augment: random_grey`."""

    name: Literal["random_grey"] = "random_grey"
    probability: float = Field(default=0.2, gt=0, le=1, description="share of the pictures that become grey")

    def build(self, image: Image) -> "RandomGrey":
        """Return the augmentation."""
        return RandomGrey(self.probability)


class RandomGrey(Augment):
    """Take the colours from pictures with probability `probability`."""

    def __init__(self, probability: float) -> None:
        self.probability = probability

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return which pictures become grey, bool `[count]`."""
        return torch.rand(count, generator=generator) < self.probability

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return the pictures, some grey."""
        return without_colours(images, draws)


def without_colours(images: Tensor, chosen: Tensor) -> Tensor:
    """Make the pictures of `images [batch, 1 or 3, height, width]` grey that `chosen`, bool `[batch]`, names."""
    result = images.clone()
    if images.shape[1] == 3:
        for rows in some_of(images, chosen):
            result[rows] = like(images[rows], to_grey(images[rows].float()).repeat(1, 3, 1, 1))
    return result


def some_of(images: Tensor, chosen: Tensor) -> Iterator[Tensor]:
    """Return the numbers of the pictures that `chosen` names, in stretches that fit a CPU's cache."""
    rows = chosen.nonzero()[:, 0].to(images.device)
    return (rows[piece] for piece in pieces(images[: len(rows)]))
