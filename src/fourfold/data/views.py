"""Batches of two views of each picture, made from another source's pictures by whole-batch augmentations.

What is drawn for a view is keyed by seed, step and view, and drawn for the whole batch whoever takes a share of it. The
views that a split is scored by are the same each time, whatever the run's seed.

Checked by: seek against replay; shares of processes against the whole; views by hand.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from fourfold.core.seeds import stream_seed
from fourfold.data.augment.base import Augment
from fourfold.data.epochs import Epochs
from fourfold.data.in_memory import InMemorySource
from fourfold.data.sampled import evenly_spaced
from fourfold.data.streamed import StreamedSource
from fourfold.tasks.contrastive import ContrastiveSpec, ContrastiveTargets
from fourfold.tasks.seam import Batch, Order, Source
from fourfold.tasks.tokens import IGNORED

SCORED = 5000  # pictures of the training split that are scored
PLACE = {"train": 0, "validation": 1, "test": 2}


class TwoViewsSource(Source):
    """Two views of each of another source's pictures.

    Args:
        spec: what every batch promises.
        pictures: where they come from; their labels are read for scoring only.
        augment: what makes a view, in order.
        names: what these are called, for the record.
        compared: most pictures in a batch of a split.

    Attributes:
        encoding: the pictures' own.
    """

    spec: ContrastiveSpec

    def __init__(
        self,
        spec: ContrastiveSpec,
        pictures: InMemorySource | StreamedSource,
        augment: Sequence[Augment],
        names: Sequence[str],
        compared: int,
    ) -> None:
        self.spec = spec
        self.pictures, self.encoding, self.sizes = pictures, pictures.encoding, pictures.sizes
        self.files = pictures.files
        self._augment, self._names, self._compared = tuple(augment), list(names), compared
        self._device = torch.device("cpu")
        self._standardise = pictures.encoding.standardise()
        for each in self._augment:
            each.fit(pictures.training_pictures(), pictures.encoding.maximum)  # type: ignore[attr-defined]
        known = "no label is seen in training; features are scored by them" if spec.class_names else "no labels"
        self.notes = [*pictures.notes, f"two views of each picture ({', '.join(names)}); {known}"]
        if self.sizes["train"] > SCORED:
            self.notes.append(f"scores of the training split are of {SCORED:,} of its pictures")

    def train(self, order: Order) -> "TwoViewsStream":
        """Return the endless training stream, reshuffled each epoch."""
        return TwoViewsStream(self, order)

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split in order, in batches of nearly equal size, for a view is sought among those of its batch."""
        return self._batches(name, torch.arange(self.sizes[name]), batch_size)

    def scored(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split as `split` does; of the training split a part that stands for all of it."""
        count = self.sizes[name]
        return self._batches(name, evenly_spaced(count, SCORED if name == "train" else count), batch_size)

    def _batches(self, name: str, members: Tensor, batch_size: int) -> Iterator[Batch]:
        if not len(members):
            return
        labels = self.pictures.labels(name)
        for number, chosen in enumerate(members.tensor_split(-(-len(members) // min(batch_size, self._compared)))):
            raw = self.pictures.raw(name, chosen.tolist()).to(self._device)
            key = PLACE[name], number
            own = labels[chosen] if self.spec.class_names else torch.full((len(chosen),), IGNORED)
            targets = ContrastiveTargets(own.to(self._device), self.encode(raw))
            yield Batch(tuple(self.view(raw, 0, *key, view) for view in (0, 1)), targets)

    def view(self, raw: Tensor, seed: int, *key: int, share: slice | None = None, count: int | None = None) -> Tensor:
        """Return one view of each of `raw [batch, channels, height, width]`, ready for the model.

        Args:
            raw: pictures as the source holds them; a share of a batch, if so.
            seed: of the draws.
            key: which draws.
            share: whose place in the batch the pictures have; None: they are all of it.
            count: pictures in the whole batch.
        """
        generator = torch.Generator().manual_seed(stream_seed(seed, "augment", *key))
        for each in self._augment:
            draws = each.draw(len(raw) if count is None else count, generator)
            raw = each.apply(raw, draws if share is None else draws[share])
        return self.encode(raw)

    def encode(self, raw: Tensor) -> Tensor:
        """Return what the model takes."""
        return self._standardise.to(self._device).encode(raw)

    def raw(self, name: str, indices: list[int]) -> Tensor:
        """Return pictures of a split as pixels, on the CPU."""
        return self.pictures.raw(name, indices)

    def resampled(self, examples: Tensor) -> "TwoViewsSource":
        """Return a source that trains on `examples` of this one's pictures."""
        return TwoViewsSource(
            self.spec, self.pictures.resampled(examples), self._augment, self._names, self._compared
        ).to(self._device)

    def to(self, device: torch.device) -> "TwoViewsSource":
        """Deliver batches on `device`."""
        self._device = device
        self.pictures.to(device)
        return self


class TwoViewsStream:
    """Endless batches of two views; the state of the stream is the number of the next step and nothing else.

    Attributes:
        batch_size: pictures a step, over all processes.
        steps_per_epoch: steps until every picture has come once.
    """

    def __init__(self, source: TwoViewsSource, order: Order) -> None:
        self._source, self._order = source, order
        self._epochs = Epochs(source.sizes["train"], order)
        self.batch_size, self.steps_per_epoch = order.batch_size, self._epochs.steps
        self.seek(0)

    def seek(self, step: int) -> None:
        """Make the next batch the one of `step`."""
        self._step = step
        self._ahead: Iterator[Tensor] | None = None

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        if self._ahead is None:
            self._ahead = self._source.pictures.pictures_from(self._order, self._step)
        step, self._step = self._step, self._step + 1
        raw, count = next(self._ahead), len(self._epochs.members(step))
        rows = self._epochs.share(torch.arange(count))
        share = slice(int(rows[0]), int(rows[-1]) + 1) if len(rows) else slice(0, 0)
        views = tuple(self._source.view(raw, self._order.seed, step, view, share=share, count=count) for view in (0, 1))
        nothing = torch.empty(len(raw), 0, device=raw.device)
        return Batch(views, ContrastiveTargets(torch.full((len(raw),), IGNORED, device=raw.device), nothing))
