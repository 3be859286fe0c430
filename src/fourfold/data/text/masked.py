"""Texts with hidden words, other ones each time they come: the source of pre-training.

What is hidden, how a stretch of text is parted and what is put in the second place are draws for a whole batch, keyed
by (seed, step). For evaluation they are the same whatever the run's seed, so that scores can be compared.

Checked by: seek equals replay; the shares of processes make up the whole batch; every stretch once an epoch; the same
evaluation in whatever batches it is asked for.
"""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor

from fourfold.core.seeds import stream_seed
from fourfold.data.encoding import Encoding
from fourfold.data.epochs import Epochs, SteppedStream
from fourfold.data.sampled import SampledSource, evenly_spaced
from fourfold.data.text.masking import Masking, draw
from fourfold.data.text.sentence_pairs import Stretches
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec, MaskedTargets
from fourfold.tasks.seam import Batch, Order
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import MOST_SCORES

PART = 128  # rows that are drawn together for evaluation, whatever the batch asked for
EVALUATION = 0  # the seed of what is hidden there


class MaskedSource(SampledSource):
    """Texts in stretches that fill a row, already split; where it trains on a sample, random texts may be of any.

    Args:
        spec: what every batch promises.
        stretches: of each split.
        masking: how words are hidden.
        encoding: how a new text with [MASK] in it reaches the model.
        notes: decisions made so far, for the record.
        files: digests of the user's own files.

    Attributes:
        encoding: the same, for the run's record.
    """

    def __init__(
        self,
        spec: MaskedLanguageModellingSpec,
        stretches: Mapping[str, Stretches],
        masking: Masking,
        encoding: Encoding,
        notes: Iterable[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.spec, self.encoding, self.notes, self.files = spec, encoding, list(notes), dict(files or {})
        self.sizes = {name: len(part) for name, part in stretches.items()}
        self._stretches, self._masking = dict(stretches), masking
        self._tokenizer, self._in_pairs = spec.tokenizer, spec.next_sentence
        self._device = torch.device("cpu")

    def train(self, order: Order) -> "MaskedStream":
        """Return the endless training stream."""
        return MaskedStream(self, order)

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split in order, in batches that fit into memory, the same words hidden each time."""
        yield from self._batches(name, self.members(name), batch_size)

    def scored(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return what a split is scored on: of training as many stretches as of validation, evenly spaced over it."""
        members = self.members(name)
        if name == "train":
            members = members[evenly_spaced(len(members), self.num_scored())]
        yield from self._batches(name, members, batch_size)

    def num_scored(self) -> int:
        """Return how many stretches of the training split are scored."""
        return min(self.sizes["train"], max(self.sizes.get("validation", 0), self.sizes.get("test", 0), 1))

    def raw(self, name: str, indices: list[int]) -> list[str]:
        """Return the texts of stretches of a split."""
        part, members = self._stretches[name], self.members(name)
        rows = [part.tokens_of(int(members[index])) for index in indices]
        return tokenizer_of(self._tokenizer).decode(rows, special=True)

    def to(self, device: torch.device) -> "MaskedSource":
        """Deliver batches on `device`; the texts stay on the CPU, where a batch is put together."""
        self._device = device
        return self

    def drawn(self, name: str, members: Tensor, seed: int) -> Batch:
        """Return stretches `members` of a split, int64 `[batch]`, as draws of `seed` make them, on the CPU."""
        generator = torch.Generator().manual_seed(seed)
        part = self._stretches[name]
        rows = part.pairs(members, generator) if self._in_pairs else part.texts(members, generator)
        hidden = self._masking.hide(rows.tokens, rows.lengths, draw(len(members), rows.tokens.shape[1], generator))
        documents = (torch.arange(rows.tokens.shape[1]) < rows.lengths.unsqueeze(1)).long()  # all of a row is one text
        inputs = (hidden.tokens, rows.lengths, rows.segments, documents, hidden.positions)
        return Batch(inputs, MaskedTargets(hidden.targets, rows.next_sentence))

    def moved(self, batch: Batch) -> Batch:
        """Return a batch where it is wanted."""
        if self._device.type == "cpu":
            return batch
        targets = MaskedTargets(*(part.to(self._device) for part in batch.targets))
        return Batch(tuple(part.to(self._device) for part in batch.inputs), targets)

    def members(self, name: str) -> Tensor:
        """Return the numbers of a split's stretches that are used, int64."""
        return self.chosen(name, len(self._stretches[name]))

    def _batches(self, name: str, members: Tensor, batch_size: int) -> Iterator[Batch]:
        for number, part in enumerate(torch.arange(len(members)).split(PART)):
            if not len(part):
                return
            batch = self.drawn(name, members[part], stream_seed(EVALUATION, "augment", number))
            scores = batch.targets.tokens.shape[1] * self.spec.num_outputs
            for rows in torch.arange(len(part)).split(max(1, min(batch_size, MOST_SCORES // scores))):
                yield self.moved(_rows(batch, rows))


class MaskedStream(SteppedStream):
    """Endless batches of stretches, with words of them hidden.

    Attributes:
        batch_size: examples a step, over all processes.
        steps_per_epoch: steps until every stretch has come once.
    """

    def __init__(self, source: MaskedSource, order: Order) -> None:
        self._source, self._order, self._members = source, order, source.members("train")
        self._epochs = Epochs(source.sizes["train"], order)
        self.batch_size, self.steps_per_epoch = order.batch_size, self._epochs.steps

    def batch(self, step: int) -> Batch:
        """Return this process's share of a step's batch."""
        order = self._order
        members = self._members[self._epochs.members(step)]
        batch = self._source.drawn("train", members, stream_seed(order.seed, "augment", step))
        if order.processes > 1:
            batch = _rows(batch, self._epochs.share(torch.arange(len(batch.inputs[0]))))
        return self._source.moved(batch)


def _rows(batch: Batch, rows: Tensor) -> Batch:
    """Return `rows`, int64 `[rows]`, of a batch."""
    return Batch(tuple(part[rows] for part in batch.inputs), MaskedTargets(*(part[rows] for part in batch.targets)))
