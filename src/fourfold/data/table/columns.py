"""What each kind of column becomes: numbers, with statistics of the training split only.

| kind | becomes |
|---|---|
| number | the number, standardised; missing: the median, and a 0/1 column that says so |
| boolean | 0 or 1; missing: the commoner one, and a 0/1 column that says so |
| category | one 0/1 column a value; rare values share `(other)`, missing values have `(missing)` |
| date | days since 1970, standardised; sine and cosine of the year, the week and, with a time, the day |

A value that training never saw is `(other)` where there is such a column. Where training had no rare value there is
none, for its weight would never be trained, and an unseen value is zero in every column of its group.

Checked by: hand values; scikit-learn's OneHotEncoder, SimpleImputer and StandardScaler.
"""

import math
import re
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from fourfold.core.config import Config
from fourfold.data.table.reading import Texts

BOOLEANS = {"true": 1.0, "yes": 1.0, "y": 1.0, "t": 1.0, "false": 0.0, "no": 0.0, "n": 0.0, "f": 0.0}
GROUPED = re.compile(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?")
LARGEST = 1e100  # the variance of larger numbers is no longer finite
DateFormat = Literal["ISO8601", "%Y/%m/%d", "%Y.%m.%d", "%Y년 %m월 %d일", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%Y"]
DATE_FORMATS: dict[DateFormat, str] = {
    "%Y/%m/%d": "year/month/day",
    "%Y.%m.%d": "year.month.day",
    "%Y년 %m월 %d일": "년 월 일",
    "%d.%m.%Y": "day.month.year",
    "%m/%d/%Y": "month/day/year",
    "%d/%m/%Y": "day/month/year",
    "ISO8601": "year-month-day",  # last, for it reads some of the others too
}
CYCLES = {"year": 365.2425, "week": 7.0, "day": 1.0}  # in days


class ColumnBase(Config):
    """What all kinds of columns share."""

    name: str

    @property
    def outputs(self) -> tuple[str, ...]:
        """A name for each number that the column becomes."""
        raise NotImplementedError

    @property
    def scales(self) -> list[tuple[float, float]]:
        """Mean and deviation to standardise each of them with; 0 and 1 leave it alone."""
        raise NotImplementedError

    def values(self, texts: Texts) -> np.ndarray:
        """Return `[rows, outputs]` float64, before standardisation."""
        raise NotImplementedError

    def unreadable(self, texts: Texts) -> np.ndarray:
        """Return which rows hold a text that the column cannot mean, bool `[rows]`; such a text counts as missing."""
        return np.zeros(len(texts), dtype=bool)


class NumberColumn(ColumnBase):
    """A number; `median`, `mean` and `deviation` are in its own unit."""

    kind: Literal["number"] = "number"
    median: float
    mean: float
    deviation: float = Field(gt=0)
    indicator: bool = Field(description="some training value was missing")

    @property
    def outputs(self) -> tuple[str, ...]:
        """The number, and whether it was missing."""
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @property
    def scales(self) -> list[tuple[float, float]]:
        """The number is standardised."""
        return [(self.mean, self.deviation), (0.0, 1.0)][: len(self.outputs)]

    def values(self, texts: Texts) -> np.ndarray:
        """Return the numbers, medians where there is none."""
        numbers = parse_numbers(texts)
        return _with_indicator(numbers, self.median, self.indicator)

    def unreadable(self, texts: Texts) -> np.ndarray:
        """Return where a text is not a number."""
        return np.isnan(parse_numbers(texts)) & ~missing(texts)


class BooleanColumn(ColumnBase):
    """True or false."""

    kind: Literal["boolean"] = "boolean"
    fill: Literal[0, 1] = Field(description="what a missing value counts as")
    indicator: bool = Field(description="some training value was missing")

    @property
    def outputs(self) -> tuple[str, ...]:
        """0 or 1, and whether it was missing."""
        return (self.name, f"{self.name} is missing") if self.indicator else (self.name,)

    @property
    def scales(self) -> list[tuple[float, float]]:
        """0 and 1 stay as they are."""
        return [(0.0, 1.0)] * len(self.outputs)

    def values(self, texts: Texts) -> np.ndarray:
        """Return 0 or 1."""
        return _with_indicator(parse_booleans(texts), self.fill, self.indicator)

    def unreadable(self, texts: Texts) -> np.ndarray:
        """Return where a text is neither true nor false."""
        return np.isnan(parse_booleans(texts)) & ~missing(texts)


class CategoryColumn(ColumnBase):
    """One of a few texts."""

    kind: Literal["category"] = "category"
    categories: list[str] = Field(max_length=100_000)
    other: bool = Field(description="some training value was too rare for a column of its own")
    missing: bool = Field(description="some training value was missing")

    @property
    def outputs(self) -> tuple[str, ...]:
        """One a category, then other and missing."""
        named = [f"{self.name}={category}" for category in self.categories]
        extra = [f"{self.name}=(other)"] * self.other + [f"{self.name}=(missing)"] * self.missing
        return (*named, *extra)

    @property
    def scales(self) -> list[tuple[float, float]]:
        """0 and 1 stay as they are."""
        return [(0.0, 1.0)] * len(self.outputs)

    def values(self, texts: Texts) -> np.ndarray:
        """Return 0 and 1, at most a single 1 a row."""
        places = self._places(texts)
        known = np.flatnonzero(places >= 0)
        table = np.zeros((len(texts), len(self.outputs)))
        table[known, places[known]] = 1
        if self.other:
            table[self.unseen(texts), len(self.categories)] = 1
        if self.missing:
            table[missing(texts), -1] = 1
        return table

    def unseen(self, texts: Texts) -> np.ndarray:
        """Return where a text is none of the categories, bool `[rows]`."""
        return (self._places(texts) < 0) & ~missing(texts)

    def _places(self, texts: Texts) -> np.ndarray:
        """Return each text's position among the categories, -1 for none of them."""
        place = {category: i for i, category in enumerate(self.categories)}
        return np.array([place.get(text, -1) for text in texts], dtype=np.int64)


class DateColumn(ColumnBase):
    """A date, with or without a time; `median`, `mean` and `deviation` are in days since 1970."""

    kind: Literal["date"] = "date"
    format: DateFormat
    cycles: list[Literal["year", "week", "day"]]
    median: float
    mean: float
    deviation: float = Field(gt=0)
    indicator: bool = Field(description="some training value was missing")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Days, then two numbers a cycle, and whether it was missing."""
        turns = [f"{self.name} ({wave} of the {cycle})" for cycle in self.cycles for wave in ("sine", "cosine")]
        return (f"{self.name} (days)", *turns, *[f"{self.name} is missing"] * self.indicator)

    @property
    def scales(self) -> list[tuple[float, float]]:
        """The days are standardised."""
        return [(self.mean, self.deviation), *[(0.0, 1.0)] * (len(self.outputs) - 1)]

    def values(self, texts: Texts) -> np.ndarray:
        """Return days and cycles; the median date where there is none."""
        days = _with_indicator(parse_dates(texts, self.format), self.median, self.indicator)
        angles = [2 * math.pi * days[:, 0] / CYCLES[cycle] for cycle in self.cycles]
        waves = [wave(angle) for angle in angles for wave in (np.sin, np.cos)]
        return np.column_stack([days[:, 0], *waves, *days[:, 1:].T])

    def unreadable(self, texts: Texts) -> np.ndarray:
        """Return where a text is not a date of this format."""
        return np.isnan(parse_dates(texts, self.format)) & ~missing(texts)


Column = Annotated[NumberColumn | BooleanColumn | CategoryColumn | DateColumn, Field(discriminator="kind")]


def missing(texts: Texts) -> np.ndarray:
    """Return where there is no value, bool `[rows]`."""
    return np.array([text is None for text in texts], dtype=bool)


def parse_numbers(texts: Texts) -> np.ndarray:
    """Return float64 `[rows]`, NaN where a text is missing or not a number below `LARGEST`; `1,234.5` is one."""
    import pandas as pd

    numbers = np.array(pd.to_numeric(texts, errors="coerce"), dtype=np.float64)
    for row in np.flatnonzero(np.isnan(numbers)):
        if texts[row] is not None and GROUPED.fullmatch(texts[row]):
            numbers[row] = float(texts[row].replace(",", ""))
    numbers[~(np.abs(numbers) < LARGEST)] = np.nan
    return numbers


def parse_booleans(texts: Texts) -> np.ndarray:
    """Return float64 `[rows]`: 1, 0, or NaN where a text is missing or neither."""
    return np.array([BOOLEANS.get(text.lower(), np.nan) if text else np.nan for text in texts], dtype=np.float64)


def parse_dates(texts: Texts, date_format: str) -> np.ndarray:
    """Return days since 1970, float64 `[rows]`, NaN where a text is missing or not such a date."""
    import pandas as pd

    parsed: Any = pd.to_datetime(texts, format=date_format, errors="coerce", utc=True)
    return np.array((parsed - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(days=1), dtype=np.float64)


def _with_indicator(numbers: np.ndarray, fill: float, indicator: bool) -> np.ndarray:
    absent = np.isnan(numbers)
    filled = np.where(absent, fill, numbers)
    return np.column_stack([filled, absent]) if indicator else filled[:, None]
