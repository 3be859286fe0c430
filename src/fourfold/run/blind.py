"""A source whose test split cannot be read: what a trial of a tuning gets.

Checked by: every way to a split is tried.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from fourfold.tasks.seam import Batch, Order, Source, Stream


class SealedError(RuntimeError):
    """Something tried to read a split that must not be read now."""


def without(split: str, source: Source) -> Source:
    """Return `source` as it is, but for `split`, which has no size and raises SealedError when it is read."""
    return _Sealed(split, source)


class _Sealed(Source):
    def __init__(self, sealed: str, source: Source) -> None:
        self._sealed, self._source = sealed, source
        self.spec, self.notes, self.files = source.spec, source.notes, source.files
        self.sizes = {name: size for name, size in source.sizes.items() if name != sealed}
        self.encoding: Any = getattr(source, "encoding", None)

    def train(self, order: Order) -> Stream:
        return self._source.train(order)

    def resampled(self, examples: torch.Tensor) -> Source:
        return _Sealed(self._sealed, self._source.resampled(examples))

    def split(self, name: str, batch_size: int) -> Iterable[Batch]:
        return self._source.split(self._open(name), batch_size)

    def scored(self, name: str, batch_size: int) -> Iterable[Batch]:
        return self._source.scored(self._open(name), batch_size)

    def raw(self, name: str, indices: list[int]) -> Any:
        return self._source.raw(self._open(name), indices)

    def environment(self, number: int = 0) -> Any:
        return self._source.environment(number)

    def snapshot(self, model: nn.Module) -> Tensor | None:
        return self._source.snapshot(model)

    def evaluate(self, model: nn.Module, split: str) -> dict[str, float] | None:
        return self._source.evaluate(model, self._open(split))

    def to(self, device: torch.device) -> Source:
        self._source = self._source.to(device)
        return self

    def _open(self, name: str) -> str:
        if name == self._sealed:
            raise SealedError(f"the {name} split is sealed: this run chooses a setting, and must not see it")
        return name
