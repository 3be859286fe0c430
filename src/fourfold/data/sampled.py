"""Sources that can train on a sample of their training examples, and be scored on a few that stand for all.

Checked by: every source of the kind: a sample is those examples and no others, one of a sample is of it.
"""

import copy
from typing import Self

import torch
from torch import Tensor

from fourfold.tasks.seam import Source


class SampledSource(Source):
    """A source of a fixed set of examples, which keeps all of them and a list of those that train."""

    _sample: Tensor | None = None  # which training examples, where not each of them once

    def resampled(self, examples: Tensor) -> Self:
        """Return a source that trains on `examples` of this one; the spec and the encoding are those of all of them."""
        other = copy.copy(self)
        other._sample = examples if self._sample is None else self._sample[examples]
        other.sizes = {**self.sizes, "train": len(examples)}
        other.notes = list(self.notes)
        return other

    def chosen(self, name: str, count: int) -> Tensor:
        """Return which of a split's `count` examples are used, int64; only a training split has a sample."""
        return self._sample if self._sample is not None and name == "train" else torch.arange(count)


def evenly_spaced(total: int, count: int) -> Tensor:
    """Return `count` of the numbers below `total`, evenly spaced, int64; all of them where there are no more."""
    count = min(total, count)
    return torch.arange(count) * total // max(count, 1)
