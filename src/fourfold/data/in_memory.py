"""Data that fits in memory: one tensor of examples, batches cut from it, no DataLoader.

A batch is a view of a chunk that was gathered at once, so a step pays for a slice and not for a gather; pictures that
are augmented stay uint8 until their batch is standardised as a whole. Pictures are kept channels-last in memory, and
delivered as `[batch, channels, height, width]`.

Checked by: every example exactly once an epoch; seek equals replay; the shares of processes make up the whole batch; a
sample is those examples and no others.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import count

import torch
from torch import Tensor

from fourfold.data.augment.base import Augment
from fourfold.data.encoding import CHUNK, Encoding, Standardise
from fourfold.data.epochs import Epochs
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.sampled import SampledSource
from fourfold.tasks.seam import Batch, Order, Spec

CHUNK_BYTES = 4 << 20  # gathered at once: large enough to pay for the call, small enough to stay in cache


class InMemorySource(SampledSource):
    """Examples held as tensors, already split.

    Args:
        spec: what every batch promises.
        examples: raw inputs of each split: pictures `[examples, channels, height, width]`, uint8, or rows
            `[examples, features]`, float64.
        targets: targets of each split, `[examples, …]`.
        encoding: how raw inputs become what the model takes.
        augment: label-preserving changes to raw training inputs, applied in order.
        notes: decisions made so far, for the record.

    Attributes:
        encoding: the same, for the run's record; `encode_rows` treats new examples as the training ones.
    """

    def __init__(
        self,
        spec: Spec,
        examples: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
        encoding: Encoding,
        augment: Iterable[Augment] = (),
        notes: Iterable[str] = (),
    ) -> None:
        self.spec = spec
        self.encoding = encoding
        self.notes = list(notes)
        self.sizes = {name: len(part) for name, part in targets.items()}
        self._raw = {name: _channels_last(part) for name, part in examples.items()}
        self._targets = dict(targets)
        self._augment = tuple(augment)
        for each in self._augment:
            assert isinstance(encoding, ImageEncoding)
            each.fit(self._raw["train"].split(CHUNK), encoding.maximum)
        self._standardise = encoding.standardise()
        self._device = torch.device("cpu")
        self._encoded: dict[str, Tensor] = {}

    def train(self, order: Order) -> "InMemoryStream":
        """Return the endless training stream, reshuffled each epoch."""
        targets = self._sampled("train", self._targets["train"])
        if self._augment:
            raw, standardise = self._raw["train"].to(self._device), self._standardise.to(self._device)
            return InMemoryStream(self._sampled("train", raw), targets, order, self._augment, standardise)
        return InMemoryStream(self._sampled("train", self._inputs("train")), targets, order)

    def training_pictures(self) -> Iterable[Tensor]:
        """Return the training pictures as pixels, in parts, `[pictures, channels, height, width]`."""
        return self._sampled("train", self._raw["train"]).split(CHUNK)

    def pictures_from(self, order: Order, step: int) -> Iterator[Tensor]:
        """Return this process's share of each batch from `step` on, as pixels, without end and without labels."""
        raw = self._sampled("train", self._raw["train"]).to(self._device)
        epochs = Epochs(len(raw), order)
        return (_gather(raw, epochs.share(epochs.members(each)).to(self._device)) for each in count(step))

    def labels(self, name: str) -> Tensor:
        """Return a split's targets, on the CPU."""
        return self._sampled(name, self._targets[name]).cpu()

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split in order, last batch kept."""
        inputs, targets = self._sampled(name, self._inputs(name)), self._sampled(name, self._targets[name])
        for start in range(0, len(targets), batch_size):
            yield Batch((inputs[start : start + batch_size],), targets[start : start + batch_size])

    def raw(self, name: str, indices: list[int]) -> Tensor:
        """Return examples of a split before encoding: pixels, or numbers in their own units, on the CPU."""
        return self._sampled(name, self._raw[name])[indices]

    def _sampled(self, name: str, values: Tensor) -> Tensor:
        """Return the rows of a split's `values` that its sample names; only a training split has one."""
        if self._sample is None or name != "train":
            return values
        return _gather(values, self._sample.to(values.device))

    def holds_what(self, other: "InMemorySource") -> bool:
        """Return whether this source gives what `other` gives, and says the same of itself; then either will do."""
        mine, theirs = [*self._raw.values(), *self._targets.values()], [*other._raw.values(), *other._targets.values()]
        return (
            (self.spec, self.sizes, self.notes, self.files) == (other.spec, other.sizes, other.notes, other.files)
            and self.encoding == other.encoding
            and self._augment == other._augment == ()
            and self._sample is other._sample is None
            and all(torch.equal(a.cpu(), b.cpu()) for a, b in zip(mine, theirs, strict=True))
        )

    def to(self, device: torch.device) -> "InMemorySource":
        """Deliver batches on `device`; raw examples stay on the CPU."""
        self._targets = {name: part.to(device) for name, part in self._targets.items()}
        self._encoded = {name: part.to(device) for name, part in self._encoded.items()}
        self._device = device
        return self

    def _inputs(self, name: str) -> Tensor:
        if name not in self._encoded:
            # Encoded on the CPU, whatever the device: rows are float64, which not every device has.
            self._encoded[name] = self._standardise.encode(self._raw[name]).to(self._device)
        return self._encoded[name]


