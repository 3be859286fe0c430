"""Tokenised examples, and how some of them become a padded batch; one class for each kind of answer.

Padding is token 0 on the right, as far as the longest row of the batch; where the answer is a class for each token it
is `IGNORED`.

Checked by: rows padded one by one in plain Python.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Tensor

from fourfold.data.text.ragged import Ragged
from fourfold.tasks.seam import Batch
from fourfold.tasks.tokens import IGNORED


class Examples(ABC):
    """Examples in memory, on the CPU."""

    @property
    @abstractmethod
    def lengths(self) -> Tensor:
        """Tokens of each example, int64 `[examples]`; batches are made of examples of like lengths."""

    @abstractmethod
    def batch(self, rows: Tensor) -> Batch:
        """Return the examples `rows`, int64 `[batch]`, padded to the longest of them."""

    def __len__(self) -> int:
        return len(self.lengths)


@dataclass(frozen=True)
class AnsweredTexts(Examples):
    """Texts, or pairs of them, with one answer each.

    Attributes:
        tokens: of a pair both texts in one row.
        answers: classes, int64 `[examples]`, or numbers, float32 `[examples, targets]`.
        first: tokens of each pair's first text, int64 `[examples]`; None where there are no pairs.
    """

    tokens: Ragged
    answers: Tensor
    first: Tensor | None = None

    @property
    def lengths(self) -> Tensor:
        """Tokens of each example."""
        return self.tokens.lengths

    def batch(self, rows: Tensor) -> Batch:
        """Return `(tokens, lengths[, segments])` and the answers."""
        tokens, lengths = self.tokens.padded(rows), self.tokens.lengths[rows]
        if self.first is None:
            return Batch((tokens, lengths), self.answers[rows])
        return Batch((tokens, lengths, segments_of(lengths, self.first[rows])), self.answers[rows])


@dataclass(frozen=True)
class TaggedTexts(Examples):
    """Texts with a class for each token, `IGNORED` for those that have none."""

    tokens: Ragged
    tags: Ragged

    @property
    def lengths(self) -> Tensor:
        """Tokens of each example."""
        return self.tokens.lengths

    def batch(self, rows: Tensor) -> Batch:
        """Return `(tokens, lengths)` and the tags, int64 `[batch, length]`."""
        return Batch((self.tokens.padded(rows), self.tokens.lengths[rows]), self.tags.padded(rows, IGNORED))


@dataclass(frozen=True)
class TranslatedTexts(Examples):
    """Texts and their translations, which begin with the begin token and end with the end token."""

    sources: Ragged
    translations: Ragged

    @property
    def lengths(self) -> Tensor:
        """Tokens of the longer one of each two."""
        return torch.maximum(self.sources.lengths, self.translations.lengths)

    def batch(self, rows: Tensor) -> Batch:
        """Return `(source, source lengths, translation but its last token)` and the translation but its first."""
        inputs, ends = self.translations.padded(rows), self.translations.lengths[rows]
        targets = self.translations.padded(rows, IGNORED)
        inputs.scatter_(1, (ends - 1).unsqueeze(1), 0)  # no model is asked what follows the end
        return Batch((self.sources.padded(rows), self.sources.lengths[rows], inputs[:, :-1]), targets[:, 1:])


def segments_of(lengths: Tensor, first: Tensor) -> Tensor:
    """Return 1 at the tokens of a pair's second text and 0 elsewhere, int64 `[batch, longest]`.

    Args:
        lengths: tokens of each row, int64 `[batch]`.
        first: those of its first text, int64 `[batch]`.
    """
    columns = torch.arange(int(lengths.max()))
    return ((columns >= first.unsqueeze(1)) & (columns < lengths.unsqueeze(1))).long()
