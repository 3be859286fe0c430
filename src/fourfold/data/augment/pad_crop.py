"""Pad each picture on all sides, then crop it back to its size at a random place.

Paper: used by Lee et al., Deeply-Supervised Nets, AISTATS 2015, and He et al., CVPR 2016, section 4.2 (pad 4).
Departures: the padding is black (zero before standardisation), as torchvision's RandomCrop has it; where a paper pads
after subtracting the mean, its padding is the mean colour.
Checked by: plain per-picture pad and slice with the same draws; torchvision.transforms.functional.
"""

from typing import Literal

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.tasks.seam import Image


class PadCropConfig(AugmentConfig):
    """Fields of `augment: pad_crop`."""

    name: Literal["pad_crop"] = "pad_crop"
    pad: int = Field(
        default=4, ge=1, le=1024, description="pixels added on each side; the picture shifts by up to this"
    )

    def build(self, image: Image) -> "PadCrop":
        """Return the augmentation; the padding must be smaller than the picture."""
        if self.pad >= min(image.height, image.width):
            raise InputError(f"data.augment: pad_crop's pad of {self.pad} can leave nothing of {image}")
        return PadCrop(self.pad)


class PadCrop(Augment):
    """Shift pictures by up to `pad` pixels, filling with zeros."""

    def __init__(self, pad: int) -> None:
        self.pad = pad

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the top left corner of each crop in the padded picture, int64 `[count, 2]`: row, column."""
        return torch.randint(0, 2 * self.pad + 1, (count, 2), generator=generator)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return the crops."""
        return pad_crop(images, draws, self.pad)


def pad_crop(images: Tensor, corners: Tensor, pad: int) -> Tensor:
    """Pad `images [batch, channels, height, width]` with zeros and crop each at its corner, int64 `[batch, 2]`."""
    if images.device.type == "cpu":
        return _by_windows(images, corners, pad)
    return _by_gathering(images, corners, pad)


def _by_windows(images: Tensor, corners: Tensor, pad: int) -> Tensor:
    """Copy each crop whole, out of NumPy's view of all windows: the fastest on a CPU, twice a slice a picture."""
    batch, channels, height, width = images.shape
    padded = torch.zeros(batch, height + 2 * pad, width + 2 * pad, channels, dtype=images.dtype)
    padded[:, pad : pad + height, pad : pad + width] = images.permute(0, 2, 3, 1)
    rows = padded.view(
        batch, height + 2 * pad, (width + 2 * pad) * channels
    ).numpy()  # a row of pixels is one run of bytes
    windows = sliding_window_view(rows, (height, width * channels), axis=(1, 2))
    y, x = corners.numpy().T
    crops = torch.from_numpy(windows[np.arange(batch), y, x * channels])
    return crops.view(batch, height, width, channels).permute(0, 3, 1, 2)


def _by_gathering(images: Tensor, corners: Tensor, pad: int) -> Tensor:
    """One index for the whole batch: the fastest where starting an operation is what costs."""
    batch, _, height, width = images.shape
    nhwc = F.pad(images, (pad, pad, pad, pad)).permute(0, 2, 3, 1)
    corners = corners.to(images.device)
    rows = corners[:, 0, None] + torch.arange(height, device=images.device)  # [batch, height]
    columns = corners[:, 1, None] + torch.arange(width, device=images.device)  # [batch, width]
    which = torch.arange(batch, device=images.device)
    return nhwc[which[:, None, None], rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)
