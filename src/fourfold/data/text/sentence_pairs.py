"""Pairs of texts of which the second follows the first, or does not: what next sentence prediction is asked about.

A document is cut into stretches of whole sentences that fill a row. Each time a stretch comes, it is parted after one
of its sentences, at random; what follows is the second text, or in half of the cases a stretch of another document
that begins at one of its sentences. A stretch of one sentence has nothing that follows. A pair that is too long loses
tokens of the longer text, one after another, from its beginning or its end at random.

Paper: Devlin, Chang, Lee and Toutanova, BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding, NAACL 2019, arXiv:1810.04805, section 3.1 and appendix A.2; its authors' create_pretraining_data.py.
Departures: the stretches are always the same, and what is done with each is drawn again whenever it comes; the authors
draw ten times and keep it. Sentences of a stretch that a random text takes the place of come with another draw; theirs
begin the next stretch. One pair in ten is made shorter there, and none here.
Checked by: pairs put together by hand; every token of a document in one stretch; shares over many draws.
"""

import re
from array import array
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from fourfold.tasks.masked_language_modelling import NEXT, RANDOM
from fourfold.tasks.tokens import IGNORED

ENDS = re.compile(r"([.!?…。！？][\"'”’)\]]*)\s+")


def sentences_of(text: str) -> list[str]:
    """Return a text's sentences: they end at . ! ? … or their wide forms before a space, or where the line ends."""
    return [sentence for line in ENDS.sub(r"\1\n", text).splitlines() if (sentence := line.strip())]


class Rows(NamedTuple):
    """Texts as a model takes them."""

    tokens: Tensor  # int64 [batch, length]: [CLS] a [SEP] b [SEP], or [CLS] a [SEP]; padded by 0
    lengths: Tensor  # int64 [batch]
    segments: Tensor  # int64 [batch, length], 1 in the second text and the [SEP] after it
    next_sentence: Tensor  # int64 [batch], NEXT or RANDOM; IGNORED of single texts


