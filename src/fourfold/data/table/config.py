"""A user's own table: CSV, TSV or Parquet, one row an example, one column the target.

Everything that is learned from the data (kinds of columns, categories, medians, means) is learned from the training
rows. Every decision is a line of `source.notes`.

Source: the reader's own file.
Licence: the reader's own.
Checked by: hand-made tables; pandas and scikit-learn; a changed test value changes no statistic.
"""

from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.words import counted
from fourfold.data.base import SplitDataConfig
from fourfold.data.in_memory import InMemorySource, take
from fourfold.data.notes import classes_note, targets_note
from fourfold.data.rows import class_counts, standardised_targets
from fourfold.data.splitting import Splits
from fourfold.data.table.columns import Column, missing
from fourfold.data.table.copies import content_numbers, groups_of_copies, report_twins
from fourfold.data.table.encoding import TableEncoding
from fourfold.data.table.inference import Rules, infer, names_rows
from fourfold.data.table.reading import Table, decimal_comma, read_table
from fourfold.data.table.target import Amounts, Classes, Task, check_class_sizes, read_target
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Features


class TableConfig(SplitDataConfig):
    """Fields of `data: table`."""

    licence: ClassVar[str] = "your own"
    origin: ClassVar[str] = "a file of your own"

    name: Literal["table"] = "table"
    path: str = Field(description="the file: CSV, TSV, any delimited text, or Parquet (.parquet, .pq)")
    target: str = Field(description="the column to predict")
    task: Task = Field(
        default="auto", description="auto: text or few whole numbers are classes, other numbers are regression"
    )
    drop: list[str] = Field(default=[], description="columns to leave out")
    categorical: list[str] = Field(default=[], description="columns of names that look like numbers, such as zip codes")
    keep: list[str] = Field(default=[], description="columns to use even where they look like identifiers")
    delimiter: str | None = Field(
        default=None, min_length=1, max_length=1, description="between values; null finds out from the header"
    )
    decimal: Literal[".", ","] = Field(default=".", description="what stands before a fraction")
    drop_unlabelled: bool = Field(default=False, description="leave out rows without a target, instead of refusing")
    min_category_count: int = Field(default=2, ge=1, description="training rows a category needs for its own column")
    max_categories: int = Field(default=50, ge=1, le=10_000, description="own columns a category column gets at most")

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Read, understand, split and encode the table."""
        if not self.path:
            raise InputError("data.path: name your table, for example data.path=houses.csv data.target=price")
        table = read_table(Path(self.path), self.delimiter, self.decimal)
        notes = table.notes
        self._check_names(table)
        self._check_decimals(table)
        table = self._labelled(table, notes)
        target = read_target(table, self.target, self.task)
        notes.append(target.note)
        for_training = self.folds or (2 if self.validation else 1)
        needed = for_training + (1 if self.test else 0)
        if isinstance(target, Classes):
            check_class_sizes(target, table, self.target, needed)
        elif len(table.rows) < needed:
            raise InputError(f"{table.path}: {len(table.rows)} rows; at least {needed} are needed, one for each split")
        splits = self._divide(table, target, seed, notes)
        encoding = self._fit(table, splits, notes)
        examples = take(encoding.matrix(table.columns), splits)
        source = self._source(target, encoding, examples, splits, notes)
        source.files = {self.path: table.sha256}
        return source

    def _check_names(self, table: Table) -> None:
        names = table.columns
        if not self.target:
            raise InputError(
                f"data.target: {table.path}: say which column to predict, data.target=COLUMN{did_you_mean('', names)}"
            )
        if self.target not in names:
            hint = did_you_mean(self.target, names)
            raise InputError(f"data.target: {table.path} has no column '{self.target}'{hint}")
        for field in ("drop", "categorical", "keep"):
            for name in getattr(self, field):
                if name not in names:
                    raise InputError(f"data.{field}: {table.path} has no column '{name}'{did_you_mean(name, names)}")
        if self.target in self.drop:
            raise InputError(f"data.drop: '{self.target}' is the target; it cannot be left out")

    def _check_decimals(self, table: Table) -> None:
        """Raise InputError where numbers have commas before their fractions, and nobody said so."""
        for name, texts in table.columns.items() if self.decimal == "." else ():
            if name not in (*self.drop, *self.categorical) and (example := decimal_comma(texts)) is not None:
                raise InputError(
                    f"{table.path}: '{name}' has decimal commas, such as {example}; say data.decimal=, "
                    f"(or data.categorical=[{name}] if they are names)"
                )

    def _labelled(self, table: Table, notes: list[str]) -> Table:
        """Return the rows that have a target."""
        absent = missing(table.columns[self.target])
        count = int(absent.sum())
        if count == 0:
            return table
        if count == len(absent):
            raise InputError(f"{table.path}: no row has a '{self.target}'")
        rows = ", ".join(map(str, table.rows[absent][:10])) + (", …" if count > 10 else "")
        listed = f"row{'s' * (count > 1)} {rows}"
        if not self.drop_unlabelled:
            raise InputError(
                f"{table.path}: no '{self.target}' in {counted(count, 'row')} ({listed}); fill in what is "
                "missing, or leave such rows out with data.drop_unlabelled=true"
            )
        notes.append(f"{counted(count, 'row')} without '{self.target}' left out ({listed})")
        return table.keep(~absent)

    def _divide(self, table: Table, target: Classes | Amounts, seed: int, notes: list[str]) -> Splits:
        """Split the rows, copies together; columns that only name a row do not make it different from its copy."""
        telling = [
            texts for name, texts in table.columns.items() if name not in self.drop and not names_rows(name, texts)
        ]
        numbers = content_numbers(telling or list(table.columns.values()))
        groups = groups_of_copies(numbers, notes)
        labels = target.numbers if isinstance(target, Classes) else None
        splits = self.splits(len(table.rows), labels, seed, groups)
        sizes = ", ".join(f"{name} {len(members):,} rows" for name, members in splits.items())
        notes.append(f"split: {sizes}, {self.drawn(seed, in_proportion=labels is not None)}")
        report_twins(numbers, splits, notes)
        if isinstance(target, Classes):
            counts = class_counts(target.numbers[splits["train"]], len(target.names))
            if 0 in counts:
                absent = target.names[counts.index(0)]
                raise InputError(
                    f"{table.path}: no training row is of class '{absent}'; another data.split_seed, or smaller "
                    "data.validation and data.test, would leave some"
                )
        return splits

    def _fit(self, table: Table, splits: Splits, notes: list[str]) -> TableEncoding:
        """Decide each column's kind and statistics from the training rows."""
        rules = Rules(
            categorical=frozenset(self.categorical),
            keep=frozenset(self.keep),
            min_count=self.min_category_count,
            max_categories=self.max_categories,
        )
        train, held_out = splits["train"].numpy(), torch.cat([splits["validation"], splits["test"]]).numpy()
        used: list[Column] = []
        for name, texts in table.columns.items():
            if name == self.target:
                continue
            if name in self.drop:
                notes.append(f"'{name}' left out: data.drop says so")
                continue
            column, line = infer(name, texts[train], table.rows[train], rules, names_rows(name, texts))
            if column is not None:
                used.append(column)
                bad = int(column.unreadable(texts[held_out]).sum())
                line += f"; not readable in {bad:,} held-out rows, so missing there" if bad else ""
            notes.append(line)
        if not used:
            others = len(table.columns) - 1
            why = f"; the last one: {notes[-1]}" if others else f": '{self.target}', the target, is the only one"
            raise InputError(f"{table.path}: no column can be used as an input{why}")
        names = {column.name for column in used}
        ignored = [name for name in table.columns if name not in names]
        return TableEncoding(columns=used, ignored=ignored, decimal=self.decimal)

    def _source(
        self,
        target: Classes | Amounts,
        encoding: TableEncoding,
        examples: dict[str, Tensor],
        splits: Splits,
        notes: list[str],
    ) -> InMemorySource:
        inputs = Features(encoding.outputs)
        notes.append(
            f"inputs: {inputs.size} numbers from {len(encoding.columns)} columns; numbers and dates are standardised "
            "by their mean and deviation over the training rows"
        )
        if isinstance(target, Classes):
            targets = take(target.numbers, splits)
            counts = class_counts(targets["train"], len(target.names))
            notes.append(classes_note(target.names, counts))
            spec = ClassificationSpec(inputs, target.names, counts)
            return InMemorySource(spec, examples, targets, encoding, notes=notes)
        spec, standardised = standardised_targets(inputs, (self.target,), take(target.values, splits), target.task)
        notes.append(targets_note(spec.target_names, spec.target_mean, spec.target_deviation))
        return InMemorySource(spec, examples, standardised, encoding, notes=notes)
