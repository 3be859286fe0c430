"""Running text as windows: one long row of tokens a split, cut into rows of one length, each token's target the next.

Training cuts anew each epoch: the tokens are taken as a ring, the first window begins at an offset drawn from (seed,
epoch), and the windows come in an order drawn from the same. So every token is a target once an epoch (fewer than
`length` of them twice), never at the same place of a window for long, and any step can be sought at once. Evaluation
cuts from the beginning; the last window is filled up with padding that is no target.

Where texts are kept apart, a batch also says which text of its row each token is of, so that none is attended to from
another. It is in the contract's fourth place, after lengths and segments, which say nothing here.

Source: contiguous windows as in Karpathy's nanoGPT, but each token once; several texts packed into a row: Raffel et
al., 2020, arXiv:1910.10683, section 3.1.2.
Checked by: windows cut by hand; every token a target once an epoch; seek equals replay; shares make up the batch.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.data.epochs import Epochs, SteppedStream
from fourfold.data.sampled import evenly_spaced
from fourfold.tasks.language_modelling import LanguageModellingSpec
from fourfold.tasks.seam import Batch, Order, Source
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import IGNORED, MOST_SCORES

MOST_TOKENS = 2**16  # of a batch that is evaluated: what attention keeps of them grows with their windows' length too


class RunningText(NamedTuple):
    """A split's tokens, int32 `[tokens]`, and which text each is of, int32 from 1; None: they are not kept apart."""

    tokens: Tensor
    documents: Tensor | None = None


class WindowsSource(Source):
    """Running text, already split and in tokens.

    Args:
        spec: language modelling; its input's length is that of a window.
        texts: each split's; one without a target is as if it were not there.
        notes: decisions made so far.
        files: SHA-256 of the user's own files.

    Raises:
        InputError: the training text is shorter than a window.
    """

    def __init__(
        self,
        spec: LanguageModellingSpec,
        texts: Mapping[str, RunningText],
        notes: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.spec: LanguageModellingSpec = spec
        self.notes, self.files = list(notes), dict(files or {})
        self._texts, self._length = dict(texts), spec.input.length
        self._device = torch.device("cpu")
        count = len(texts["train"].tokens)
        if count <= self._length:
            raise InputError(
                f"data.length: {self._length} and one to predict, but the training text has {count} tokens"
            )
        self.sizes = {name: num_windows(len(text.tokens), self._length) for name, text in texts.items()}

    def train(self, order: Order) -> "WindowsStream":
        """Return the endless training stream, cut anew and reshuffled each epoch."""
        return WindowsStream(self._texts["train"], self._length, order)

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split's windows in order, in batches that fit into memory, the last window filled up."""
        yield from self._windows(name, torch.arange(self.sizes[name]), batch_size)

    def scored(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return what a split is scored on: of training as many windows as of validation, evenly spaced over it."""
        count = self.num_scored() if name == "train" else self.sizes[name]
        yield from self._windows(name, evenly_spaced(self.sizes[name], count), batch_size)

    def num_scored(self) -> int:
        """Return how many windows of the training split are scored."""
        return min(self.sizes["train"], max(self.sizes.get("validation", 0), self.sizes.get("test", 0), 1))

    def raw(self, name: str, indices: list[int]) -> list[str]:
        """Return the texts of windows of a split."""
        tokens, reader = self._texts[name].tokens, tokenizer_of(self.spec.tokenizer)
        starts = [index * self._length for index in indices]
        return reader.decode([tokens[start : start + self._length].tolist() for start in starts], special=True)

    def to(self, device: torch.device) -> "WindowsSource":
        """Deliver batches on `device`."""
        self._texts = {name: _moved(text, device) for name, text in self._texts.items()}
        self._device = device
        return self

    def _windows(self, name: str, numbers: Tensor, batch_size: int) -> Iterator[Batch]:
        text, length = self._texts[name], self._length
        most = min(MOST_TOKENS, MOST_SCORES // self.spec.num_outputs)
        size = max(1, min(batch_size, most // length))
        last = len(text.tokens) - 1
        for chosen in numbers.to(self._device).split(size) if len(numbers) else ():
            places = chosen.unsqueeze(1) * length + torch.arange(length + 1, device=self._device)
            inside = places <= last
            rows = torch.where(inside, text.tokens[places.clamp(max=last)].long(), 0)
            targets = torch.where(inside[:, 1:], rows[:, 1:], IGNORED)
            real = inside[:, 1:]  # the text's last token has no target, and is no input either
            documents = None if text.documents is None else text.documents[places.clamp(max=last)]
            yield _batch(torch.where(real, rows[:, :-1], 0), targets, documents, real)


class WindowsStream(SteppedStream):
    """Endless batches of windows.

    Args:
        text: the training split.
        length: tokens of a window.
        order: which batches, and this process's share of them.
    """

    def __init__(self, text: RunningText, length: int, order: Order) -> None:
        tokens, documents = text
        self._size = len(tokens)
        self._ring = torch.cat([tokens, tokens[:length]])
        self._documents: Tensor | None = None
        if documents is not None:  # the beginning, met again after the end, is a text of its own
            self._documents = torch.cat([documents, documents[:length] + documents[-1]])
        self._length = length
        self._epochs = Epochs(num_windows(len(tokens), length), order)
        self._within = torch.arange(length + 1, device=tokens.device)

    def batch(self, step: int) -> Batch:
        """Return this process's share of a step's batch."""
        epochs = self._epochs
        members = epochs.share(epochs.members(step)).to(self._within.device)
        starts = (members * self._length + self.offset(step // epochs.steps)) % self._size
        places = starts.unsqueeze(1) + self._within
        rows = self._ring[places].long()  # [batch, length + 1]
        documents = None if self._documents is None else self._documents[places]
        return _batch(rows[:, :-1], rows[:, 1:], documents, None)

    def offset(self, epoch: int) -> int:
        """Return where on the ring an epoch's first window begins."""
        generator = torch.Generator().manual_seed(stream_seed(self._epochs.order.seed, "order", epoch, 1))
        return int(torch.randint(self._size, (), generator=generator))


def num_windows(tokens: int, length: int) -> int:
    """Return how many windows hold each of `tokens` but the first as a target."""
    return max(0, -(-(tokens - 1) // length))


def _batch(rows: Tensor, targets: Tensor, documents: Tensor | None, real: Tensor | None) -> Batch:
    """Return a batch of rows, with the three that stand beside them where texts are kept apart.

    Args:
        rows: int64 `[batch, length]`.
        targets: int64 `[batch, length]`.
        documents: int32 `[batch, length + 1]`, numbered through the split.
        real: bool `[batch, length]`, false where padding is; None: all are real.
    """
    if documents is None:
        return Batch((rows.contiguous(),), targets.contiguous())
    numbered = (documents[:, :-1] - documents[:, :1] + 1).long()
    real = torch.ones_like(rows, dtype=torch.bool) if real is None else real
    inputs = (rows.contiguous(), real.sum(1), torch.zeros_like(rows), numbered * real)
    return Batch(inputs, targets.contiguous())


def _moved(text: RunningText, device: torch.device) -> RunningText:
    return RunningText(text.tokens.to(device), None if text.documents is None else text.documents.to(device))
