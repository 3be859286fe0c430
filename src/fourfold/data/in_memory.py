"""Data that fits in memory: one tensor of examples, batches cut from it, no DataLoader.

A batch is a view of a chunk that was gathered at once, so a step pays for a slice and not for a gather; images that
are augmented stay uint8 until their batch is normalised as a whole.
"""

from typing import Any, Callable, Iterable, Iterator, Mapping

import torch
from torch import Tensor

from fourfold.core.seeds import stream_seed
from fourfold.data.encoding import Encoder
from fourfold.tasks.seam import Batch, Order, Source, Spec

CHUNK_BYTES = 4 << 20  # gathered at once: large enough to pay for the call, small enough to stay in cache

Augment = Callable[[Tensor, torch.Generator], Tensor]  # raw inputs [batch, …], draws from the generator only


class InMemorySource(Source):
    """Examples held as tensors, already split.

    Args:
        spec: what every batch promises.
        examples: raw inputs of each split, `[examples, …]`, uint8 images or float features.
        targets: targets of each split, `[examples, …]`.
        encoder: turns raw inputs into what the model takes.
        augment: label-preserving changes to raw training inputs, applied in order.
        notes: decisions made so far, for the record.
    """

    def __init__(
        self,
        spec: Spec,
        examples: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
        encoder: Encoder,
        augment: Iterable[Augment] = (),
        notes: Iterable[str] = (),
    ) -> None:
        self.spec = spec
        self.encoder = encoder
        self.notes = list(notes)
        self.sizes = {name: len(part) for name, part in targets.items()}
        self._raw = dict(examples)
        self._targets = dict(targets)
        self._augment = tuple(augment)
        self._encoded: dict[str, Tensor] = {}

    def train(self, order: Order) -> "InMemoryStream":
        """Return the endless training stream, reshuffled each epoch."""
        if self._augment:
            return InMemoryStream(self._raw["train"], self._targets["train"], order, self._augment, self.encoder.encode)
        return InMemoryStream(self._inputs("train"), self._targets["train"], order)

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split in order, last batch kept."""
        inputs, targets = self._inputs(name), self._targets[name]
        for start in range(0, len(targets), batch_size):
            yield Batch((inputs[start : start + batch_size],), targets[start : start + batch_size])

    def raw(self, name: str, indices: list[int]) -> Tensor:
        """Return examples of a split before encoding."""
        return self._raw[name][indices]

    def to(self, device: torch.device) -> "InMemorySource":
        """Move everything to `device`."""
        self._raw = {name: part.to(device) for name, part in self._raw.items()}
        self._targets = {name: part.to(device) for name, part in self._targets.items()}
        self._encoded = {}
        self.encoder.to(device)
        return self

    def _inputs(self, name: str) -> Tensor:
        if name not in self._encoded:
            self._encoded[name] = self.encoder.encode(self._raw[name])
        return self._encoded[name]


class InMemoryStream:
    """Endless batches from tensors; the state of the stream is the number of the next step and nothing else.

    Every epoch is a new permutation, keyed by its number; each example comes exactly once an epoch, so the last batch
    of an epoch may be smaller. With several processes, each takes its share of every batch.
    """

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        order: Order,
        augment: tuple[Augment, ...] = (),
        encode: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self._inputs, self._targets, self._order = inputs, targets, order
        self._augment, self._encode = augment, encode
        self.steps_per_epoch = -(-len(targets) // order.batch_size)
        bytes_per_batch = max(1, order.batch_size * (inputs[0].numel() * inputs.element_size() if len(inputs) else 1))
        self._batches_per_chunk = max(1, min(1024, CHUNK_BYTES // bytes_per_batch))
        self._permutation: tuple[int, Tensor] | None = None
        self.seek(0)

    def seek(self, step: int) -> None:
        """Make the next batch the one of `step`."""
        self._next_chunk_step = step
        self._ready: list[Batch] = []

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if not self._ready:
            self._fill()
        return self._ready.pop()

    def _fill(self) -> None:
        """Gather the next chunk: up to `_batches_per_chunk` batches of one epoch, in reverse so that pop() is next."""
        order, first = self._order, self._next_chunk_step
        epoch, offset = divmod(first, self.steps_per_epoch)
        count = min(self._batches_per_chunk, self.steps_per_epoch - offset)
        if self.steps_per_epoch == 1 and order.processes == 1 and not self._augment:
            inputs, targets = (self._inputs,), (self._targets,)  # the order inside a full batch means nothing
        else:
            chosen = self._epoch(epoch)[offset * order.batch_size : (offset + count) * order.batch_size]
            if self._augment:
                inputs = self._augmented(chosen, first)
                targets = tuple(part for part in self._targets.index_select(0, chosen).split(order.batch_size))
            else:
                inputs = self._inputs.index_select(0, chosen).split(order.batch_size)
                targets = self._targets.index_select(0, chosen).split(order.batch_size)
            if order.processes > 1:
                inputs = tuple(part.tensor_split(order.processes)[order.rank] for part in inputs)
                targets = tuple(part.tensor_split(order.processes)[order.rank] for part in targets)
        self._ready = [Batch((x,), y) for x, y in zip(reversed(inputs), reversed(targets), strict=True)]
        self._next_chunk_step = first + len(self._ready)

    def _augmented(self, chosen: Tensor, first_step: int) -> tuple[Tensor, ...]:
        """Augment each batch from a generator keyed by its step, over the whole batch whatever this process's share."""
        parts: list[Tensor] = []
        for i, members in enumerate(chosen.split(self._order.batch_size)):
            generator = torch.Generator().manual_seed(stream_seed(self._order.seed, "augment", first_step + i))
            batch = self._inputs.index_select(0, members)
            for augment in self._augment:
                batch = augment(batch, generator)
            parts.append(self._encode(batch) if self._encode else batch)
        return tuple(parts)

    def _epoch(self, epoch: int) -> Tensor:
        if self._permutation is None or self._permutation[0] != epoch:
            generator = torch.Generator().manual_seed(stream_seed(self._order.seed, "order", epoch))
            permutation = torch.randperm(len(self._targets), generator=generator).to(self._inputs.device)
            self._permutation = epoch, permutation
        return self._permutation[1]


def take(values: Any, splits: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cut a tensor `[examples, …]` into its splits."""
    return {name: values[members] for name, members in splits.items()}
