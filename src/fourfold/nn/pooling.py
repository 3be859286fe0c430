"""Averages of maps, as matrix products and of a whole map.

`GridAverage` averages a map to a fixed grid, whatever its size, so that the full layers behind it fit pictures of any:

    bin i of n covers the positions floor(i size / n) to ceil((i + 1) size / n) - 1

`AverageOfFour` averages 2x2 neighbours of a map of few channels, where torch's own spends a while on each number.

`average_of_places` averages a whole map, and hands back a gradient that lies in memory as the map does.

Source: the spatial pyramid of He et al., ECCV 2014, arXiv:1406.4729, section 2.2, with one level and with averages.
Checked by: torch's adaptive_avg_pool2d, whose gradient is not deterministic on a GPU; two matrix products are; torch's
avg_pool2d; torch's mean.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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


def average_of_places(x: Tensor) -> Tensor:
    """Return the mean of each channel of `[batch, channels, height, width]`, `[batch, channels]`.

    The gradient of a plain mean lies in memory with channels first, whatever the map's layout was. Where the two meet,
    in the ReLU before, torch goes number by number: ten times as long, and then so does each shortcut before that.
    """
    return x.permute(0, 2, 3, 1).mean((1, 2)) if x.stride(1) == 1 else x.mean((2, 3))


def _bins(count: int, size: int, x: Tensor) -> Tensor:
    """Return the weight of each position in each bin, `[count, size]`, of `x`'s type."""
    number, place = torch.arange(count, device=x.device)[:, None], torch.arange(size, device=x.device)
    inside = (place >= number * size // count) & (place < -((number + 1) * -size // count))
    return inside.to(x.dtype) / inside.sum(1, keepdim=True)


class AverageOfFour(nn.Module):
    """Average 2x2 neighbours of `[batch, channels, height, width]`, as `nn.AvgPool2d(2)` does.

    On a processor in bf16, with channels last, two rows of a map lie in memory as one row of `2 width channels`
    numbers, and a product with a fixed matrix averages them all: for LeNet-5's maps it and its gradient take a fifth
    of the time. Its sums are those of float32, as torch's are.

    Args:
        channels: of the map, few: the work grows with their square.
        width: of the map, even.
    """

    weights: Tensor  # `[2 width channels, width / 2 channels]`

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        quarters = torch.full((2, 1), 0.25)  # the two rows of a window
        columns = torch.eye(width // 2).repeat_interleave(2, 0)  # the two columns
        weights = torch.kron(torch.kron(quarters, columns), torch.eye(channels))
        self.register_buffer("weights", weights, persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return `[batch, channels, height / 2, width / 2]`."""
        batch, channels, height, width = x.shape
        rows = x.permute(0, 2, 3, 1)
        if x.dtype != torch.bfloat16 or x.device.type != "cpu" or not rows.is_contiguous() or height % 2:
            return F.avg_pool2d(x, 2)
        means = rows.reshape(batch * height // 2, 2 * width * channels) @ self.weights.to(x.dtype)
        return means.view(batch, height // 2, width // 2, channels).permute(0, 3, 1, 2)
