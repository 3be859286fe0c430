"""Series as a model takes them: each variable standardised by its mean and deviation over the training series.

Checked by: scikit-learn's StandardScaler; a changed test value changes nothing; JSON round trips.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.encoding import EncodedRows, Encoding, Standardise, check_columns, shown, statistics, to_number
from fourfold.data.table.reading import Table


class SeriesEncoding(Encoding):
    """Stretches of series; an example is a list of steps, each a number a variable, or a file whose end is taken."""

    name: Literal["series"] = "series"
    names: list[str] = Field(min_length=1, max_length=100_000)
    length: int = Field(ge=1)
    mean: list[float]
    deviation: list[float]

    @model_validator(mode="after")
    def _check(self) -> "SeriesEncoding":
        if not len(self.names) == len(self.mean) == len(self.deviation):
            raise ValueError(f"{len(self.names)} variables, {len(self.mean)} means, {len(self.deviation)} deviations")
        if any(value <= 0 for value in self.deviation):
            raise ValueError("every deviation must be above zero")
        return self

    @classmethod
    def fit(cls, names: Sequence[str], length: int, training: Tensor) -> "SeriesEncoding":
        """Fit on the training series, float64 `[time, variables]`."""
        mean, deviation = statistics(training)
        return cls(names=list(names), length=length, mean=mean, deviation=deviation)

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
        if len(table.rows) < self.length:
            raise InputError(f"{table.path}: {counted(len(table.rows), 'row')}; the model needs the last {self.length}")
        columns = [table.columns[name][-self.length :] for name in self.names]
        numbers = table.rows[-self.length :]
        steps = [
            [
                to_number(text, f"{table.path}: row {row}, column '{name}'")
                for name, text in zip(self.names, step, strict=True)
            ]
            for row, step in zip(numbers, zip(*columns, strict=True), strict=True)
        ]
        notes = [
            f"{table.path.name}: forecast from its last {self.length} rows; they were taken to be in order of time"
        ]
        raw = torch.tensor([steps], dtype=torch.float64)
        return EncodedRows((self.standardise().encode(raw),), [*table.notes, *notes])

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
