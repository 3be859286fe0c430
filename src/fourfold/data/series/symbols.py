"""Sequences of symbols that are numbers already, and go into a model as they are.

Checked by: the batches of the source; JSON round trips; symbols that are none.
"""

from collections.abc import Sequence
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.encoding import EncodedRows, Encoding, Standardise, shown


class SymbolsEncoding(Encoding):
    """Sequences of whole numbers below `count`; a row is a list of them."""

    name: Literal["symbols"] = "symbols"
    length: int = Field(ge=1)
    count: int = Field(ge=1)

    def standardise(self) -> "Unchanged":
        """Return the arithmetic on `[batch, length]`: none."""
        return Unchanged()

    def encode_rows(self, rows: Sequence[Any]) -> EncodedRows:
        """Turn lists of symbols into `([batch, length],)`."""
        for i, row in enumerate(rows, start=1):
            if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != self.length:
                raise InputError(f"row {i}: expected a list of {self.length} symbols, got {shown(row)}")
            for symbol in row:
                if not isinstance(symbol, int) or isinstance(symbol, bool) or not 0 <= symbol < self.count:
                    raise InputError(f"row {i}: {shown(symbol)} is no symbol; they are 0 to {self.count - 1}")
        return EncodedRows((torch.tensor(rows, dtype=torch.int64),), [])


class Unchanged(Standardise):
    """Whole numbers as they are."""

    def __init__(self) -> None:
        super().__init__(torch.zeros(1), torch.ones(1))

    def encode(self, raw: Tensor) -> Tensor:
        """Return `raw`."""
        return raw

    def to(self, device: torch.device) -> "Unchanged":
        """Return the same, whatever the device."""
        return self
