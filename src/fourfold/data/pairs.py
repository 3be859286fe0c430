"""Your own pairs of texts: texts with their translations, or two sentences with a number, a pair a line, tabs between.

    I am here.<TAB>나는 여기 있다.
    A man plays.<TAB>A man is playing.<TAB>4.5

Two columns are translation, three are sentence pairs. Nothing is quoted. A first line whose number is none is a header;
of two columns, one that names both.
Pairs with the same first text stay in one split.

Source: the reader's own file.
Licence: the reader's own.
Checked by: files written line by line; planted copies.
"""

import hashlib
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.base import SplitDataConfig
from fourfold.data.notes import split_note
from fourfold.data.splitting import Splits
from fourfold.data.table.copies import content_numbers, groups_of_copies
from fourfold.data.table.reading import as_texts, decode, read_bytes
from fourfold.data.text.answered import Read, scored_pairs
from fourfold.data.text.header import may_name_columns, names_columns
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.translated import TranslationFields, translated_texts

MEANT = "a text and its translation, or two sentences and a number"


class PairsConfig(TranslationFields, SplitDataConfig):
    """Fields of `data: pairs`."""

    licence: ClassVar[str] = "your own"
    origin: ClassVar[str] = "a file of your own"

    name: Literal["pairs"] = "pairs"
    path: str = Field(description="a text file, a pair a line, tabs between")
    source_language: str = Field(default="source", description="what the first texts are in, by its code such as en")
    target_language: str = Field(
        default="target", description="what their translations are in; ko, ja, zh and th have BLEU of characters"
    )
    score: str = Field(default="score", description="what the number of two sentences is called")

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read, split and tokenise the pairs."""
        if not self.path:
            raise InputError("data.path: name your file, for example data.path=pairs.tsv")
        path = Path(self.path)
        data = read_bytes(path)
        text, notes = decode(path, data)
        rows = read_pairs(path, text, notes, (self.source_language, self.target_language))
        files = {self.path: hashlib.sha256(data).hexdigest()}
        notes.insert(0, f"{path.name}: {len(rows):,} pairs, SHA-256 begins {files[self.path][:16]}")
        splits = self._divide([row[0] for row in rows], seed, notes)
        if len(rows[0]) == 2:
            pairs = [(row[0], row[1]) for row in rows]
            return translated_texts(
                self, pairs, (self.source_language, self.target_language), splits, cache, notes, files
            )
        read = Read([(row[0], row[1]) for row in rows], ("sentence1", "sentence2"), [self.score], files)
        scores = torch.tensor([float(row[2]) for row in rows], dtype=torch.float64)
        return scored_pairs(self, read, scores, self.score, splits, cache, notes)

    def _divide(self, firsts: list[str], seed: int, notes: list[str]) -> Splits:
        groups = groups_of_copies(content_numbers([as_texts([*firsts])]), notes)
        splits = self.splits(len(firsts), None, seed, groups)
        splits = self.fewer(splits, self.seed_of_split(seed), notes)
        notes.append(split_note(splits, self.drawn(seed, in_proportion=False)))
        return splits


def read_pairs(path: Path, text: str, notes: list[str], languages: tuple[str, str]) -> list[list[str]]:
    """Return the columns of each line.

    Args:
        path: of the file, for messages.
        text: what it holds.
        notes: what was decided is added.
        languages: codes of the two columns, of which a header may be made.

    Raises:
        InputError: no pairs; a line with more or fewer columns than the first; or a number that is none.
    """
    rows: list[list[str]] = []
    width, first, incomplete = 0, 0, 0
    for number, line in enumerate(text.split("\n"), start=1):
        cells = [cell.strip() for cell in line.rstrip("\r").split("\t")]
        if not any(cells):
            continue
        if not width:
            width, first = len(cells), number
            if width not in (2, 3):
                raise InputError(
                    f"{path}: line {number} has {counted(width, 'column')}, tabs between; expected {MEANT}"
                )
            if not _is_number(cells[2]) if width == 3 else names_columns(cells, languages):
                notes.append(f"line {number} is a header: {', '.join(cells)}")
                continue
        if len(cells) != width:
            raise InputError(f"{path}: line {number} has {len(cells)} columns, and line {first} has {width}")
        if width == 3 and not _is_number(cells[2]):
            raise InputError(f"{path}: line {number}: {cells[2]!r} is not a number")
        if not (cells[0] and cells[1]):
            incomplete += 1
            continue
        rows.append(cells)
    if not rows:
        raise InputError(f"{path}: no pairs in it" if text.strip() else f"{path}: the file is empty")
    if width == 2 and may_name_columns(rows[0], rows[1:]):
        notes.append(
            f"the first pair is {rows[0][0]!r} and {rows[0][1]!r}; if that is a header, take it out of the file"
        )
    if incomplete:
        notes.append(f"{incomplete:,} lines with only one text left out")
    return rows


def _is_number(text: str) -> bool:
    try:
        return bool(np.isfinite(float(text)))
    except ValueError:
        return False
