"""Sequences of unlike lengths, one after another in one tensor.

Checked by: rows taken one by one in plain Python.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from torch import Tensor


class Ragged:
    """Token numbers of many rows.

    Args:
        values: every row's numbers, one row after another, int32 `[all]`.
        lengths: of each row, int64 `[rows]`.

    Attributes:
        values: the same.
        lengths: the same.
    """

    def __init__(self, values: Tensor, lengths: Tensor) -> None:
        assert int(lengths.sum()) == len(values)
        self.values, self.lengths = values, lengths
        self._starts = lengths.cumsum(0) - lengths

    @classmethod
    def of(cls, rows: Iterable[Sequence[int]]) -> "Ragged":
        """Return rows that are given as lists."""
        parts = [np.asarray(row, dtype=np.int32) for row in rows]
        values = np.concatenate(parts) if parts else np.zeros(0, np.int32)
        return cls(torch.from_numpy(values), torch.tensor([len(part) for part in parts], dtype=torch.int64))

    @classmethod
    def joined(cls, parts: Sequence["Ragged"]) -> "Ragged":
        """Return the rows of all parts, one part after another; there is one or more."""
        return cls(torch.cat([part.values for part in parts]), torch.cat([part.lengths for part in parts]))

    def __len__(self) -> int:
        return len(self.lengths)

    def row(self, number: int) -> list[int]:
        """Return one row."""
        start = int(self._starts[number])
        return self.values[start : start + int(self.lengths[number])].tolist()

    def padded(self, rows: Tensor, padding: int = 0) -> Tensor:
        """Return `rows`, int64 `[batch]`, as int64 `[batch, longest]`, each followed by `padding`."""
        lengths = self.lengths[rows]
        columns = torch.arange(int(lengths.max()))
        beyond = columns >= lengths.unsqueeze(1)  # [batch, longest]
        places = (self._starts[rows].unsqueeze(1) + columns).masked_fill_(beyond, 0)
        if not len(self.values):
            return torch.full(places.shape, padding)
        return self.values[places].long().masked_fill_(beyond, padding)
