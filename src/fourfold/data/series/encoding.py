"""Series as a model takes them: each variable standardised by its mean and deviation over the training series.

Checked by: scikit-learn's StandardScaler; a changed test value changes nothing; JSON round trips.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from fourfold.core.config import Config
from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.words import counted
from fourfold.data.encoding import EncodedRows, Encoding, Standardise, check_columns, shown, statistics, to_number
from fourfold.data.series.gaps import Missing, column_numbers, on_steps
from fourfold.data.series.timeline import read_timeline
from fourfold.data.table.reading import Table


class Times(Config):
    """How the training file told the times of its rows; a new file's are read and checked in the same way."""

    column: str
    step: str  # between two rows, such as "1 day"
    missing: Missing


class SeriesEncoding(Encoding):
    """Stretches of series; an example is a list of steps, each a number a variable, or a file whose end is taken."""

    name: Literal["series"] = "series"
    names: list[str] = Field(min_length=1, max_length=100_000)
    length: int = Field(ge=1)
    mean: list[float]
    deviation: list[float]
    times: Times | None = None  # None: rows are steps; so it was of every run before this was recorded

    @model_validator(mode="after")
    def _check(self) -> "SeriesEncoding":
        if not len(self.names) == len(self.mean) == len(self.deviation):
            raise ValueError(f"{len(self.names)} variables, {len(self.mean)} means, {len(self.deviation)} deviations")
        if any(value <= 0 for value in self.deviation):
            raise ValueError("every deviation must be above zero")
        return self

    @classmethod
    def fit(cls, names: Sequence[str], length: int, training: Tensor, times: Times | None) -> "SeriesEncoding":
        """Fit on the training series, float64 `[time, variables]`."""
        mean, deviation = statistics(training)
        return cls(names=list(names), length=length, mean=mean, deviation=deviation, times=times)

    @classmethod
    def unchanged(cls, names: Sequence[str], length: int) -> "SeriesEncoding":
        """Leave numbers as they are."""
        return cls(names=list(names), length=length, mean=[0.0] * len(names), deviation=[1.0] * len(names))

    def standardise(self) -> Standardise:
        """Return the arithmetic on `[…, variables]`."""
        return Standardise(*torch.tensor([self.mean, self.deviation], dtype=torch.float64))

    def encode_rows(self, rows: Sequence[Any]) -> EncodedRows:
        """Turn examples, each a list of steps, into `([batch, length, variables],)`."""
        raw = torch.tensor([self._steps(row, f"row {i + 1}") for i, row in enumerate(rows)], dtype=torch.float64)
        return EncodedRows((self.standardise().encode(raw),), [])

    def encode_table(self, table: Table) -> EncodedRows:
        """Turn the last steps of a file into one example; what follows the file is what the model forecasts."""
        check_columns({name: 0 for name in table.columns if name in self.names}, self.names, (), str(table.path))
        if self.times is not None:
            return self._encode_timed(table, self.times)
        if len(table.rows) < self.length:
            raise InputError(f"{table.path}: {counted(len(table.rows), 'row')}; the model needs the last {self.length}")
        columns = [table.columns[name][-self.length :] for name in self.names]
        steps = [
            [
                to_number(text, f"{table.path}: row {row}, column '{name}'")
                for name, text in zip(self.names, step, strict=True)
            ]
            for row, step in zip(table.rows[-self.length :], zip(*columns, strict=True), strict=True)
        ]
        notes = [
            f"{table.path.name}: forecast from its last {self.length} rows; they were taken to be in order of time"
        ]
        raw = torch.tensor([steps], dtype=torch.float64)
        return EncodedRows((self.standardise().encode(raw),), [*table.notes, *notes])

    def _encode_timed(self, table: Table, times: Times) -> EncodedRows:
        """Turn the last steps of a file with times into one example; all its times are checked, as training does."""
        if times.column not in table.columns:
            others = [name for name in table.columns if name not in self.names]
            raise InputError(
                f"{table.path}: no column '{times.column}', which told the times in training"
                f"{did_you_mean(times.column, others)}"
            )
        line = read_timeline(table.path, times.column, table.columns[times.column], table.rows)
        if line.step != times.step:
            raise InputError(
                f"{table.path}: column '{times.column}': a step is {line.step}, and in training it was {times.step}"
            )
        begin = max(line.length - self.length, 0) if times.missing == "refuse" else 0  # what fills a gap comes before
        last_rows, last_line = table.keep(line.places >= begin), line.since(begin)
        values = np.array([column_numbers(last_rows, name) for name in self.names]).T  # [rows, variables]
        steps, gaps = on_steps(values, tuple(self.names), last_line, times.missing, table.path)
        if len(steps) < self.length:
            raise InputError(f"{table.path}: {counted(len(steps), 'step')}; the model needs the last {self.length}")
        seen = f"{counted(self.length, 'step')} of {line.step}, to {line.last}"
        notes = [*table.notes, *gaps, f"{table.path.name}: forecast from its last {seen}"]
        raw = torch.from_numpy(steps[None, -self.length :])
        return EncodedRows((self.standardise().encode(raw),), notes, line)

    def _steps(self, row: Any, at: str) -> list[list[float]]:
        """Return one example; of a single variable the steps may be plain numbers."""
        if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != self.length:
            given = f"{len(row)} steps" if isinstance(row, Sequence) and not isinstance(row, str) else shown(row)
            raise InputError(f"{at}: {given} where a list of {self.length} steps is needed, of {', '.join(self.names)}")
        steps = [[step] if isinstance(step, int | float | str) else step for step in row]
        for i, step in enumerate(steps, start=1):
            if isinstance(step, Mapping) or not isinstance(step, Sequence) or len(step) != len(self.names):
                raise InputError(
                    f"{at}: step {i}: expected a number each for {', '.join(self.names)}, got {shown(step)}"
                )
        return [
            [to_number(value, f"{at}, step {i}, '{name}'") for name, value in zip(self.names, step, strict=True)]
            for i, step in enumerate(steps, start=1)
        ]
