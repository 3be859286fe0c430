"""Texts as model inputs: how a run's folder turns new ones into tokens as training did.

A text becomes [CLS] text [SEP], a pair [CLS] first [SEP] second [SEP] (Devlin et al., 2019, arXiv:1810.04805, section
3.2), as far as the tokenizer has these tokens. A text that is too long loses its end; of a pair that is too long the
longer text loses its end, token by token. A text of which nothing is left is one token of padding.

Checked by: rows put together by hand; transformers' BertTokenizerFast; JSON round trips.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

import torch
from pydantic import Field, model_validator
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.encoding import EncodedRows, Encoding, check_columns, shown
from fourfold.data.table.reading import Table as FileTable
from fourfold.data.text.examples import segments_of
from fourfold.data.text.ragged import Ragged
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.tokenizer import CLS, SEP, Tokenizer, tokenizer_of


class Framed(NamedTuple):
    """Texts as tokens."""

    tokens: list[list[int]]
    first: list[int] | None  # tokens of each pair's first text, its frame among them
    cut: int  # texts that were too long


class ReadEncoding(Encoding):
    """What the encodings of texts that are read have in common."""

    tokenizer: str = Field(description="its JSON")
    max_length: int = Field(ge=3, le=65_536, description="tokens of a row; longer texts lose their end")

    @model_validator(mode="after")
    def _check(self) -> "ReadEncoding":
        tokenizer_of(self.tokenizer)
        return self

    @cached_property
    def _reads(self) -> Tokenizer:
        return tokenizer_of(self.tokenizer)

    @property
    def frame(self) -> tuple[list[int], list[int]]:
        """What stands before and after a text."""
        special = self._reads.special
        return [special[CLS]] if CLS in special else [], [special[SEP]] if SEP in special else []


class TextEncoding(ReadEncoding):
    """Texts, or pairs of texts. A row is a text, or `{"column": text}`; of pairs, two texts in a list or by column."""

    name: Literal["text"] = "text"
    columns: list[str] = Field(min_length=1, max_length=2, description="what the text, or the two texts, are called")
    ignored: list[str] = Field(default=[], description="columns of the file that are not used, the answer among them")

    @property
    def tokens(self) -> Tokens:
        """What a spec promises about these texts."""
        return Tokens(self._reads.vocab_size, self.max_length, len(self.columns))

    def framed(self, texts: Sequence[Sequence[str]]) -> Framed:
        """Turn rows of one text, or of two, into tokens."""
        before, after = self.frame
        parts = [self._reads.encode([row[place] for row in texts]) for place in range(len(self.columns))]
        room = self.max_length - len(before) - len(after) * len(parts)
        tokens: list[list[int]] = []
        first: list[int] = []
        cut = 0
        for row in zip(*parts, strict=True):
            kept = _shortened([len(part) for part in row], room)
            cut += sum(kept) < sum(map(len, row))
            framed = list(before)
            for place, (part, length) in enumerate(zip(row, kept, strict=True)):
                framed += [*part[:length], *after]
                if place == 0:
                    first.append(len(framed))
            tokens.append(framed or [0])
        return Framed(tokens, first if len(parts) == 2 else None, cut)

    def encode_rows(self, rows: Sequence[Any]) -> EncodedRows:
        """Turn new texts into `(tokens, lengths[, segments])`."""
        return self._encoded([self._texts(row, f"row {number}") for number, row in enumerate(rows, start=1)])

    def encode_table(self, table: FileTable) -> EncodedRows:
        """Turn the texts of a file into `(tokens, lengths[, segments])`; a missing text is an empty one.

        A file of one column may call it what it likes.
        """
        names = self.columns
        if len(table.columns) == len(names) == 1:
            names = list(table.columns)
        known = {*names, *self.ignored, *table.nameless}
        missing = [name for name in names if name not in table.columns]
        if missing:
            raise InputError(
                f"{table.path}: no column '{missing[0]}', which holds the texts; it has {', '.join(table.columns)}"
            )
        others = [name for name in table.columns if name not in known]
        notes = [*table.notes, *([f"columns left alone: {', '.join(others)}"] if others else [])]
        columns = ([text or "" for text in table.columns[name]] for name in names)
        encoded = self._encoded(list(zip(*columns, strict=True)))
        return EncodedRows(encoded.inputs, [*notes, *encoded.notes])

    def _encoded(self, texts: Sequence[Sequence[str]]) -> EncodedRows:
        framed = self.framed(texts)
        notes = [f"{framed.cut:,} of {len(texts):,} texts are longer than {self.max_length} tokens; their ends are cut"]
        return EncodedRows(inputs_of(framed), notes if framed.cut else [])

    def _texts(self, row: Any, at: str) -> Sequence[str]:
        """Return a row's text, or two texts."""
        texts = row
        if isinstance(row, Mapping):
            check_columns(row, self.columns, self.ignored, at)
            texts = [row[name] for name in self.columns]
        elif isinstance(row, str):
            texts = [row]
        if not isinstance(texts, Sequence) or len(texts) != len(self.columns):
            wanted = "one text" if len(self.columns) == 1 else f"two texts, {' and '.join(self.columns)}"
            raise InputError(f"{at}: expected {wanted}, got {shown(row)}")
        for text in texts:
            if not isinstance(text, str):
                raise InputError(f"{at}: {shown(text)} is not a text")
        return texts


