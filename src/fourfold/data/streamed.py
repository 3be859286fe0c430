"""Pictures that do not fit in memory: each batch is taken from the decoded file, or decoded, when its turn comes.

The batches are those that `InMemorySource` would give, bit for bit: the order is the same function of seed and step,
the augmentation happens here and not where pictures are read, and so the number of processes that read changes nothing.
torch's DataLoader does the reading ahead; it is given a generator of its own, for it draws from torch's global one
otherwise, and a resumed run would go on with other dropout.

Checked by: `InMemorySource`, batch for batch, at every step, with any number of workers; a run stopped and resumed.
"""

import copy
import hashlib
import signal
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, Sampler

from fourfold.core.errors import InputError
from fourfold.data.augment.base import Augment
from fourfold.data.epochs import Epochs
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.pictures.reading import UnreadableError, Wanted, read_bytes, read_picture
from fourfold.tasks.seam import Batch, Order, Source, Spec

Pixels = Tensor | str  # uint8 [batch, height, width, channels], or why there are none


class MappedPictures(Dataset[Pixels]):
    """Pictures in a file of pixels that is mapped into memory; the system keeps of it what fits."""

    def __init__(self, pixels: np.memmap) -> None:
        self._where, self._shape = str(pixels.filename), pixels.shape
        self._pixels: np.ndarray | None = None  # opened by each process for itself: a memmap is pickled whole

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_pixels": None}

    def __getitems__(self, numbers: list[int]) -> Pixels:
        if self._pixels is None:
            self._pixels = np.memmap(self._where, np.uint8, "c", shape=self._shape)
        return torch.from_numpy(self._pixels[numbers])


class FilePictures(Dataset[Pixels]):
    """Pictures that are decoded each time; `digests` are SHA-256 of their files, uint8 `[pictures, 32]`."""

    def __init__(self, paths: Sequence[str], digests: np.ndarray, wanted: Wanted) -> None:
        self._paths, self._digests, self._wanted = list(paths), digests, wanted

    def __getitems__(self, numbers: list[int]) -> Pixels:
        wanted = self._wanted
        pixels = np.empty((len(numbers), wanted.height, wanted.width, wanted.channels), np.uint8)
        for place, number in enumerate(numbers):
            try:
                data = read_bytes(self._paths[number])
                if hashlib.sha256(data).digest() != self._digests[number].tobytes():
                    return f"{self._paths[number]}: the file has changed since the run began"
                pixels[place] = read_picture(data, wanted).pixels
            except UnreadableError as error:
                return f"{self._paths[number]}: {error}; it could be read when the run began"
        return torch.from_numpy(pixels)