class InMemoryStream:
    """Endless batches from tensors; the state of the stream is the number of the next step and nothing else.

    Every epoch is a new permutation, keyed by its number; each example comes exactly once an epoch, so the last batch
    of an epoch may be smaller. With several processes, each takes its share of every batch.

    Attributes:
        inputs: the examples, `[examples, …]`.
        targets: theirs.
        batch_size: examples a step, over all processes.
        augments: whether examples are changed on their way.
        steps_per_epoch: steps until every example has come once.
    """

    def __init__(
        self,
        inputs: Tensor,
        targets: Tensor,
        order: Order,
        augment: tuple[Augment, ...] = (),
        standardise: Standardise | None = None,
    ) -> None:
        self.inputs, self.targets, self._order = inputs, targets, order
        self._augment, self._standardise = augment, standardise
        self._epochs = Epochs(len(targets), order)
        self.augments, self.batch_size = bool(augment), order.batch_size
        self.steps_per_epoch = self._epochs.steps
        bytes_per_batch = max(1, order.batch_size * (inputs[0].numel() * inputs.element_size() if len(inputs) else 1))
        self._batches_per_chunk = 1 if augment else max(1, min(1024, CHUNK_BYTES // bytes_per_batch))
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
        batches = min(self._batches_per_chunk, self.steps_per_epoch - offset)
        if self.steps_per_epoch == 1 and order.processes == 1 and not self._augment:
            self._ready = [Batch((self.inputs,), self.targets)]  # the order inside a full batch means nothing
        else:
            chosen = self.permutation(epoch)[offset * order.batch_size : (offset + batches) * order.batch_size]
            self._ready = self._augmented(chosen, first) if self._augment else self._gathered(chosen)
        self._next_chunk_step = first + len(self._ready)

    def _gathered(self, chosen: Tensor) -> list[Batch]:
        """Return this process's share of each batch of `chosen`, last batch first."""
        order = self._order
        inputs = _gather(self.inputs, chosen).split(order.batch_size)
        targets = self.targets.index_select(0, chosen).split(order.batch_size)
        if order.processes > 1:
            inputs = tuple(self._epochs.share(part) for part in inputs)
            targets = tuple(self._epochs.share(part) for part in targets)
        return [Batch((x,), y) for x, y in zip(reversed(inputs), reversed(targets), strict=True)]

    def _augmented(self, members: Tensor, step: int) -> list[Batch]:
        """Return this process's share of one batch, augmented by draws keyed by its step."""
        assert self._standardise is not None
        mine = self._epochs.share(members)
        images = self._epochs.augmented(_gather(self.inputs, mine), self._augment, step, len(members))
        return [Batch((self._standardise.encode(images),), self.targets.index_select(0, mine))]

    def permutation(self, epoch: int) -> Tensor:
        """Return the order of an epoch's examples, int64 `[examples]`."""
        return self._epochs.permutation(epoch, self.inputs.device)


def take(values: Tensor, splits: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Cut a tensor `[examples, …]` into its splits."""
    return {name: values[members] for name, members in splits.items()}


def _channels_last(raw: Tensor) -> Tensor:
    return raw.contiguous(memory_format=torch.channels_last) if raw.dim() == 4 else raw.contiguous()


def _gather(values: Tensor, chosen: Tensor) -> Tensor:
    """Return `values[chosen]`, keeping channels-last memory, which index_select alone would undo."""
    if values.dim() == 4:
        return values.permute(0, 2, 3, 1).index_select(0, chosen).permute(0, 3, 1, 2)
    return values.index_select(0, chosen)