class TaggedTextEncoding(ReadEncoding):
    """Texts whose words are tagged. A row is a text, or a list of its words, alone or as `{"words": …}`."""

    name: Literal["tagged_text"] = "tagged_text"

    @property
    def tokens(self) -> Tokens:
        """What a spec promises about these texts."""
        return Tokens(self._reads.vocab_size, self.max_length, 1)

    def placed(self, texts: Sequence[Sequence[str]]) -> tuple[list[list[int]], list[list[int]]]:
        """Turn texts that are lists of words into tokens, and say which token each word begins at.

        Words that begin beyond `max_length` have no place. Every word but the first has a space before it.
        """
        before, after = self.frame
        flat = [word if place == 0 else f" {word}" for words in texts for place, word in enumerate(words)]
        pieces = iter(self._reads.encode(flat))
        unknown = [self._reads.special.get("[UNK]", 0)]  # a word of which the tokenizer leaves nothing
        rows: list[list[int]] = []
        places: list[list[int]] = []
        for words in texts:
            row, begins = list(before), []
            for _ in words:
                piece = next(pieces) or unknown
                begins.append(len(row))
                row += piece
            most = self.max_length - len(after)
            rows.append([*row[:most], *after] or [0])
            places.append([place for place in begins if place < most])
        return rows, places

    def encode_rows(self, rows: Sequence[Any]) -> EncodedRows:
        """Turn new texts into `(tokens, lengths)`."""
        tokens, _ = self.placed([self.words(row, f"row {number}") for number, row in enumerate(rows, start=1)])
        return EncodedRows(inputs_of(Framed(tokens, None, 0)), [])

    def words(self, row: Any, at: str) -> list[str]:
        """Return a row's words."""
        if isinstance(row, Mapping):
            check_columns(row, ["words"], [], at)
            row = row["words"]
        if isinstance(row, str):
            return split_words(row)
        if not isinstance(row, Sequence) or not all(isinstance(word, str) for word in row):
            raise InputError(f"{at}: expected a text or a list of words, got {shown(row)}")
        return list(row)

    def encode_table(self, table: FileTable) -> EncodedRows:
        """Refuse: words come as texts."""
        raise InputError(f"{table.path}: this run tags words; give texts, a line each")


def inputs_of(framed: Framed) -> tuple[Tensor, ...]:
    """Return `(tokens, lengths[, segments])`, padded to the longest row."""
    if not framed.tokens:
        return torch.zeros(0, 1, dtype=torch.int64), torch.zeros(0, dtype=torch.int64)
    rows = Ragged.of(framed.tokens)
    tokens = rows.padded(torch.arange(len(rows)))
    if framed.first is None:
        return tokens, rows.lengths
    return tokens, rows.lengths, segments_of(rows.lengths, torch.tensor(framed.first))


def split_words(text: str) -> list[str]:
    """Return the words of a text as corpora of tagged words have them: punctuation is a word of its own.

    An apostrophe or a dot inside a word stays in it, as in don't and U.S; so do @ and # before it, and web addresses.
    """
    return re.findall(r"https?://\S+|[@#]\w+|\w+(?:[-'’.&/]\w+)*|[^\w\s]", text)


def _shortened(lengths: list[int], room: int) -> list[int]:
    """Return how many tokens of each text are kept, so that all fit into `room`; the longer text loses first."""
    if len(lengths) == 1:
        return [min(lengths[0], room)]
    first, second = lengths
    if first + second <= room:
        return lengths
    half = room // 2
    if first <= half:
        return [first, room - first]
    if second <= room - half:
        return [room - second, second]
    return [room - room // 2, room // 2]
