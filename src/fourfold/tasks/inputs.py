"""What a model's inputs can be, which the data says and the model reads its sizes from.

Checked by: every data source, whose batches have the shape that it says.
"""

from typing import NamedTuple


class Features(NamedTuple):
    """Inputs that are rows of numbers, [batch, features]."""

    names: tuple[str, ...]

    @property
    def size(self) -> int:
        """Numbers in one example."""
        return len(self.names)

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

    def __str__(self) -> str:
        return f"pictures of {self.channels}x{self.height}x{self.width}"
