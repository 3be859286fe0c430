"""What a model's inputs can be, which the data says and the model reads its sizes from.

Checked by: every data source, whose batches have the shape that it says.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class Features(NamedTuple):
    """Inputs that are rows of numbers, [batch, features]."""

    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """Numbers in one example."""
        return len(self.names)

    def example(self) -> tuple[Tensor, ...]:
        """Return one input, zeros."""
        return (torch.zeros(1, self.size),)

    def __str__(self) -> str:
        return f"rows of {len(self.names)} numbers"


class Image(NamedTuple):
    """Inputs that are pictures, [batch, channels, height, width], standardised per channel."""

    channels: int
    height: int
    width: int

    @property
    def size(self) -> int:
        """Numbers in one example."""
        return self.channels * self.height * self.width

    @property
    def names(self) -> tuple[str, ...]:
        """A name for each number."""
        return tuple(f"pixel{i}" for i in range(self.size))

    def example(self) -> tuple[Tensor, ...]:
        """Return one input, zeros."""
        return (torch.zeros(1, self.channels, self.height, self.width),)

    def __str__(self) -> str:
        return f"pictures of {self.channels}x{self.height}x{self.width}"


class Tokens(NamedTuple):
    """Inputs that are texts: token numbers, int64 [batch, length], and what stands beside them.

    A model takes `(tokens, lengths, segments, documents)`, of which a batch has the first, or the first few:

    - lengths, int64 [batch]: how many tokens of each row are real; padding follows. Without them all are.
    - segments, int64 [batch, length]: 0 in the first text of a pair, 1 in the second.
    - documents, int64 [batch, length]: of several texts in a row, the one that a token is of, from 1; 0 is padding.
    """

    vocab_size: int
    length: int  # tokens of the longest row
    segments: int  # 1, or 2 for pairs of texts

    @property
    def size(self) -> int:
        """Token numbers in the longest row."""
        return self.length

    def example(self) -> tuple[Tensor, ...]:
        """Return one input, token 0 again and again; of a pair, half of it is the second text."""
        tokens, lengths = torch.zeros(1, self.length, dtype=torch.int64), torch.full((1,), self.length)
        if self.segments == 1:
            return tokens, lengths
        return tokens, lengths, (torch.arange(self.length) >= self.length // 2).long().unsqueeze(0)

    def __str__(self) -> str:
        what = "texts" if self.segments == 1 else "pairs of texts"
        return f"{what} of up to {self.length} tokens out of {self.vocab_size:,}"


class Series(NamedTuple):
    """Inputs that are stretches of time series, [batch, time, variables], standardised per variable."""

    names: tuple[str, ...]
    length: int  # time steps that a model sees

    @property
    def size(self) -> int:
        """Numbers in one example."""
        return self.length * len(self.names)

    def example(self) -> tuple[Tensor, ...]:
        """Return one input, zeros."""
        return (torch.zeros(1, self.length, len(self.names)),)

    def __str__(self) -> str:
        return f"series of {self.length} steps of {', '.join(self.names)}"


AnyInput = Features | Image | Tokens | Series
