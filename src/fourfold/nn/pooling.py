"""Averaging a map to a fixed grid, whatever its size, so that the full layers behind it fit pictures of any size.

    bin i of n covers the positions floor(i size / n) to ceil((i + 1) size / n) - 1

Source: the spatial pyramid of He et al., ECCV 2014, arXiv:1406.4729, section 2.2, with one level and with averages.
Checked by: torch's adaptive_avg_pool2d, whose gradient is not deterministic on a GPU; two matrix products are.
"""

import torch
from torch import Tensor, nn


class GridAverage(nn.Module):
    """Average `[batch, channels, height, width]` to `[batch, channels, rows, columns]`; a map of that size is kept.

    Args:
        rows: of the grid.
        columns: of the grid.
    """

    def __init__(self, rows: int, columns: int) -> None:
        super().__init__()
        self.rows, self.columns = rows, columns

    def forward(self, x: Tensor) -> Tensor:
        """Average over bins of equal size, which overlap where the size is no multiple of their number."""
        height, width = x.shape[2:]
        if (height, width) == (self.rows, self.columns):
            return x
        return _bins(self.rows, height, x) @ x @ _bins(self.columns, width, x).T

    def extra_repr(self) -> str:
        return f"{self.rows}, {self.columns}"


def _bins(count: int, size: int, x: Tensor) -> Tensor:
    """Return the weight of each position in each bin, `[count, size]`, of `x`'s type."""
    number, place = torch.arange(count, device=x.device)[:, None], torch.arange(size, device=x.device)
    inside = (place >= number * size // count) & (place < -((number + 1) * -size // count))
    return inside.to(x.dtype) / inside.sum(1, keepdim=True)
