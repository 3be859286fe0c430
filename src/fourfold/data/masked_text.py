"""Texts to pre-train on, with hidden words and, in pairs, the question whether one follows the other.

A document is a .txt file of a folder, or what stands between two empty lines of a file; splits are of whole documents.

Reviews are divided as `data: reviews` divides them, so that a model which was pre-trained on them has seen none that
fine-tuning validates or tests on.

Source: the reader's own files; reviews are those of `data: reviews`, articles those of `data: wikitext`.
Licence: the reader's own; of reviews and of articles that of their own source.
Checked by: folders and files made by hand; each split's documents; the source's own splits.
"""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field, model_validator

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.base import SplitDataConfig
from fourfold.data.notes import split_note
from fourfold.data.reviews import ReviewsConfig
from fourfold.data.splitting import Splits
from fourfold.data.table.reading import decode, read_bytes
from fourfold.data.text.learning import FRAME, TextFields
from fourfold.data.text.masked import MaskedSource
from fourfold.data.text.masked_encoding import MaskedTextEncoding
from fourfold.data.text.masking import SHARE, Masking
from fourfold.data.text.sentence_pairs import Stretches, sentences_of
from fourfold.data.text.wikitext import WikitextConfig
from fourfold.tasks.inputs import Tokens
from fourfold.tasks.masked_language_modelling import MaskedLanguageModellingSpec
from fourfold.tasks.tokenizer import CLS, MASK, SEP, Tokenizer

PIECE = 1000  # documents that become tokens together: as Python's numbers they take ten times the memory