class Stretches:
    """Documents of sentences of tokens, end to end, and the stretches that they are cut into.

    Args:
        documents: each as its sentences, each as its token numbers; empty ones are left out.
        room: tokens of a row that are none of [CLS] and [SEP], 2 or more; a stretch has as many and ends with a
            sentence, or with its document.
        cls: the number of [CLS].
        sep: the number of [SEP].

    Attributes:
        num_documents: those with a token in them.
    """

    def __init__(self, documents: Iterable[Sequence[Sequence[int]]], room: int, cls: int, sep: int) -> None:
        assert room >= 2
        self._room, self._cls, self._sep = room, cls, sep
        tokens, starts, bounds = array("i"), array("q", [0]), array("q", [0])
        stretches: list[tuple[int, int, int]] = []  # document, its first sentence, the one after its last
        for document in documents:
            first = len(starts) - 1
            for sentence in document:
                if not sentence:
                    continue
                tokens.extend(sentence)
                starts.append(len(tokens))
                if starts[-1] - starts[first] >= room:
                    stretches.append((len(bounds) - 1, first, len(starts) - 1))
                    first = len(starts) - 1
            if first < len(starts) - 1:
                stretches.append((len(bounds) - 1, first, len(starts) - 1))
            if bounds[-1] < len(starts) - 1:
                bounds.append(len(starts) - 1)
        self._tokens = _tensor(tokens)
        self._starts = _tensor(starts)  # of each sentence, and the end of the last
        self._bounds = _tensor(bounds)  # first sentence of each document, and the end
        self._stretches = torch.tensor(stretches, dtype=torch.int64).view(-1, 3)
        self.num_documents = len(bounds) - 1

    def __len__(self) -> int:
        return len(self._stretches)

    def tokens_of(self, number: int) -> list[int]:
        """Return the tokens of a stretch, all of them."""
        _, first, last = self._stretches[number].tolist()
        return self._tokens[int(self._starts[first]) : int(self._starts[last])].tolist()

    def texts(self, members: Tensor, generator: torch.Generator) -> Rows:
        """Return stretches `members`, int64 `[batch]`, each alone; of one too long any part, drawn at random."""
        _, first, last = self._stretches[members].unbind(1)
        start, end = self._starts[first], self._starts[last]
        length = (end - start).clamp(max=self._room)
        spare = end - start - length
        start = start + (torch.rand(len(members), generator=generator, dtype=torch.float64) * (spare + 1)).long()
        return self._rows(start, length, start, None, torch.full_like(start, IGNORED))

    def pairs(self, members: Tensor, generator: torch.Generator) -> Rows:
        """Return stretches `members`, int64 `[batch]`, as pairs, half of them with a second text from elsewhere.

        There must be two documents or more.
        """
        assert self.num_documents > 1
        document, first, last = self._stretches[members].unbind(1)
        part, coin, which, where = torch.rand(4, len(members), generator=generator, dtype=torch.float64)
        parted = first + 1 + (part * (last - first - 1)).long()  # the first sentence after the first text
        a, a_length = self._starts[first], self._starts[parted] - self._starts[first]
        other = (document + 1 + (which * (self.num_documents - 1)).long()) % self.num_documents
        begin, end = self._bounds[other], self._bounds[other + 1]
        sentence = begin + (where * (end - begin)).long()
        filled = torch.searchsorted(self._starts, self._starts[sentence] + (self._room - a_length).clamp(min=1))
        random = (parted == last) | (coin < 0.5)
        b = torch.where(random, self._starts[sentence], self._starts[parted])
        b_length = torch.where(random, self._starts[filled.minimum(end)], self._starts[last]) - b
        (a, a_length), (b, b_length) = self._shortened(a, a_length, b, b_length, generator)
        return self._rows(a, a_length, b, b_length, torch.where(random, RANDOM, NEXT))

    def _shortened(
        self, a: Tensor, a_length: Tensor, b: Tensor, b_length: Tensor, generator: torch.Generator
    ) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Take tokens off the longer text until the pair fits, each from its beginning or its end by a coin."""
        excess = (a_length + b_length - self._room).clamp(min=0)
        of_longer = excess.minimum((a_length - b_length).abs())  # until both are as long; then in turn, b first
        rest = excess - of_longer
        a_loss = torch.where(a_length > b_length, of_longer, 0) + rest // 2
        b_loss = torch.where(b_length > a_length, of_longer, 0) + (rest + 1) // 2
        losses = torch.stack((a_loss, b_loss)).double()
        a_front, b_front = torch.binomial(losses, torch.full_like(losses, 0.5), generator=generator).long()
        return (a + a_front, a_length - a_loss), (b + b_front, b_length - b_loss)

    def _rows(self, a: Tensor, a_length: Tensor, b: Tensor, b_length: Tensor | None, next_sentence: Tensor) -> Rows:
        """Put tokens from `a` on, and from `b` on, all int64 `[batch]`, into rows."""
        lengths = a_length + 2 if b_length is None else a_length + b_length + 3
        place = torch.arange(int(lengths.max())).expand(len(a), -1)
        after_a, end = (a_length + 1).unsqueeze(1), (lengths - 1).unsqueeze(1)  # where [SEP] stands
        is_second = (place > after_a) & (place <= end)
        source = torch.where(is_second, b.unsqueeze(1) + place - after_a - 1, a.unsqueeze(1) + place - 1)
        tokens = self._tokens[source.clamp(0, len(self._tokens) - 1)]
        tokens = tokens.masked_fill((place == after_a) | (place == end), self._sep).masked_fill(place > end, 0)
        tokens[:, 0] = self._cls
        return Rows(tokens, lengths, is_second.long(), next_sentence)


def _tensor(numbers: "array[int]") -> Tensor:
    return torch.from_numpy(np.array(numbers, dtype=np.int64))
