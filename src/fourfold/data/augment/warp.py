"""Pictures read at other places than their pixels': what rotation, affine maps and small crops share.

Checked by: `random_resized_crop`, `rotation` and `affine`.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F

PIECE = 1 << 18  # numbers worked on at once on a CPU, so that what lies between two operations stays in its cache


def warp(images: Tensor, grid: Tensor) -> Tensor:
    """Return pictures whose pixels are read from other places of `images`, between four pixels bilinearly.

    Args:
        images: `[batch, channels, height, width]`, uint8 (rounded to the nearest at the end) or float32.
        grid: where each new pixel is read, (x, y), float32 `[batch, height, width, 2]`; -1 and 1 are the outer edges of
            the first and last pixels, and what lies outside is black.
    """
    values = images.to(torch.float32, memory_format=torch.contiguous_format)  # channel after channel is read fastest
    return like(images, F.grid_sample(values, grid, align_corners=False))


def affine_warp(images: Tensor, back: Tensor, shift: Tensor) -> Tensor:
    """Return pictures moved by an affine map about their middle, black where nothing came from.

    Args:
        images: `[batch, channels, height, width]`.
        back: `[batch, 2, 2]`, takes (x, y) of a new pixel, from the middle, to where it is read: the map's inverse.
        shift: `[batch, 2]`, added to that (x, y).
    """
    height, width = images.shape[2:]
    sides = torch.tensor([width, height])
    in_halves = torch.cat([back * sides / sides[:, None], (2 * shift / sides).unsqueeze(2)], 2)  # sides run -1 to 1
    in_halves = in_halves.to(images.device)
    result = torch.empty_like(images)
    for piece in pieces(images):
        size = [len(in_halves[piece]), 1, height, width]
        result[piece] = warp(images[piece], F.affine_grid(in_halves[piece], size, align_corners=False))
    return result


def pieces(images: Tensor) -> Iterator[slice]:
    """Cut a batch into stretches of whole pictures that fit a CPU's cache; on other devices it is one."""
    count = max(1, PIECE // max(1, images[:1].numel())) if images.device.type == "cpu" else max(1, len(images))
    return (slice(start, start + count) for start in range(0, len(images), count))


def like(images: Tensor, values: Tensor) -> Tensor:
    """Return `values`, float32, in the type and memory layout of `images`; they are rounded where that is uint8."""
    result = torch.empty_like(images)
    return result.copy_(values if images.is_floating_point() else values.round_())
