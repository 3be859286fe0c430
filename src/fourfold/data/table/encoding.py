"""A table's rows as model inputs, rebuilt from plain data at prediction time.

Checked by: rows of the training file, given as JSON, encode to the training batch.
"""

import datetime
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.encoding import EncodedRows, Encoding, Standardise, check_columns, shown
from fourfold.data.table.columns import BooleanColumn, CategoryColumn, Column, DateColumn, NumberColumn, missing
from fourfold.data.table.reading import Table, Texts, as_texts, cell_text, with_point

MEANT = {NumberColumn: "a number", BooleanColumn: "true or false", DateColumn: "a date"}


class TableEncoding(Encoding):
    """Rows of a table. A row is `{"column": value, …}` or a list of values in the order of `columns`.

    Values are JSON: numbers, texts, booleans, null where missing; or dates. Columns that training left out, and the
    target, may be there and are ignored, as are columns without a name.
    """

    name: Literal["table"] = "table"
    columns: list[Column] = Field(min_length=1, max_length=100_000)
    ignored: list[str] = Field(description="columns of the file that are not used, the target among them")
    decimal: Literal[".", ","] = Field(default=".", description="what stands before a fraction in a text")

    @property
    def outputs(self) -> tuple[str, ...]:
        """A name for each number that the model is given."""
        return tuple(name for column in self.columns for name in column.outputs)

    def standardise(self) -> Standardise:
        """Return the arithmetic on `[batch, outputs]`."""
        scales = [scale for column in self.columns for scale in column.scales]
        return Standardise(*torch.tensor(scales, dtype=torch.float64).T)

    def matrix(self, columns: Mapping[str, Texts]) -> Tensor:
        """Return texts as numbers before standardisation, float64 `[rows, outputs]`."""
        parts = [column.values(columns[column.name]) for column in self.columns]
        return torch.from_numpy(np.concatenate(parts, axis=1))

    def encode_rows(self, rows: Sequence[Any]) -> EncodedRows:
        """Turn rows into `([batch, outputs],)`."""
        cells = [self._cells(row, f"row {i + 1}") for i, row in enumerate(rows)]
        columns = {column.name: as_texts([row[i] for row in cells]) for i, column in enumerate(self.columns)}
        return self._encode(columns, np.arange(1, len(rows) + 1), "")

    def encode_table(self, table: Table) -> EncodedRows:
        """Turn a file's rows, read with this `decimal`, into `([batch, outputs],)`; messages number them as read."""
        names = [column.name for column in self.columns]
        check_columns(table.columns, names, [*self.ignored, *table.nameless], str(table.path))
        encoded = self._encode(table.columns, table.rows, f"{table.path}: ")
        return EncodedRows(encoded.inputs, [*table.notes, *encoded.notes])

    def _encode(self, columns: Mapping[str, Texts], numbers: np.ndarray, where: str) -> EncodedRows:
        """Encode texts; `numbers`, int64 `[rows]`, and `where` say in messages which row is meant."""
        notes = [note for column in self.columns for note in _check(column, columns[column.name], numbers, where)]
        return EncodedRows((self.standardise().encode(self.matrix(columns)),), notes)

    def _cells(self, row: Any, at: str) -> list[str | None]:
        """Return a row's values as cells of a file, in the order of `columns`."""
        names = [column.name for column in self.columns]
        if isinstance(row, Mapping):
            named = {str(name).strip(): value for name, value in row.items() if str(name).strip()}
            check_columns(named, names, self.ignored, at)
            row = [named[name] for name in names]
        elif not isinstance(row, Sequence) or isinstance(row, str):
            raise InputError(f"{at}: expected values by column or in order, got {shown(row)}")
        elif len(row) != len(names):
            raise InputError(f"{at}: {len(row)} values where {len(names)} are needed ({', '.join(names)})")
        for name, value in zip(names, row, strict=True):
            if not (value is None or isinstance(value, str | int | float | datetime.date)):
                raise InputError(f"{at}, column '{name}': {shown(value)} is not a single value")
        cells = [cell_text(value) for value in row]
        if self.decimal == ",":
            cells = [
                with_point(cell) if isinstance(value, str) else cell for cell, value in zip(cells, row, strict=True)
            ]
        return cells


def _check(column: Column, texts: Texts, numbers: np.ndarray, where: str) -> list[str]:
    """Return notes on what training never saw.

    Raises:
        InputError: a value that the column cannot mean.
    """

    def place(row: int) -> str:
        return f"{where}row {numbers[row]}, column '{column.name}'"

    for row in np.flatnonzero(column.unreadable(texts))[:1]:
        raise InputError(f"{place(row)}: {shown(texts[row])} is not {MEANT[type(column)]}")
    notes: list[str] = []
    if isinstance(column, CategoryColumn):
        marked, fill = column.missing, "none of the categories"
        fate = "'(other)'" if column.other else "none of the categories"
        for row in np.flatnonzero(column.unseen(texts))[:3]:
            notes.append(f"{place(row)}: {shown(texts[row])} has no column of its own; it counts as {fate}")
    else:
        marked, fill = column.indicator, "a typical value"
    for row in np.flatnonzero(missing(texts))[:1]:
        if not marked:
            notes.append(f"{place(row)}: missing, which training never saw; it counts as {fill}")
    return notes
