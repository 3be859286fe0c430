"""Times read from texts, and their regular step: what is measured every hour, every seven days, every month or year.

A step that is missing between two others leaves a gap, which is counted; a time that lies between two steps, twice or
out of order is an error that names its row. The times that follow the last are written as it is, where its form is one
of `FORMS`, else as ISO 8601 has them.

Checked by: hours, days, weeks, months, quarters, years and plain numbers, with gaps and with each kind of fault; the
next times of each kind by hand.
"""

import calendar
import datetime
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.table.reading import Texts

TOLERANCE = 1e-6  # of a step, where times are numbers with fractions
FORMS = (
    "%Y-%m-%d",
    "%Y-%m",
    "%Y%m%d",
    *(f"%Y-%m-%d{between}{clock}" for between in " T" for clock in ("%H:%M", "%H:%M:%S")),
)
UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


class Timeline(NamedTuple):
    """Where each row stands among regular steps."""

    places: np.ndarray  # int64 [rows], ascending, the first is 0
    step: str  # "1 month", "7 days", "0.25"
    first: str  # the first time as it was written
    last: str
    size: float = 1.0  # of a step: seconds, months (a whole number of them), or what plain numbers count
    unit: Literal["", "second", "month", "month's end"] = ""  # "": times are plain numbers

    @property
    def length(self) -> int:
        """Steps from the first row to the last, gaps included."""
        return int(self.places[-1]) + 1

    def since(self, place: int) -> "Timeline":
        """Return the line of the rows from a place on; it begins there, whether or not a row does."""
        return self._replace(places=self.places[self.places >= place] - place, first=self.time(place))

    def time(self, place: int) -> str:
        """Return the time of any place, of a gap or after the last row too, written as the last row's is.

        Raises:
            InputError: it is beyond the year 9999.
        """
        steps = place - int(self.places[-1])
        if steps == 0:
            return self.last
        if not self.unit:
            if re.fullmatch(r"[-+]?\d+", self.last) and self.size.is_integer():
                return str(int(self.last) + steps * int(self.size))
            exact = format(Decimal(self.last) + steps * Decimal(f"{self.size:.12g}"), "f")
            return exact.rstrip("0").rstrip(".") if "." in exact else exact
        try:
            return self._date(steps)
        except (OverflowError, ValueError):
            raise InputError(f"{counted(steps, 'step')} of {self.step} after {self.last} is no date any more") from None

    def _date(self, steps: int) -> str:
        date = _as_date(self.last, self.last)
        if self.unit == "second":
            return _written_as(self.last, date + datetime.timedelta(seconds=steps * self.size))
        year, month = divmod(12 * date.year + date.month - 1 + steps * int(self.size), 12)
        end = calendar.monthrange(year, month + 1)[1]
        day = end if self.unit == "month's end" else min(date.day, end)
        return _written_as(self.last, date.replace(year=year, month=month + 1, day=day))


def read_timeline(path: Path, column: str, times: Texts, rows: np.ndarray) -> Timeline:
    """Return where the rows of a file stand in time.

    Args:
        path: for messages.
        column: the times' column, for messages.
        times: as written.
        rows: each row's number, as a person counts.

    Raises:
        InputError: a time is missing, cannot be read, comes twice, is out of order, or lies between two steps.
    """
    missing = [row for row, text in zip(rows, times, strict=True) if text is None]
    if missing:
        raise InputError(f"{path}: row {missing[0]}, column '{column}': no time")
    if len(times) < 3:
        raise InputError(f"{path}: {counted(len(times), 'row')}; a regular step shows in three or more")
    numbers = _as_numbers(list(times))
    if numbers is not None:
        counts, unit = numbers, ""
    else:
        dates = [_as_date(text, f"{path}: row {row}, column '{column}'") for row, text in zip(rows, times, strict=True)]
        counts, unit = _counted(dates)
    differences = np.diff(counts)
    wrong = np.flatnonzero(differences <= 0)
    if len(wrong):
        at = wrong[0] + 1
        how = "is the same as" if differences[at - 1] == 0 else "lies before"
        raise InputError(
            f"{path}: row {rows[at]}, column '{column}': {times[at]} {how} the row above; "
            "times must ascend (columns of a series stand side by side, not below each other)"
        )
    step = Counter(differences.tolist()).most_common(1)[0][0]
    steps = differences / step
    whole = np.rint(steps)
    between = np.flatnonzero((np.abs(steps - whole) > TOLERANCE) | (whole < 1))
    if len(between):
        at = between[0] + 1
        raise InputError(
            f"{path}: row {rows[at]}, column '{column}': {times[at]} is no multiple of {_in_words(step, unit)} "
            f"after {times[at - 1]}, which is the usual step; bring the series to a regular step first"
        )
    places = np.concatenate([[0], np.cumsum(whole.astype(np.int64))])
    return Timeline(places, _in_words(step, unit), str(times[0]), str(times[-1]), float(step), unit)