class StreamedSource(Source):
    """Pictures that are fetched batch by batch, already split.

    Args:
        spec: what every batch promises.
        pictures: where pixels come from, by number.
        members: the numbers of each split's pictures, int64.
        targets: of each split, `[examples]`.
        encoding: how pixels become what the model takes.
        augment: label-preserving changes to training pictures, applied in order.
        notes: decisions made so far, for the record.
        workers: processes that read ahead; 0 reads when a batch is asked for.

    Attributes:
        encoding: the same, for the run's record.
    """

    def __init__(
        self,
        spec: Spec,
        pictures: Dataset[Pixels],
        members: Mapping[str, Tensor],
        targets: Mapping[str, Tensor],
        encoding: ImageEncoding,
        augment: Iterable[Augment] = (),
        notes: Iterable[str] = (),
        workers: int = 0,
    ) -> None:
        self.spec, self.encoding, self.notes = spec, encoding, list(notes)
        self.sizes = {name: len(part) for name, part in members.items()}
        self._pictures, self._members, self._targets = pictures, dict(members), dict(targets)
        self._augment, self._workers = tuple(augment), workers
        self._standardise = encoding.standardise()
        self._device = torch.device("cpu")
        for each in self._augment:
            each.fit(self.training_pictures(), encoding.maximum)

    def training_pictures(self) -> Iterator[Tensor]:
        """Read the training pictures, in parts, `[pictures, channels, height, width]`."""
        yield from self.read(_Listed(self._members["train"].split(1024)))

    def pictures_from(self, order: Order, step: int) -> Iterator[Tensor]:
        """Return this process's share of each batch from `step` on, as pixels, without end and without labels."""
        return self.read(_Ahead(self._members["train"], order, False, step))

    def labels(self, name: str) -> Tensor:
        """Return a split's targets, on the CPU."""
        return self._targets[name]

    def train(self, order: Order) -> "StreamedStream":
        """Return the endless training stream, reshuffled each epoch."""
        return StreamedStream(self, self._members["train"], self._targets["train"], order, self._augment)

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split in order, last batch kept."""
        numbers, targets = self._members[name].split(batch_size), self._targets[name].split(batch_size)
        if not len(self._members[name]):
            return
        for pixels, part in zip(self.read(_Listed(numbers)), targets, strict=True):
            yield Batch((self.encode(pixels),), part.to(self._device))

    def raw(self, name: str, indices: list[int]) -> Tensor:
        """Return pictures of a split as pixels, uint8 `[pictures, channels, height, width]`, on the CPU."""
        return _images(self._pictures.__getitems__(self._members[name][indices].tolist()))  # pyright: ignore[reportAttributeAccessIssue]

    def resampled(self, examples: Tensor) -> "StreamedSource":
        """Return a source that trains on `examples` of this one; the spec and the encoding are those of all of them."""
        other = copy.copy(self)
        other._members = {**self._members, "train": self._members["train"][examples]}
        other._targets = {**self._targets, "train": self._targets["train"][examples]}
        other.sizes = {**self.sizes, "train": len(examples)}
        other.notes = list(self.notes)
        return other

    def to(self, device: torch.device) -> "StreamedSource":
        """Deliver batches on `device`."""
        self._device = device
        return self

    def read(self, batches: "Sampler[list[int]]") -> Iterator[Tensor]:
        """Return the pixels of each batch of numbers, uint8 `[batch, channels, height, width]`, on the device."""
        loader = DataLoader(
            self._pictures,
            batch_sampler=batches,
            num_workers=self._workers,
            collate_fn=_as_it_is,
            generator=torch.Generator(),
            worker_init_fn=_leave_signals,
        )
        return (_images(pixels).to(self._device, non_blocking=True) for pixels in loader)

    def encode(self, pixels: Tensor) -> Tensor:
        """Return what the model takes."""
        return self._standardise.to(self._device).encode(pixels)


class StreamedStream:
    """Endless batches; the state of the stream is the number of the next step and nothing else.

    Attributes:
        batch_size: examples a step, over all processes.
        steps_per_epoch: steps until every example has come once.
    """

    def __init__(
        self, source: StreamedSource, members: Tensor, targets: Tensor, order: Order, augment: tuple[Augment, ...]
    ) -> None:
        self._source, self._members, self._targets = source, members, targets
        self._epochs, self._augment = Epochs(len(targets), order), augment
        self.batch_size, self.steps_per_epoch = order.batch_size, self._epochs.steps
        self._whole = self.steps_per_epoch == 1 and order.processes == 1 and not augment  # its order means nothing
        self.seek(0)

    def seek(self, step: int) -> None:
        """Make the next batch the one of `step`."""
        self._step = step
        self._ahead: Iterator[Tensor] | None = None

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if self._ahead is None:
            self._ahead = self._source.read(_Ahead(self._members, self._epochs.order, self._whole, self._step))
        step, self._step = self._step, self._step + 1
        images, count = next(self._ahead), len(self._of(step))
        if self._augment:
            images = self._epochs.augmented(images, self._augment, step, count)
        targets = self._targets[self._epochs.share(self._of(step))]
        return Batch((self._source.encode(images),), targets.to(images.device))

    def _of(self, step: int) -> Tensor:
        """Return which training examples are a step's batch, over all processes."""
        return torch.arange(len(self._targets)) if self._whole else self._epochs.members(step)


class _Ahead(Sampler[list[int]]):
    """The pictures of this process's share of each step's batch, from one step on, without end."""

    def __init__(self, members: Tensor, order: Order, whole: bool, step: int) -> None:
        self._members, self._order, self._whole, self._step = members, order, whole, step

    def __iter__(self) -> Iterator[list[int]]:
        epochs, step = Epochs(len(self._members), self._order), self._step  # its own: it is epochs ahead at times
        while True:
            yield self._members[slice(None) if self._whole else epochs.share(epochs.members(step))].tolist()
            step += 1


class _Listed(Sampler[list[int]]):
    """Batches that are known."""

    def __init__(self, batches: Sequence[Tensor]) -> None:
        self._batches = batches

    def __iter__(self) -> Iterator[list[int]]:
        return (batch.tolist() for batch in self._batches)


def _images(pixels: Pixels) -> Tensor:
    if isinstance(pixels, str):
        raise InputError(pixels)
    return pixels.permute(0, 3, 1, 2)


def _as_it_is(pixels: Any) -> Any:  # one batch, which its dataset put together
    return pixels


def _leave_signals(_: int) -> None:
    """Let the process that trains decide what an interruption means; it ends those that read for it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
