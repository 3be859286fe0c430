"""Hiding words in whole batches of texts, each time other ones.

Of each text 15 % of the tokens are to be guessed, special tokens and padding never. Of these, 80 % become [MASK], 10 %
some other token of the vocabulary, and 10 % stay as they are, so that a model cannot rely on seeing which are asked.

Paper: Devlin, Chang, Lee and Toutanova, BERT: Pre-training of Deep Bidirectional Transformers for Language
Understanding, NAACL 2019, arXiv:1810.04805, section 3.1 and appendix A.1. Each text has exactly its share hidden,
rounded, and one token at the least, as in the authors' code.
Departures: a text has other words hidden each time it comes (Liu et al., RoBERTa, 2019, arXiv:1907.11692, section 4.1,
"dynamic masking"); BERT has ten copies of each text, hidden once and for all. A token that is put in place of another
is any but a special one; the authors' code may draw those too. There is no limit of 20 hidden tokens a text.
Checked by: counts in each row; shares over many draws, within their standard error.
"""

from collections.abc import Collection
from typing import NamedTuple

import torch
from torch import Tensor

from fourfold.tasks.tokens import IGNORED

SHARE = 0.15  # of a text's tokens are to be guessed
MASKED, EXCHANGED = 0.8, 0.1  # of these become [MASK], or another token; the others stay


class Hidden(NamedTuple):
    """Texts with hidden words."""

    tokens: Tensor  # int64 [batch, length]
    positions: Tensor  # int64 [batch, chosen], ascending; -1 where a row has fewer
    targets: Tensor  # int64 [batch, chosen], what stands at these places; IGNORED where a row has fewer


class Draws(NamedTuple):
    """What chance says of a batch: uniform between 0 and 1, `[batch, length]`."""

    which: Tensor  # tokens to be guessed are those of the smallest numbers
    fate: Tensor  # whether one is masked, exchanged or stays
    other: Tensor  # which token it is exchanged for


def draw(count: int, length: int, generator: torch.Generator) -> Draws:
    """Return draws for `count` texts of up to `length` tokens."""
    return Draws(*torch.rand(3, count, length, generator=generator, device=generator.device))


class Masking:
    """How words are hidden.

    Args:
        vocab_size: tokens are numbers below it.
        mask: the number of [MASK].
        special: numbers that are never hidden and take no token's place, padding among them.
        share: of a text's tokens, special ones among them, that are to be guessed, above 0 and below 1.
    """

    def __init__(self, vocab_size: int, mask: int, special: Collection[int], share: float = SHARE) -> None:
        self.mask, self.share = mask, share
        self._is_ordinary = torch.ones(vocab_size, dtype=torch.bool)
        self._is_ordinary[list(special)] = False
        self._ordinary = self._is_ordinary.nonzero().flatten()

    def hide(self, tokens: Tensor, lengths: Tensor, draws: Draws) -> Hidden:
        """Return texts with words hidden.

        Args:
            tokens: int64 `[batch, length]`.
            lengths: real tokens of each row, int64 `[batch]`.
            draws: for at least as many columns; those beyond `length` do not count.
        """
        length = tokens.shape[1]
        which, fate, other = (part[:, :length] for part in draws)
        ordinary = self._is_ordinary[tokens]
        counts = (lengths * self.share).round().long().clamp(min=1).minimum(ordinary.sum(1))  # [batch]
        order = which.masked_fill(~ordinary, 2.0).argsort(1)[:, : int(counts.max())]
        asked = torch.arange(order.shape[1], device=tokens.device) < counts.unsqueeze(1)  # [batch, chosen]
        positions = order.masked_fill(~asked, length).sort(1).values  # those of no position go last
        asked = positions < length
        places = positions.masked_fill(~asked, 0)
        targets = tokens.gather(1, places).masked_fill(~asked, IGNORED)
        fates = fate.gather(1, places)
        others = self._ordinary[(other.gather(1, places) * len(self._ordinary)).long()]
        shown = torch.where(fates < MASKED, self.mask, torch.where(fates < MASKED + EXCHANGED, others, targets))
        # Into one more column, where what is of no position goes, for a place may be written only once.
        wider = torch.cat([tokens, tokens.new_zeros(len(tokens), 1)], 1).scatter(1, positions, shown)
        return Hidden(wider[:, :length], positions.masked_fill(~asked, -1), targets)
