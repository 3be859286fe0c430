"""Stretches of a series, each with what followed it: examples cut from one tensor, none of them stored.

Splits are stretches of time, one after the other, and every example lies within one of them, with all that it shows and
all that it asks for: nothing that training sees is asked for later, nor the other way round.

Checked by: every example by hand; every example once an epoch; seek against replay; changing what comes after a split
changes nothing in it.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

from fourfold.data.epochs import Epochs, SteppedStream
from fourfold.data.series.encoding import SeriesEncoding
from fourfold.tasks.forecasting import ForecastingSpec
from fourfold.tasks.seam import Batch, Order, Source


class WindowSource(Source):
    """Examples of series, each `length` steps and the `horizon` steps after them.

    Args:
        spec: what every batch promises.
        values: the series in own units, float64 `[time, variables]`.
        starts: of each split, the first step of each example, int64 `[examples]`, ascending.
        encoding: how values become what the model takes.
        notes: decisions made so far, for the record.
        files: SHA-256 of the user's own files.
    """

    def __init__(
        self,
        spec: ForecastingSpec,
        values: Tensor,
        starts: Mapping[str, Tensor],
        encoding: SeriesEncoding,
        notes: Iterable[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.spec: ForecastingSpec = spec
        self.encoding, self.notes, self.files = encoding, list(notes), dict(files or {})
        self.sizes = {name: len(part) for name, part in starts.items()}
        self._values, self._starts = values, dict(starts)
        self._encoded = encoding.standardise().encode(values)  # float32 [time, variables]
        self._length = encoding.length

    def train(self, order: Order) -> "WindowStream":
        """Return the endless training stream, in another order each epoch."""
        return WindowStream(self, order)

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split in the order of time, last batch kept."""
        starts = self._starts[name]
        for first in range(0, len(starts), batch_size):
            yield self.batch(starts[first : first + batch_size])

    def batch(self, starts: Tensor) -> Batch:
        """Return the examples that begin at `starts`, int64 `[batch]`."""
        steps = torch.arange(self._length + self.spec.horizon, device=starts.device)
        both = self._encoded[starts[:, None] + steps]  # [batch, length + horizon, variables]
        return Batch((both[:, : self._length],), both[:, self._length :].flatten(1))

    def starts(self, name: str) -> Tensor:
        """Return the first step of each example of a split."""
        return self._starts[name]

    def raw(self, name: str, indices: list[int]) -> Tensor:
        """Return what examples of a split show, in own units, float64 `[count, length, variables]`."""
        starts = self._starts[name].cpu()[indices]
        return self._values[starts[:, None] + torch.arange(self._length)]

    def resampled(self, examples: Tensor) -> "WindowSource":
        """Return a source that trains on `examples` of this one; the spec and the encoding are those of all of them."""
        other = copy.copy(self)
        other._starts = {**self._starts, "train": self._starts["train"][examples]}
        other.sizes = {**self.sizes, "train": len(examples)}
        other.notes = list(self.notes)
        return other

    def to(self, device: torch.device) -> "WindowSource":
        """Deliver batches on `device`; raw values stay on the CPU."""
        self._encoded = self._encoded.to(device)
        self._starts = {name: part.to(device) for name, part in self._starts.items()}
        return self


class WindowStream(SteppedStream):
    """Endless batches of examples.

    Args:
        source: of the examples.
        order: which batches, and this process's share of them.
    """

    def __init__(self, source: WindowSource, order: Order) -> None:
        self._source, self._starts = source, source.starts("train")
        self._epochs = Epochs(len(self._starts), order)

    def batch(self, step: int) -> Batch:
        """Return this process's share of a step's batch."""
        members = self._epochs.share(self._epochs.members(step)).to(self._starts.device)
        return self._source.batch(self._starts[members])
