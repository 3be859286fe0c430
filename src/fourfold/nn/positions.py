"""Where a position is, told to a network that would not know: attention treats its inputs as a set.

    PE(pos, 2i) = sin(pos / 10000^(2i / d_model)),   PE(pos, 2i + 1) = cos(pos / 10000^(2i / d_model))

Paper: Vaswani et al., Attention Is All You Need, NeurIPS 2017, section 3.5, arXiv:1706.03762.
Departures: none.
Checked by: the formula number by number; that a shift is a rotation, the paper's reason for it.
"""

import torch
from torch import Tensor, nn

LONGEST = 10_000  # the base of the wavelengths, which go from 2 pi to 2 pi times this


def sinusoids(length: int, width: int, device: torch.device | None = None) -> Tensor:
    """Return the encoding of positions 0 to `length` - 1, float32 `[length, width]`; `width` is even."""
    assert width % 2 == 0, width
    place = torch.arange(length, dtype=torch.float64)[:, None]  # on the CPU, for Apple's GPU has no float64
    angle = place / LONGEST ** (torch.arange(0, width, 2, dtype=torch.float64) / width)
    return torch.stack((angle.sin(), angle.cos()), 2).flatten(1).to(device, torch.float32)  # sine and cosine in turn


class SinusoidalPositions(nn.Module):
    """The encoding of positions, kept; it is no weight and stands in no file.

    Args:
        width: numbers of a position, even.
        length: positions to keep; more are computed when they are asked for.
    """

    table: Tensor  # [length, width]

    def __init__(self, width: int, length: int) -> None:
        super().__init__()
        self.width = width
        self.register_buffer("table", sinusoids(length, width), persistent=False)

    def forward(self, length: int, start: int = 0) -> Tensor:
        """Return the encoding of `length` positions from `start` on, `[length, width]`."""
        if start + length > len(self.table):
            self.table = sinusoids(2 * (start + length), self.width, self.table.device).to(self.table.dtype)
        return self.table[start : start + length]

    def extra_repr(self) -> str:
        return f"{self.width}"


def positions_in(documents: Tensor) -> Tensor:
    """Return each position counted from the beginning of its text, int64 `[batch, length]`.

    Args:
        documents: the text that each position is of, `[batch, length]`; those of a text stand together.
    """
    place = torch.arange(documents.shape[1], device=documents.device).expand_as(documents)
    begins = torch.ones_like(documents, dtype=torch.bool)
    begins[:, 1:] = documents[:, 1:] != documents[:, :-1]
    return place - torch.where(begins, place, 0).cummax(1).values
