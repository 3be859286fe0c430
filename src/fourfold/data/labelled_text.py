"""Your own texts with a class each: a table with a column of texts and one of classes, or .txt files in folders.

A folder may hold `train` and `test`, with the folders of the classes in both; and a test split may be a file of its
own. Copies of a text stay in one split; of a test split that is given, those that are in the rest, too, are counted.

Source: the reader's own files.
Licence: the reader's own.
Checked by: tables and folders made by hand; planted copies; labels that only the test file has.
"""

from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.words import counted
from fourfold.data.base import SplitDataConfig
from fourfold.data.notes import split_note
from fourfold.data.splitting import Splits
from fourfold.data.table.columns import missing
from fourfold.data.table.copies import content_numbers, groups_of_copies, report_twins
from fourfold.data.table.reading import Table, as_texts, read_table
from fourfold.data.table.target import Classes, check_class_sizes, read_target
from fourfold.data.text.answered import Read, labelled_texts
from fourfold.data.text.folders import read_folder
from fourfold.data.text.learning import TextFields
from fourfold.data.text.padded import PaddedSource


class LabelledTextConfig(TextFields, SplitDataConfig):
    """Fields of `data: labelled_text`."""

    licence: ClassVar[str] = "your own"
    origin: ClassVar[str] = "files of your own"

    name: Literal["labelled_text"] = "labelled_text"
    path: str = Field(description="a CSV, TSV or Parquet file, or a folder with a folder of .txt files for each class")
    test_path: str | None = Field(
        default=None, description="the test split, in the same form; null takes it from the rest, as data.test says"
    )
    text: str = Field(default="text", description="the column of the texts")
    label: str = Field(default="label", description="the column of the classes")
    delimiter: str | None = Field(
        default=None, min_length=1, max_length=1, description="between values; null finds out from the header"
    )

    def build(self, seed: int, cache: Path) -> PaddedSource:
        """Read, split and tokenise the texts."""
        if not self.path:
            raise InputError("data.path: name your file or folder, for example data.path=reviews.csv")
        paths = [path for path in self._paths() if path is not None]
        tables = [self._read(path) for path in paths]
        notes = [note for table in tables for note in table.notes]
        files = {str(path): table.sha256 for path, table in zip(paths, tables, strict=True)}
        texts = np.concatenate([table.columns[self.text] for table in tables])
        labels, names = self._labels(tables)
        splits = self._divide(texts, labels, len(tables[0].rows), seed, notes)
        others = [name for name in tables[0].columns if name != self.text]
        read = Read([(text,) for text in texts], [self.text], others, files)
        return labelled_texts(self, read, labels, names, splits, cache, notes)

    def _paths(self) -> tuple[Path, Path | None]:
        """Return where the texts to split are, and those of the test split, if they are given."""
        path = Path(self.path).expanduser()
        if self.test_path is not None:
            return path, Path(self.test_path).expanduser()
        if (path / "train").is_dir() and (path / "test").is_dir():
            return path / "train", path / "test"
        return path, None

    def _read(self, path: Path) -> Table:
        """Return the texts and labels of a file or a folder; rows without a text are left out."""
        if path.is_dir():
            return read_folder(path, self.text, self.label)
        table = read_table(path, self.delimiter)
        for field, name in (("text", self.text), ("label", self.label)):
            if name not in table.columns:
                raise InputError(f"data.{field}: {path} has no column '{name}'{did_you_mean(name, table.columns)}")
        if self.text == self.label:
            raise InputError(f"data.label: '{self.label}' is the column of the texts")
        unlabelled = missing(table.columns[self.label])
        if unlabelled.any():
            rows = table.rows[unlabelled]
            raise InputError(f"{path}: row {rows[0]} has no '{self.label}' ({counted(len(rows), 'such row')})")
        empty = missing(table.columns[self.text])
        if empty.all():
            raise InputError(f"{path}: no row has a text in '{self.text}'")
        if empty.any():
            table.notes.append(f"{path.name}: {counted(int(empty.sum()), 'row')} without a text left out")
        return table.keep(~empty)

    def _labels(self, tables: list[Table]) -> tuple[Tensor, tuple[str, ...]]:
        """Return each text's class number, int64 `[texts]`, and the classes' names.

        Raises:
            InputError: a class that only the test split has, or that has too few texts.
        """
        pool, *given = tables
        columns = {self.label: np.concatenate([table.columns[self.label] for table in tables])}
        rows = np.concatenate([table.rows for table in tables])
        classes = read_target(replace(pool, columns=columns, rows=rows), self.label, "classification")
        assert isinstance(classes, Classes)
        count = len(pool.rows)
        ours = Classes(classes.numbers[:count], classes.names, classes.note)
        unseen = ~torch.isin(classes.numbers[count:], ours.numbers)
        if unseen.any():
            place = int(unseen.nonzero()[0])
            name = classes.names[int(classes.numbers[count + place])]
            raise InputError(
                f"{given[0].path}: row {given[0].rows[place]}: '{name}' is a class that only the test split has"
            )
        for_training = self.folds or (2 if self.validation else 1)
        check_class_sizes(ours, pool, self.label, for_training + (1 if self.test and not given else 0))
        return classes.numbers, classes.names

    def _divide(self, texts: np.ndarray, labels: Tensor, count: int, seed: int, notes: list[str]) -> Splits:
        """Split the first `count` texts, copies together; the others are the test split."""
        numbers = content_numbers([as_texts([" ".join(text.split()) for text in texts])])
        groups = groups_of_copies(numbers[:count], notes)
        drawn = self.drawn(seed, in_proportion=True)
        if count == len(texts):
            splits = self.splits(count, labels, seed, groups)
        else:
            splits = self.splits_with_test(count, len(texts) - count, labels[:count], seed, groups)
            drawn = f"test as it is given, the others {drawn}"
        splits = self.fewer(splits, self.seed_of_split(seed), notes)
        notes.append(split_note(splits, drawn))
        report_twins(numbers, splits, notes)
        return splits
