"""Histograms of oriented gradients: what a picture's edges point to, cell by cell.

    gradient by [-1, 0, 1]; of several channels, the one where it is steepest
    each pixel votes with its magnitude for the two nearest of 9 directions between 0 and 180 degrees,
    and for the nearest cells, less far from the middle of their block
    each block of 2x2 cells is brought to length one, its numbers cut off at 0.2, and brought to length one again

Paper: Dalal and Triggs, Histograms of Oriented Gradients for Human Detection, CVPR 2005, section 6 and its defaults:
cells of 8x8 pixels, blocks overlapping by a cell, L2-Hys.
Departures: no square root of the pixels, which here are standardised and so may be below zero; where the sides are no
multiple of a cell, the pixels left over lie around the grid and vote for nothing.
Checked by: OpenCV's HOGDescriptor; the votes of each pixel counted in a loop.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

BINS = 9  # directions
CUT = 0.2  # the largest number of a block, between its two normalisations
EPS = 1e-3  # added to a length, so that a blank block stays blank


def num_features(height: int, width: int, cell: int) -> int:
    """Return how many numbers `hog` gives for a picture; 0 where it holds no block of 2x2 cells."""
    return max(0, height // cell - 1) * max(0, width // cell - 1) * 4 * BINS


def hog(x: Tensor, cell: int, sigma: float | None = None) -> Tensor:
    """Return the descriptors of pictures.

    Args:
        x: `[batch, channels, height, width]`.
        cell: pixels on a side of a cell.
        sigma: of the Gaussian window over a block, in pixels; half of the block by default.

    Returns:
        `[batch, blocks down, blocks across, cells of a block, directions]`; cells go row by row.
    """
    height, width = x.shape[2:]
    top, left = height % cell // 2, width % cell // 2
    votes = orientation_votes(x)[:, :, top : top + height // cell * cell, left : left + width // cell * cell]
    window = _block_windows(cell, cell if sigma is None else sigma).to(votes)
    cells = F.conv2d(votes.flatten(0, 1)[:, None], window, stride=cell)  # [batch x directions, 4, down, across]
    blocks = cells.unflatten(0, (-1, BINS)).permute(0, 3, 4, 2, 1)
    lengths = (blocks.square().sum((3, 4), keepdim=True) + EPS**2).sqrt()
    blocks = (blocks / lengths).clamp(max=CUT)
    return blocks / (blocks.square().sum((3, 4), keepdim=True) + EPS**2).sqrt()


def orientation_votes(x: Tensor) -> Tensor:
    """Return each pixel's votes `[batch, directions, height, width]`: its gradient's size, shared by two directions."""
    padded = F.pad(x, (1, 1, 1, 1), mode="reflect")  # at the border there is no gradient across it
    across = padded[:, :, 1:-1, 2:] - padded[:, :, 1:-1, :-2]
    down = padded[:, :, 2:, 1:-1] - padded[:, :, :-2, 1:-1]
    steepest = (across.square() + down.square()).argmax(1, keepdim=True)
    across, down = across.gather(1, steepest), down.gather(1, steepest)  # [batch, 1, height, width]
    place = torch.atan2(down, across) * (BINS / math.pi) - 0.5  # 0 at the middle of the first direction
    directions = torch.arange(BINS, device=x.device, dtype=x.dtype).view(-1, 1, 1)
    away = (place - directions + BINS / 2).remainder(BINS) - BINS / 2  # half a turn is no turn
    return torch.hypot(across, down) * (1 - away.abs()).clamp(min=0)


def _block_windows(cell: int, sigma: float) -> Tensor:
    """Return what a pixel of a block weighs in each of its 2x2 cells, `[4, 1, 2 cell, 2 cell]`."""
    place = torch.arange(2 * cell, dtype=torch.float64) + 0.5
    near = torch.stack([(1 - (place / cell - 0.5 - number).abs()).clamp(min=0) for number in (0, 1)])
    line = near * torch.exp(-((place - cell) ** 2) / (2 * sigma**2))  # [2, 2 cell]
    return torch.einsum("iy,jx->ijyx", line, line).reshape(4, 1, 2 * cell, 2 * cell)
