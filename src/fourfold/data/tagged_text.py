"""Your own tagged words: files in the form of CoNLL's shared tasks, a word and its columns a line.

Tags of entities may be IOB1, IOB2, IOBES or BILOU; they become IOB2. Other tags, such as parts of speech, stay. Equal
sentences stay in one split.

Source: the reader's own files.
Licence: the reader's own.
Checked by: files written line by line; planted copies.
"""

import hashlib
from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field, model_validator

from fourfold.core.errors import InputError
from fourfold.data.base import SplitDataConfig
from fourfold.data.notes import split_note
from fourfold.data.splitting import Splits
from fourfold.data.table.copies import content_numbers, groups_of_copies, report_twins
from fourfold.data.table.reading import as_texts, decode, read_bytes
from fourfold.data.text.conll import Sentence, parse_conll
from fourfold.data.text.learning import TextFields
from fourfold.data.text.padded import PaddedSource
from fourfold.data.text.tagged import tagged_texts


class TaggedTextConfig(TextFields, SplitDataConfig):
    """Fields of `data: tagged_text`."""

    licence: ClassVar[str] = "your own"
    origin: ClassVar[str] = "files of your own"

    name: Literal["tagged_text"] = "tagged_text"
    path: str = Field(description="a file of words and tags, a word a line, a blank line after each sentence")
    validation_path: str | None = Field(
        default=None, description="the validation split; null takes it from the rest, as data.validation says"
    )
    test_path: str | None = Field(
        default=None, description="the test split; null takes it from the rest, as data.test says"
    )
    word_column: int = Field(default=0, description="where the words stand, counted from 0, or from -1 backwards")
    tag_column: int = Field(default=-1, description="where their tags stand, likewise")

    @model_validator(mode="after")
    def _check_files(self) -> "TaggedTextConfig":
        if self.validation_path is not None and self.test_path is None:
            raise ValueError("data.validation_path: give data.test_path, too")
        return self

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read, split and tokenise the sentences."""
        if not self.path:
            raise InputError("data.path: name your file, for example data.path=train.conll")
        notes: list[str] = []
        files: dict[str, str] = {}
        pool = self._read(self.path, notes, files)
        given = {
            name: self._read(path, notes, files)
            for name, path in (("validation", self.validation_path), ("test", self.test_path))
            if path is not None
        }
        sentences = [*pool, *(sentence for part in given.values() for sentence in part)]
        splits = self._divide(sentences, len(pool), {name: len(part) for name, part in given.items()}, seed, notes)
        self._check_tags(sentences, splits)
        return tagged_texts(self, sentences, splits, cache, notes, files)

    def _read(self, path: str, notes: list[str], files: dict[str, str]) -> list[Sentence]:
        data = read_bytes(Path(path))
        if not data.strip():
            raise InputError(f"{path}: the file is empty")
        text, read = decode(Path(path), data)
        sentences = parse_conll(Path(path), text, self.word_column, self.tag_column)
        files[path] = hashlib.sha256(data).hexdigest()
        notes += [f"{Path(path).name}: {len(sentences):,} sentences, SHA-256 begins {files[path][:16]}", *read]
        return sentences

    def _divide(
        self, sentences: list[Sentence], count: int, given: dict[str, int], seed: int, notes: list[str]
    ) -> Splits:
        """Split the first `count` sentences, copies together; those of the splits that are given follow."""
        numbers = content_numbers([as_texts(["\n".join(sentence.words) for sentence in sentences])])
        groups = groups_of_copies(numbers[:count], notes)
        drawn = self.drawn(seed, in_proportion=False)
        if not given:
            splits = self.splits(count, None, seed, groups)
        elif "validation" in given:
            ends = count + given["validation"]
            everything = torch.arange(len(sentences))
            splits = {
                "train": self.sampled(everything[:count], seed),
                "validation": everything[count:ends],
                "test": everything[ends:],
            }
            drawn = "as they are given"
        else:
            splits = self.splits_with_test(count, given["test"], None, seed, groups)
            drawn = f"test as it is given, the others {drawn}"
        splits = self.fewer(splits, self.seed_of_split(seed), notes)
        notes.append(split_note(splits, drawn))
        report_twins(numbers, splits, notes)
        return splits

    def _check_tags(self, sentences: list[Sentence], splits: Splits) -> None:
        """Raise InputError where a split has a kind of tag that training never saw."""

        def kinds(name: str) -> dict[str, str]:
            return {
                tag.partition("-")[2] or tag: tag for number in splits[name].tolist() for tag in sentences[number].tags
            }

        known = kinds("train")
        for name in ("validation", "test"):
            for kind, tag in sorted(kinds(name).items()):
                if kind not in known:
                    file = (self.test_path if name == "test" else self.validation_path) or self.path
                    raise InputError(
                        f"{file}: the tag '{tag}' is only in the {name} split, and in no training sentence; another "
                        "data.split_seed, or another file, would help"
                    )
