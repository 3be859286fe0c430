"""The user's own series: a table with a column of times, and one or more columns of numbers.

Licence: whatever the file's own is; it is only read, and never copied.
Checked by: files written line by line, with gaps, irregular times and missing values; Parquet.
"""

from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.words import counted
from fourfold.data.encoding import to_number
from fourfold.data.series.base import ForecastingConfig, Measured, filled
from fourfold.data.series.timeline import Timeline, read_timeline
from fourfold.data.table.reading import Table, read_table

FROM_THE_LAST = "or choose data.missing=last, which fills each with the value before it"


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
    missing: Literal["refuse", "last"] = Field(
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
        notes = list(table.notes)
        if self.time is None:
            line = Timeline(np.arange(len(values)), "1 row", f"row {table.rows[0]}", f"row {table.rows[-1]}")
            notes.append("data.time is null: rows were taken to be regular steps in order of time")
        else:
            line = read_timeline(table.path, self.time, table.columns[self.time], table.rows)
        grid = np.full((line.length, len(names)), np.nan)
        grid[line.places] = values
        grid, gaps = self._without_gaps(grid, names, line)
        series = Measured(names, grid, line.step, line.first, line.last)
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
            return [
                np.nan if text is None else to_number(text, f"{table.path}: row {row}, column '{name}'")
                for row, text in zip(table.rows, table.columns[name], strict=True)
            ]
        except InputError as error:
            if self.time is not None:
                raise
            raise InputError(f"{error}; if it is a time, say so: data.time={name}") from None

    def _without_gaps(self, grid: np.ndarray, names: tuple[str, ...], line: Timeline) -> tuple[np.ndarray, list[str]]:
        """Return the series with no value missing, and what was done about it."""
        gaps = np.isnan(grid)
        if not gaps.any():
            return grid, []
        if self.missing == "refuse":
            step, variable = np.argwhere(gaps)[0]
            raise InputError(
                f"{self.path}: {counted(int(gaps.sum()), 'value')} missing, the first of '{names[variable]}' "
                f"{counted(int(step), 'step')} ({line.step} each) after {line.first}; complete the file, "
                f"{FROM_THE_LAST}"
            )
        start = int((~gaps).all(1).argmax())  # nothing is known before the first full row
        if gaps[start].any():
            raise InputError(f"{self.path}: no row has a value in every column; choose fewer data.columns")
        kept, notes = filled(grid[start:], names)
        return kept, [
            *([f"the first {counted(start, 'step')} left out: not every value is known"] * (start > 0)),
            *notes,
        ]
