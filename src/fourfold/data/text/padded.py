"""Texts in memory, in batches of like lengths, each padded to its longest.

An epoch is one random order, cut into stretches of `STRETCH` batches; inside each, examples are sorted by length (equal
ones stay in random order) and cut into batches, which then come in random order. So little is padded, every example
comes exactly once an epoch, and any step can be sought at once: the order is a function of seed and epoch alone.

Source: the sorting within random stretches is that of fairseq and of Khomenko et al., Accelerating recurrent neural
network training using sequence bucketing and multi-GPU data parallelization, DSMP 2016, arXiv:1708.05604.
Checked by: every example exactly once an epoch; seek equals replay; the shares of processes make up the whole batch;
less padding than random batches have; a sample is those examples and no others.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from fourfold.core.seeds import stream_seed
from fourfold.data.encoding import Encoding
from fourfold.data.epochs import Epochs, SteppedStream
from fourfold.data.sampled import SampledSource, evenly_spaced
from fourfold.data.text.examples import Examples
from fourfold.tasks.seam import Batch, Order, Spec
from fourfold.tasks.tokens import MOST_SCORES, TokenSpec

STRETCH = 50  # batches that are sorted together
SCORED = 4096  # training examples that a score is of: all of them would take as long as an epoch
WIDTH = 1024  # numbers a token that every model is taken to hold at some place


class PaddedSource(SampledSource):
    """Tokenised texts, already split.

    Args:
        spec: what every batch promises.
        examples: of each split.
        texts: the same before they became tokens, for drawing.
        encoding: how texts become tokens; None where the spec says so.
        notes: decisions made so far, for the record.
        files: digests of the user's own files.

    Attributes:
        encoding: the same, for the run's record.
    """

    def __init__(
        self,
        spec: Spec,
        examples: Mapping[str, Examples],
        texts: Mapping[str, Sequence[Any]],
        encoding: Encoding | None,
        notes: Iterable[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.spec, self.encoding, self.notes, self.files = spec, encoding, list(notes), dict(files or {})
        self.sizes = {name: len(part) for name, part in examples.items()}
        if self.sizes.get("train", 0) > SCORED:
            self.notes.append(f"scores of the training split are of {SCORED:,} of its texts, spread evenly over it")
        self._examples, self._texts = dict(examples), dict(texts)
        self._device = torch.device("cpu")

    def train(self, order: Order) -> "PaddedStream":
        """Return the endless training stream."""
        return PaddedStream(self._examples["train"], self._members("train"), order, self._device)

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split in order; long texts come in smaller batches, so that what a model says of them fits."""
        return self._in_order(name, self._members(name), batch_size)

    def scored(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split in order; of a large training split `SCORED` examples, spread evenly over it."""
        members = self._members(name)
        if name == "train":
            members = members[evenly_spaced(len(members), SCORED)]
        yield from self._in_order(name, members, batch_size)

    def raw(self, name: str, indices: list[int]) -> list[Any]:
        """Return texts of a split as they were before they became tokens."""
        members = self._members(name)
        return [self._texts[name][int(members[index])] for index in indices]

    def to(self, device: torch.device) -> "PaddedSource":
        """Deliver batches on `device`; the texts stay on the CPU, where a batch is put together."""
        self._device = device
        return self

    def _in_order(self, name: str, members: Tensor, batch_size: int) -> Iterator[Batch]:
        lengths = self._examples[name].lengths[members].tolist()
        for start, end in portions(lengths, batch_size, self._most_tokens()):
            yield moved(self._examples[name].batch(members[start:end]), self._device)

    def _members(self, name: str) -> Tensor:
        return self.chosen(name, len(self._examples[name]))

    def _most_tokens(self) -> int:
        """Return how many tokens, padding included, a batch of an evaluation may have."""
        scores = self.spec.num_outputs if isinstance(self.spec, TokenSpec) else 0
        return max(1, MOST_SCORES // max(scores, WIDTH))


class PaddedStream(SteppedStream):
    """Endless padded batches.

    Attributes:
        batch_size: examples a step, over all processes.
        steps_per_epoch: steps until every example has come once.
    """

    def __init__(self, examples: Examples, members: Tensor, order: Order, device: torch.device) -> None:
        self._examples, self._members, self._order, self._device = examples, members, order, device
        self._lengths = examples.lengths[members]
        self._epochs = Epochs(len(members), order)
        self._planned: tuple[int, list[Tensor]] | None = None
        self.batch_size, self.steps_per_epoch = order.batch_size, self._epochs.steps

    def batch(self, step: int) -> Batch:
        """Return this process's share of a step's batch."""
        mine = self._epochs.share(self.members(step))
        return moved(self._examples.batch(self._members[mine]), self._device)

    def members(self, step: int) -> Tensor:
        """Return the training examples of a step's batch, over all processes, int64 `[batch]`."""
        epoch, number = divmod(step, self.steps_per_epoch)
        if self._planned is None or self._planned[0] != epoch:
            self._planned = epoch, self._batches(epoch)
        return self._planned[1][number]

    def _batches(self, epoch: int) -> list[Tensor]:
        """Return an epoch's batches, in order."""
        stretches = self._epochs.permutation(epoch).split(STRETCH * self.batch_size)
        batches = torch.cat([part[self._lengths[part].argsort(stable=True)] for part in stretches]).split(
            self.batch_size
        )
        generator = torch.Generator().manual_seed(stream_seed(self._order.seed, "order", epoch, 1))
        return [batches[number] for number in torch.randperm(len(batches), generator=generator).tolist()]


def portions(lengths: Sequence[int], most_rows: int, most_tokens: int) -> Iterator[tuple[int, int]]:
    """Cut rows of these lengths, in order, into batches of so many rows and, padded, so many tokens: start and end.

    A row that is longer than `most_tokens` is a batch of its own.
    """
    start, longest = 0, 0
    for number, length in enumerate(lengths):
        longest = max(longest, length)
        rows = number - start + 1
        if rows > 1 and (rows > most_rows or rows * longest > most_tokens):
            yield start, number
            start, longest = number, length
    if start < len(lengths):
        yield start, len(lengths)


def moved(batch: Batch, device: torch.device) -> Batch:
    """Return a batch of plain tensors on `device`."""
    if device.type == "cpu":
        return batch
    return Batch(tuple(part.to(device) for part in batch.inputs), batch.targets.to(device))
