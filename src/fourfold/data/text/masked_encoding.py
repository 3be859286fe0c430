"""New texts with hidden words: `[MASK]` stands where a word is to be guessed.

Checked by: rows put together by hand; JSON round trips.
"""

from collections.abc import Sequence
from typing import Any, Literal

import torch

from fourfold.core.errors import InputError
from fourfold.data.encoding import EncodedRows, shown
from fourfold.data.table.reading import Table as FileTable
from fourfold.data.text.encoding import Framed, ReadEncoding, inputs_of
from fourfold.tasks.tokenizer import MASK


class MaskedTextEncoding(ReadEncoding):
    """Texts with hidden words. A row is a text, or a list of two that may follow each other, with [MASK] in it."""

    name: Literal["masked_text"] = "masked_text"

    def encode_rows(self, rows: Sequence[Any]) -> EncodedRows:
        """Turn new texts into `(tokens, lengths, segments, documents, positions)`."""
        before, after = self.frame
        mask = self._reads.number_of(MASK)
        tokens: list[list[int]] = []
        first: list[int] = []
        for number, row in enumerate(rows, start=1):
            texts = [row] if isinstance(row, str) else row
            if (
                not isinstance(texts, Sequence)
                or len(texts) not in (1, 2)
                or not all(isinstance(t, str) for t in texts)
            ):
                raise InputError(f"row {number}: expected a text, or two that may follow each other, got {shown(row)}")
            framed = list(before)
            for place, part in enumerate(self._reads.encode(texts, special=True)):
                framed += [*part, *after]
                if place == 0:
                    first.append(len(framed))
            if len(framed) > self.max_length:
                raise InputError(f"row {number}: {len(framed)} tokens, where the model takes {self.max_length} at most")
            if mask not in framed:
                raise InputError(f"row {number}: no {MASK} in {shown(row)}; put it where a word is to be guessed")
            tokens.append(framed)
        padded, lengths, segments = inputs_of(Framed(tokens, first, 0))
        places = [[place for place, token in enumerate(row) if token == mask] for row in tokens]
        positions = torch.full((len(tokens), max(map(len, places), default=0)), -1)
        for row, found in zip(positions, places, strict=True):
            row[: len(found)] = torch.tensor(found)
        documents = (torch.arange(padded.shape[1]) < lengths.unsqueeze(1)).long()
        return EncodedRows((padded, lengths, segments, documents, positions), [])

    def encode_table(self, table: FileTable) -> EncodedRows:
        """Refuse: texts have no columns."""
        raise InputError(f"{table.path}: this run guesses hidden words; give texts, a line each, with {MASK} in them")
