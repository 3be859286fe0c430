"""Files of tagged words, a word and its columns a line, a blank line after each sentence, as in CoNLL's shared tasks.

    Kim NNP B-PER
    visited VBD O
    Seoul NNP B-LOC

Columns are divided by tabs, or else by any space. Lines that begin with -DOCSTART- and comments, which begin with #
and have another number of columns, are left out.

Source: Tjong Kim Sang and De Meulder, Introduction to the CoNLL-2003 Shared Task, CoNLL 2003, section 2.2.
Checked by: files written line by line; each scheme of tags by hand.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from fourfold.core.errors import InputError
from fourfold.tasks.tagging import OUTSIDE

_LETTERS = frozenset("BIESLUM")  # begins, inside, end, single, last, unit, middle
_GOES_ON = ("I", "E", "L", "M")


class Sentence(NamedTuple):
    """Words and their tags."""

    words: list[str]
    tags: list[str]


def parse_conll(path: Path, text: str, word_column: int = 0, tag_column: int = -1) -> list[Sentence]:
    """Return the sentences of a file's text.

    Args:
        path: of the file, for messages.
        text: what it holds.
        word_column: where the words stand, counted from 0, or from -1 backwards.
        tag_column: where their tags stand.

    Raises:
        InputError: a line with more or fewer columns than the first; no sentence; or no such column.
    """
    sentences: list[Sentence] = []
    words: list[str] = []
    tags: list[str] = []
    width, first = 0, 0
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        cells = line.split("\t") if "\t" in line else line.split()
        cells = [cell.strip() for cell in cells]
        if not any(cells) or line.startswith("-DOCSTART-"):
            if words:
                sentences.append(Sentence(words, tags))
                words, tags = [], []
            continue
        if line.startswith("#") and len(cells) != (width or 2):
            continue
        if not width:
            width, first = len(cells), number
            for field, column in (("word_column", word_column), ("tag_column", tag_column)):
                if not -width <= column < width:
                    raise InputError(f"data.{field}: {column}, but line {number} of {path} has {width} columns")
            if word_column % width == tag_column % width:
                raise InputError(f"{path}: line {number} has one column; a word and its tag are needed")
        if len(cells) != width:
            raise InputError(f"{path}: line {number} has {len(cells)} columns, and line {first} has {width}")
        if not cells[word_column] or not cells[tag_column]:
            what = "word" if not cells[word_column] else "tag"
            raise InputError(f"{path}: line {number} has no {what}")
        words.append(cells[word_column])
        tags.append(cells[tag_column])
    if not sentences:
        raise InputError(f"{path}: no sentence in it")
    return sentences


def to_iob2(tags: Sequence[str]) -> list[str]:
    """Return a sentence's tags as IOB2, from IOB1, IOB2, IOBES or BILOU; others stay as they are.

    An I- that goes on with nothing of its type begins an entity, which is what it means in IOB1.
    """
    found: list[str] = []
    before = OUTSIDE
    for tag in tags:
        letter, dash, kind = tag.partition("-")
        if not dash or letter not in _LETTERS:
            found.append(tag)
        else:
            goes_on = letter in _GOES_ON and before.partition("-")[2] == kind and before[:2] in ("B-", "I-")
            found.append(f"{'I' if goes_on else 'B'}-{kind}")
        before = found[-1]
    return found


def is_scheme(tags: set[str]) -> bool:
    """Return whether tags mark entities: all but O have a letter, a dash and a type."""
    marked = [tag.partition("-") for tag in tags if tag != OUTSIDE]
    return bool(marked) and all(letter in _LETTERS and dash and kind for letter, dash, kind in marked)