def _as_numbers(texts: list[str]) -> np.ndarray | None:
    """Return times that are numbers, such as years, or None; eight digits are a date without dashes."""
    if all(re.fullmatch(r"(1[5-9]|20)\d\d(0\d|1[0-2])[0-3]\d", text) for text in texts):
        return None
    try:
        numbers = np.array([float(text) for text in texts])
    except ValueError:
        return None
    return numbers if np.isfinite(numbers).all() else None


def _as_date(text: str, at: str) -> datetime.datetime:
    """Return a time without a zone; one that has a zone is told in UTC."""
    date = _parsed(text, at)
    return date.astimezone(datetime.UTC).replace(tzinfo=None) if date.tzinfo else date


def _parsed(text: str, at: str) -> datetime.datetime:
    plain = text.replace("/", "-")
    if re.fullmatch(r"\d{4}-\d{1,2}", plain):
        plain += "-01"
    parts = re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(.*)", plain)
    if parts:
        year, month, day, rest = parts.groups()
        plain = f"{year}-{int(month):02}-{int(day):02}{rest}"
    try:
        return datetime.datetime.fromisoformat(plain)
    except ValueError:
        raise InputError(
            f"{at}: {text!r} is no time that can be read; write it as 2010-01-31 or 2010-01-31 13:00"
        ) from None


def _written_as(like: str, date: datetime.datetime) -> str:
    """Return a time, without a zone as `_as_date` gives it, in the form and the zone of the text `like`."""
    given, plain = _parsed(like, like), like.replace("/", "-")
    if given.tzinfo:
        date = date.replace(tzinfo=datetime.UTC).astimezone(given.tzinfo)
    for form in FORMS:
        text = date.strftime(form)
        if given.strftime(form) == plain and datetime.datetime.strptime(text, form) == date:
            break
    else:
        text = date.isoformat(sep="T" if "T" in like else " ").removesuffix(" 00:00:00" if ":" not in like else "")
    return text.replace("-", "/") if "/" in like else text


def _counted(dates: list[datetime.datetime]) -> tuple[np.ndarray, Literal["second", "month", "month's end"]]:
    """Return dates as months, where all stand on one day of theirs, or else as seconds, and which."""
    one_day = len({(date.day, date.time()) for date in dates}) == 1
    last_day = all(date.day == calendar.monthrange(date.year, date.month)[1] for date in dates)
    months = np.array([12.0 * date.year + date.month for date in dates])
    if (one_day or last_day) and len(set(months.tolist())) == len(dates):
        return months, "month's end" if last_day else "month"
    start = dates[0]
    return np.array([(date - start).total_seconds() for date in dates]), "second"


def _in_words(step: float, unit: str) -> str:
    if not unit:
        return f"{step:g}"
    if unit != "second":
        years = step / 12
        return counted(int(years), "year") if years.is_integer() else counted(int(step), "month")
    for seconds, name in UNITS:
        if step % seconds == 0:
            return counted(int(step // seconds), name)
    return f"{step:g} seconds"