class MaskedTextConfig(TextFields, SplitDataConfig):
    """Fields of `data: masked_text`."""

    licence: ClassVar[str] = "your own; of reviews and of articles that of their own source"
    origin: ClassVar[str] = "files of your own, or data: reviews, or data: wikitext"

    name: Literal["masked_text"] = "masked_text"
    of: Literal["files", "reviews", "wikitext-2", "wikitext-103"] = Field(
        default="files",
        description="your own at `path`; reviews of films, with the splits of data: reviews; or articles of Wikipedia, "
        "with those of data: wikitext",
    )
    path: str = Field(
        default="",
        description="a folder whose .txt files, at any depth, are a document each, or a file of several; of articles, "
        "a folder with the host's files (empty: fetch them)",
    )
    next_sentence: bool = Field(
        default=True, description="also ask whether the second text of a pair follows the first; half of them do"
    )
    share: float = Field(default=SHARE, gt=0, lt=1, description="of the tokens that are to be guessed")
    max_length: int = Field(default=128, ge=8, le=65_536, description="tokens of a row, which are filled")

    @model_validator(mode="after")
    def _check_path(self) -> "MaskedTextConfig":
        if self.of == "reviews" and self.path:
            raise ValueError(
                f"data.path: {self.path} would not be read, for data.of=reviews; texts of your own are data.of=files"
            )
        return self

    def build(self, seed: int, cache: Path) -> MaskedSource:
        """Read the documents, split them, and cut them into rows."""
        notes: list[str] = []
        files: dict[str, str] = {}
        documents, splits, how = self._divided(seed, cache, notes, files)
        splits = self.fewer(splits, self.seed_of_split(seed), notes)
        notes.append(split_note(splits, how))
        texts = {name: [documents[number] for number in members.tolist()] for name, members in splits.items()}
        tokenizer = self.learn(texts["train"], FRAME, cache, notes)
        for name in (CLS, SEP, MASK):
            tokenizer.number_of(name)
        stretches = {name: self._stretches(tokenizer, part) for name, part in texts.items()}
        self._check(stretches)
        spec = MaskedLanguageModellingSpec(
            Tokens(tokenizer.vocab_size, self.max_length, 2 if self.next_sentence else 1),
            tokenizer.text,
            self.next_sentence,
        )
        masking = Masking(tokenizer.vocab_size, tokenizer.number_of(MASK), tokenizer.special.values(), self.share)
        encoding = MaskedTextEncoding(tokenizer=tokenizer.text, max_length=self.max_length)
        source = MaskedSource(spec, stretches, masking, encoding, [*notes, self._rows_note(stretches)], files)
        source.notes.append(f"scores of the training split are of {source.num_scored():,} of its rows")
        return source

    def _divided(
        self, seed: int, cache: Path, notes: list[str], files: dict[str, str]
    ) -> tuple[list[str], Splits, str]:
        """Return the documents, the splits, and how they came about."""
        if self.of.startswith("wikitext"):
            size = {"million_words": int(self.of.removeprefix("wikitext-")), "path": self.path or None}
            given = WikitextConfig.model_validate(size).texts(cache)
            ends = np.cumsum([len(given[name]) for name in given]).tolist()
            splits = {name: torch.arange(end - len(given[name]), end) for name, end in zip(given, ends, strict=True)}
            return [text for part in given.values() for text in part], splits, "as its makers set them"
        if self.of == "reviews":
            documents, labels = ReviewsConfig().reviews(cache, notes)
        else:
            documents, labels = self._read(notes, files), None
        how = self.drawn(seed, in_proportion=labels is not None)
        return documents, self.splits(len(documents), labels, seed), how

    def _read(self, notes: list[str], files: dict[str, str]) -> list[str]:
        """Return the documents, each once."""
        if not self.path:
            raise InputError("data.path: name your texts, for example data.path=books")
        path = Path(self.path).expanduser()
        found = sorted(path.rglob("*.txt")) if path.is_dir() else [path]
        documents: dict[str, None] = {}
        for file in found:
            content = read_bytes(file)
            files[str(file)] = hashlib.sha256(content).hexdigest()
            text, more = decode(file, content)
            notes += [f"{file}: {line}" for line in more]
            text = "\n".join(line.strip() for line in text.splitlines())
            parts = [text] if path.is_dir() else text.split("\n\n")
            documents |= dict.fromkeys(stripped for part in parts if (stripped := part.strip()))
        if not documents:
            raise InputError(f"{path}: no text in it" if found else f"{path}: no .txt file in this folder")
        notes.append(f"{counted(len(documents), 'different document')} in {counted(len(found), 'file')}")
        return list(documents)

    def _stretches(self, tokenizer: Tokenizer, documents: list[str]) -> Stretches:
        room = self.max_length - (3 if self.next_sentence else 2)
        return Stretches(_numbers(tokenizer, documents), room, tokenizer.number_of(CLS), tokenizer.number_of(SEP))

    def _check(self, stretches: dict[str, Stretches]) -> None:
        if not len(stretches["train"]):
            raise InputError("data: the training documents have no tokens")
        for name, part in stretches.items():
            if self.next_sentence and part.num_documents == 1:
                raise InputError(
                    f"data.next_sentence: the {name} split has one document, and a text that does not follow is of "
                    "another; give more documents (an empty line parts those of a file), or data.next_sentence=false"
                )

    def _rows_note(self, stretches: dict[str, Stretches]) -> str:
        rows = ", ".join(f"{name} {len(part):,}" for name, part in stretches.items())
        pairs = "pairs, of which half belong together" if self.next_sentence else "single texts"
        return (
            f"rows of up to {self.max_length} tokens: {rows}; {pairs}; {100 * self.share:g} % of the tokens are asked"
        )


def _numbers(tokenizer: Tokenizer, documents: list[str]) -> Iterator[list[list[int]]]:
    """Yield each document as its sentences, each as its token numbers."""
    for start in range(0, len(documents), PIECE):
        sentences = [sentences_of(document) for document in documents[start : start + PIECE]]
        tokens = iter(tokenizer.encode([sentence for each in sentences for sentence in each]))
        for each in sentences:
            yield [next(tokens) for _ in each]
