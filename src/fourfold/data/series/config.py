"""The user's own series: a table with a column of times, and one or more columns of numbers.

Licence: whatever the file's own is; it is only read, and never copied.
Checked by: files written line by line, with gaps, irregular times and missing values; Parquet.
"""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from fourfold.core.errors import InputError, did_you_mean
from fourfold.data.series.base import ForecastingConfig, Measured
from fourfold.data.series.encoding import Times
from fourfold.data.series.gaps import Missing, column_numbers, on_steps
from fourfold.data.series.timeline import Timeline, read_timeline
from fourfold.data.table.reading import Table, read_table


class SeriesConfig(ForecastingConfig):
    """Fields of `data: series`."""

    licence: ClassVar[str] = "your own"
    origin: ClassVar[str] = "your own file"

    name: Literal["series"] = "series"
    path: str = Field(default="", description="a CSV, TSV or Parquet file with a row for each step, in order of time")
    time: str | None = Field(
        default=None, description="the column of times, which are checked; null: rows are steps, and nothing is checked"
    )
    columns: list[str] = Field(default=[], description="what to forecast; []: every column but that of times")
    missing: Missing = Field(
        default="refuse", description="what is done about missing values: an error, or the last value before them"
    )

    def measured(self, cache: Path) -> tuple[Measured, list[str], dict[str, str]]:
        """Read the file.

        Raises:
            InputError: it cannot be read or is no regular series; the message names row and column.
        """
        if not self.path:
            raise InputError("data.path: name your file, as in data.path=visitors.csv")
        table = read_table(Path(self.path))
        names = self._names(table)
        values = np.array([self._numbers(table, name) for name in names]).T  # [rows, variables]
        notes, times = list(table.notes), None
        if self.time is None:
            line = Timeline(np.arange(len(values)), "1 row", f"row {table.rows[0]}", f"row {table.rows[-1]}")
            notes.append("data.time is null: rows were taken to be regular steps in order of time")
        else:
            line = read_timeline(table.path, self.time, table.columns[self.time], table.rows)
            times = Times(column=self.time, step=line.step, missing=self.missing)
        grid, gaps = on_steps(values, names, line, self.missing, table.path)
        series = Measured(names, grid, line.step, line.first, line.last, times)
        return series, [*notes, *gaps], {self.path: table.sha256}

    def _names(self, table: Table) -> tuple[str, ...]:
        for field, name in (("time", self.time), *(("columns", name) for name in self.columns)):
            if name is not None and name not in table.columns:
                raise InputError(
                    f"data.{field}: {table.path} has no column '{name}'{did_you_mean(name, table.columns)}"
                )
        names = tuple(self.columns) or tuple(name for name in table.columns if name != self.time)
        if not names:
            raise InputError(f"data.columns: {table.path} has no column but '{self.time}'")
        if len(set(names)) < len(names) or self.time in names:
            raise InputError("data.columns: each column once, and not that of times")
        return names

    def _numbers(self, table: Table, name: str) -> list[float]:
        try:
            return column_numbers(table, name)
        except InputError as error:
            if self.time is not None:
                raise
            raise InputError(f"{error}; if it is a time, say so: data.time={name}") from None
