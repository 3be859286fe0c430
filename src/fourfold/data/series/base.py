"""What every series to be forecast shares: how much is seen, how far ahead it is asked for, and where it is divided.

The training series comes first, then the validation series, then the test series. Statistics are the training
series'. An example lies within one of them, so the first one of the test series begins where the test series does.
"""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from pydantic import Field, model_validator
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.base import DataConfig
from fourfold.data.series.encoding import SeriesEncoding, Times
from fourfold.data.series.windows import WindowSource
from fourfold.tasks.forecasting import forecasting_spec


class Measured(NamedTuple):
    """A series as it was read."""

    names: tuple[str, ...]
    values: np.ndarray  # float64 [time, variables], NaN where nothing was measured
    step: str  # between two rows, such as "1 month"
    first: str  # the time of the first row
    last: str
    times: Times | None = None  # what a new file must have too, where the user's own has times


class ForecastingConfig(DataConfig):
    """The fields of a series to be forecast."""

    length: int = Field(default=24, ge=1, le=1_000_000, description="steps that a model sees")
    horizon: int = Field(default=1, ge=1, le=100_000, description="steps after them that it forecasts")
    period: int = Field(
        default=1, ge=1, le=1_000_000, description="steps after which the series comes round; 1: no seasons"
    )
    validation: float = Field(default=0.15, ge=0, lt=1, description="share of the time, before the test series")
    test: float = Field(default=0.15, ge=0, lt=1, description="share of the time, the last of it")

    @model_validator(mode="after")
    def _check_shares(self) -> "ForecastingConfig":
        if self.validation + self.test >= 1:
            raise ValueError("data.validation and data.test leave no training series; together they must stay below 1")
        return self

    def measured(self, cache: Path) -> tuple[Measured, list[str], dict[str, str]]:
        """Return the series, what was done so far, in words, and the digests of the user's own files."""
        raise NotImplementedError

    def build(self, seed: int, cache: Path) -> WindowSource:
        """Read the series and cut it; it is the same for every seed."""
        series, notes, files = self.measured(cache)
        values = torch.from_numpy(series.values)
        parts = self._parts(len(values))
        train = values[: parts["train"][1]]
        for name, column in zip(series.names, train.T, strict=True):
            if (column == column[0]).all():
                raise InputError(f"data: '{name}' is {column[0]:g} all through the training series; nothing to learn")
        encoding = SeriesEncoding.fit(series.names, self.length, train, series.times)
        spec = forecasting_spec(
            series.names,
            self.length,
            self.horizon,
            self.period,
            tuple(encoding.mean),
            tuple(encoding.deviation),
            naive_error(train, self.period, series.names),
        )
        last = self.length + self.horizon - 1
        starts = {name: torch.arange(begin, max(end - last, begin)) for name, (begin, end) in parts.items()}
        notes = [
            *notes,
            f"{counted(len(values), 'step')} of {series.step}, from {series.first} to {series.last}, of "
            f"{counted(len(series.names), 'variable')}: {', '.join(series.names[:12])}",
            "split in the order of time: "
            + ", ".join(f"{name} steps {begin + 1:,} to {end:,}" for name, (begin, end) in parts.items() if end > begin)
            + f"; an example is {self.length} steps and the {self.horizon} after them, all within one split",
            f"standardised by mean and deviation of the training series; mase is over the error there of the naive "
            f"forecast, {counted(self.period, 'step')} before",
        ]
        return WindowSource(spec, values, starts, encoding, notes, files)

    def _parts(self, length: int) -> dict[str, tuple[int, int]]:
        """Return first step and end of each split.

        Raises:
            InputError: one is too short for a single example.
        """
        num_test, num_validation = round(self.test * length), round(self.validation * length)
        ends = (length - num_test - num_validation, length - num_test)
        parts: dict[str, tuple[int, int]] = {
            "train": (0, ends[0]),
            "validation": (ends[0], ends[1]),
            "test": (ends[1], length),
        }
        needed = self.length + self.horizon
        for name, (begin, end) in parts.items():
            if 0 < end - begin < needed or (name == "train" and end - begin < needed):
                raise InputError(
                    f"data.length: {self.length} steps and {self.horizon} ahead are {needed}, and the {name} series "
                    f"has {end - begin}; the most that fits is data.length={max(end - begin - self.horizon, 0)}"
                )
        return parts


def naive_error(train: Tensor, period: int, names: tuple[str, ...]) -> tuple[float, ...]:
    """Return the mean of |y_t - y_(t - period)| of each variable over the training series `[time, variables]`.

    Raises:
        InputError: the series is too short for its period, or repeats itself exactly.
    """
    if len(train) <= period:
        raise InputError(f"data.period: {period} steps, and the training series has only {len(train)}")
    errors = (train[period:] - train[:-period]).abs().mean(0).tolist()
    for name, error in zip(names, errors, strict=True):
        if error == 0:
            raise InputError(f"data.period: '{name}' is the same again every {period} steps; nothing to learn")
    return tuple(errors)
