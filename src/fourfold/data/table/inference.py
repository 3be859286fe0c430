"""What kind each column of a table is, decided from the training rows alone, with a line of explanation each."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch

from fourfold.data.encoding import statistics
from fourfold.data.table.columns import (
    BOOLEANS,
    DATE_FORMATS,
    BooleanColumn,
    CategoryColumn,
    Column,
    DateColumn,
    DateFormat,
    NumberColumn,
    missing,
    parse_booleans,
    parse_dates,
    parse_numbers,
)
from fourfold.data.table.reading import Texts

MOSTLY = 0.95  # share of a column's values that must read as a number or date; the few others count as missing
ID_NAME = re.compile(
    r"(?i:(^|[\s_.-])(id|idx|index|uuid|guid|key|no)$|^(unnamed|column \d))|[a-z]I[dD]$|(번호|아이디)$"
)
CODE = re.compile(r"0\d+")  # 007 is a code, not a number
PROBE = 100  # values that decide whether a date format is worth trying on all
MANY = 10  # a text column with more different values than this, and more than half of its rows different, is dropped


@dataclass(frozen=True)
class Rules:
    """How the user wants columns read.

    Attributes:
        categorical: columns whose values are names even where they look like numbers.
        keep: columns to use even where they look like identifiers.
        min_count: training rows that a category needs for a column of its own.
        max_categories: columns of their own at most, the commonest first.
    """

    categorical: frozenset[str]
    keep: frozenset[str]
    min_count: int
    max_categories: int


@dataclass(frozen=True)
class _Training:
    """A column's training values: those present, their rows' numbers, how many are missing, the different ones."""

    name: str
    present: Texts
    rows: np.ndarray
    gaps: int
    distinct: set[str]


def infer(name: str, texts: Texts, rows: np.ndarray, rules: Rules, says_nothing: bool) -> tuple[Column | None, str]:
    """Decide what a column is.

    Args:
        name: of the column.
        texts: its training values.
        rows: their rows' numbers, for messages.
        rules: the user's wishes.
        says_nothing: the whole column only counts or names its rows (see `names_rows`).

    Returns:
        The fitted column, or None to leave it out; and one line that says what was decided and why.
    """
    has = ~missing(texts)
    present = texts[has]
    training = _Training(name, present, rows[has], len(texts) - len(present), set(present))
    forced = name in rules.keep
    if len(present) == 0:
        return None, f"'{name}' left out: no values in the training rows"
    if len(training.distinct) == 1 and training.gaps == 0:
        return None, f"'{name}' left out: '{_short(present[0])}' in every training row"
    if says_nothing and not forced:
        return None, f"'{name}' left out: it counts or names the rows (data.keep uses it)"
    if name in rules.categorical:
        return _category(training, rules, "as data.categorical says")
    for kind in (_boolean, _number, _date):
        column, line = kind(training)
        if column is not None:
            return column, line
    distinct = len(training.distinct)
    if distinct > MANY and distinct > len(present) / 2 and not forced:
        words = sum(len(text.split()) for text in present) / len(present)
        what = "free text" if words >= 4 else "names or identifiers"
        return None, f"'{name}' left out: {what}, {distinct:,} different values in {len(present):,} rows"
    return _category(training, rules, "text")


def _boolean(training: _Training) -> tuple[Column | None, str]:
    if any(text.lower() not in BOOLEANS for text in training.distinct):
        return None, ""
    mostly_true = bool(parse_booleans(training.present).mean() > 0.5)
    line = f"'{training.name}' is true or false" + _filled(training.gaps, "true" if mostly_true else "false")
    return BooleanColumn(name=training.name, fill=1 if mostly_true else 0, indicator=training.gaps > 0), line


def _number(training: _Training) -> tuple[Column | None, str]:
    numbers = parse_numbers(training.present)
    bad = np.isnan(numbers)
    if bad.mean() > 1 - MOSTLY or any(CODE.fullmatch(text) for text in training.distinct if text[0] == "0"):
        return None, ""
    gaps = training.gaps + int(bad.sum())
    median = float(np.median(numbers[~bad]))
    mean, deviation = _statistics(np.append(numbers[~bad], np.full(gaps, median)))
    column = NumberColumn(name=training.name, median=median, mean=mean, deviation=deviation, indicator=gaps > 0)
    return column, f"'{training.name}' is a number" + _filled(gaps, f"the median {median:g}") + _strays(training, bad)


def _date(training: _Training) -> tuple[Column | None, str]:
    readable: dict[DateFormat, np.ndarray] = {}
    for date_format in DATE_FORMATS:
        if np.isnan(parse_dates(training.present[:PROBE], date_format)).mean() <= 0.5:  # spare long texts six parses
            days = parse_dates(training.present, date_format)
            if np.isnan(days).mean() <= 1 - MOSTLY:
                readable[date_format] = days
    if not readable:
        return None, ""
    date_format = min(readable, key=lambda f: int(np.isnan(readable[f]).sum()))
    days = readable[date_format]
    bad = np.isnan(days)
    gaps = training.gaps + int(bad.sum())
    median = float(np.median(days[~bad]))
    mean, deviation = _statistics(np.append(days[~bad], np.full(gaps, median)))
    column = DateColumn(
        name=training.name,
        format=date_format,
        cycles=["year", "week", "day"] if (days[~bad] % 1 != 0).any() else ["year", "week"],
        median=median,
        mean=mean,
        deviation=deviation,
        indicator=gaps > 0,
    )
    both = {"%m/%d/%Y", "%d/%m/%Y"} <= set(readable)
    doubt = " (day and month could be the other way round)" if both else ""
    line = f"'{training.name}' is a date, {DATE_FORMATS[date_format]}{doubt}" + _filled(gaps, "the median date")
    return column, line + _strays(training, bad)


def _category(training: _Training, rules: Rules, why: str) -> tuple[Column | None, str]:
    counts = Counter(training.present.tolist())
    common = sorted((v for v, n in counts.items() if n >= rules.min_count), key=lambda v: (-counts[v], v))
    kept = sorted(common[: rules.max_categories])
    rare, gaps = len(counts) - len(kept), training.gaps
    if not kept:
        return None, f"'{training.name}' left out: no value occurs {rules.min_count} times in the training rows"
    column = CategoryColumn(name=training.name, categories=kept, other=rare > 0, missing=gaps > 0)
    line = f"'{training.name}' is a category of {len(kept)} values ({why})"
    line += f"; rare values ({rare:,}) share '(other)'" if rare else ""
    return column, line + (f"; {gaps:,} missing are '(missing)'" if gaps else "")


def names_rows(name: str, texts: Texts) -> bool:
    """Return whether a whole column says nothing but which row it is in.

    That is so where it counts 0, 1, 2, … or 1, 2, 3, …, or is called like an identifier and differs in every row.
    """
    if len(texts) < 3 or texts[0] is None:
        return False
    if texts[0] in ("0", "1") and all(text == str(i) for i, text in enumerate(texts, start=int(texts[0]))):
        return True
    return bool(ID_NAME.search(name)) and None not in set(texts) and len(set(texts)) == len(texts)


def _statistics(values: np.ndarray) -> tuple[float, float]:
    mean, deviation = statistics(torch.from_numpy(values)[:, None])
    return mean[0], deviation[0]


def _filled(gaps: int, fill: str) -> str:
    return f"; {gaps:,} missing count as {fill}, marked in a column of their own" if gaps else ""


def _strays(training: _Training, bad: np.ndarray) -> str:
    """Say which values could not be read, the first few with their rows."""
    texts, rows = training.present[bad], training.rows[bad]
    if len(texts) == 0:
        return ""
    listed = ", ".join(f"'{_short(text)}' in row {row}" for text, row in zip(texts[:3], rows[:3], strict=True))
    more = f" and {len(texts) - 3:,} more" if len(texts) > 3 else ""
    return f"; not readable, so missing: {listed}{more}"


def _short(text: str) -> str:
    return text if len(text) <= 30 else text[:29] + "…"
