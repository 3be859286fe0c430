"""Cutout: a square of each picture is hidden, at a place of its own.

The square is zero, which of standardised pictures is the mean colour. Its middle may be any pixel, so a part of it may
lie outside, and some pictures stay nearly whole; the paper finds that this matters.

Paper: DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017,
arXiv:1708.04552, section 3 (side 16 for CIFAR-10, 8 for CIFAR-100, of 32).
Departures: none.
Checked by: plain slices, picture by picture, with the same draws; the share of each pixel's time in the square.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.core.errors import InputError
from fourfold.tasks.seam import Batch, Image, Plan, Spec, require_input


class CutoutConfig(RegularizerConfig):
    """Fields of `cutout`."""

    name: Literal["cutout"] = "cutout"
    side: int = Field(default=16, ge=1, le=8192, description="of the square, in pixels")

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "Cutout":
        """Return the regularizer of `model`; the square must be smaller than the data's pictures."""
        image = require_input(spec, Image, "cutout")
        if self.side >= min(image.height, image.width):
            raise InputError(
                f"algorithm.regularizers: cutout's side of {self.side} can leave nothing of {image}; "
                f"the nearest valid side is {min(image.height, image.width) - 1}"
            )
        return Cutout(model, plan, self.side)


def cutout(images: Tensor, middles: Tensor, side: int) -> Tensor:
    """Return pictures with a square of zeros.

    Args:
        images: `[batch, channels, height, width]`.
        middles: row and column of each square's middle, int64 `[batch, 2]`.
        side: of the square; an even one has its middle below and right of its centre.
    """
    corners = (middles - side // 2).to(images.device)
    below = torch.arange(images.shape[2], device=images.device) - corners[:, :1]  # [batch, height]
    right = torch.arange(images.shape[3], device=images.device) - corners[:, 1:]  # [batch, width]
    hidden = ((below >= 0) & (below < side))[:, :, None] & ((right >= 0) & (right < side))[:, None, :]
    return images.clone().masked_fill_(hidden[:, None], 0)  # a clone keeps channels-last memory


class Cutout(Regularizer):
    """Hides a square of each picture."""

    def __init__(self, model: nn.Module, plan: Plan, side: int) -> None:
        super().__init__(model, plan)
        self.side = side

    def on_batch(self, batch: Batch, step: int) -> Batch:
        (images,) = batch.inputs
        chance = torch.rand(len(images), 2, generator=self.generator(step), device=images.device)
        size = torch.tensor(images.shape[2:], device=images.device)
        return batch._replace(inputs=(cutout(images, (chance * size).long(), self.side),))

    def explain(self) -> list[tuple[str, str]]:
        return [("on_batch", f"cutout: hide a square of side {self.side} in each picture")]
