from pathlib import Path

import numpy as np
import pytest

from fourfold.core.errors import InputError
from fourfold.data.series.timeline import read_timeline
from fourfold.data.table.reading import as_texts


def line(*times):
    return read_timeline(Path("a.csv"), "when", as_texts(list(times)), np.arange(2, 2 + len(times)))


@pytest.mark.parametrize(
    ("times", "places", "step"),
    [
        (("1700", "1701", "1702"), [0, 1, 2], "1"),
        (("0.5", "0.75", "1.0", "1.5"), [0, 1, 2, 4], "0.25"),
        (("2020-01-01", "2020-01-02", "2020-01-04", "2020-01-05"), [0, 1, 3, 4], "1 day"),
        (("20200101", "20200108", "20200115"), [0, 1, 2], "7 days"),
        (("2010/01/01 22:00", "2010/01/01 23:00", "2010/01/02 00:00"), [0, 1, 2], "1 hour"),
        (("2010-01-01T00:00", "2010-01-01T00:15", "2010-01-01T00:45", "2010-01-01T01:00"), [0, 1, 3, 4], "15 minutes"),
        (("2020-01", "2020-02", "2020-03", "2020-05"), [0, 1, 2, 4], "1 month"),
        (("2020-01-31", "2020-02-29", "2020-03-31"), [0, 1, 2], "1 month"),
        (("2020-1-1", "2020-4-1", "2020-7-1"), [0, 1, 2], "3 months"),
        (("2019-06-30", "2020-06-30", "2021-06-30"), [0, 1, 2], "1 year"),
        (("2020-03-08T23:00-05:00", "2020-03-09T00:00-05:00", "2020-03-09T06:00+00:00"), [0, 1, 2], "1 hour"),
    ],
)
def test_the_regular_step_is_found(times, places, step) -> None:
    found = line(*times)
    assert found.places.tolist() == places
    assert found.step == step
    assert found.length == places[-1] + 1
    assert (found.first, found.last) == (times[0], times[-1])


@pytest.mark.parametrize(
    ("times", "coming"),
    [
        (("1700", "1701", "1702"), ["1703", "1704"]),
        (("0.5", "0.75", "1.0"), ["1.25", "1.5"]),
        (("2024-02-26", "2024-02-27", "2024-02-28"), ["2024-02-29", "2024-03-01"]),
        (("20231211", "20231218", "20231225"), ["20240101", "20240108"]),
        (("2010/12/31 21:00", "2010/12/31 22:00", "2010/12/31 23:00"), ["2011/01/01 00:00", "2011/01/01 01:00"]),
        (("2010-01-01T00:00:00", "2010-01-01T00:15:00", "2010-01-01T00:30:00"), ["2010-01-01T00:45:00"]),
        (("2020-10", "2020-11", "2020-12"), ["2021-01", "2021-02"]),
        (("2020-11-30", "2020-12-31", "2021-01-31"), ["2021-02-28", "2021-03-31"]),
        (("2020-11-30", "2020-12-30", "2021-01-30"), ["2021-02-28", "2021-03-30"]),
        (("2019-7-1", "2019-10-1", "2020-1-1"), ["2020-04-01", "2020-07-01"]),
        (("2020-03-08T22:00+09:00", "2020-03-08T23:00+09:00", "2020-03-09T00:00+09:00"), ["2020-03-09T01:00:00+09:00"]),
        (("2024-01-01T00:00+09:00", "2024-02-01T00:00+09:00", "2024-03-01T00:00+09:00"), ["2024-04-01T00:00:00+09:00"]),
        (("2020-01-01 00:00", "2020-01-01 12:00", "2020-01-02"), ["2020-01-02 12:00:00", "2020-01-03"]),
    ],
)
def test_the_times_that_follow_are_written_as_the_last(times, coming) -> None:
    found = line(*times)
    assert [found.time(found.length + i) for i in range(len(coming))] == coming
    assert found.time(found.length - 1) == times[-1]


@pytest.mark.parametrize(
    ("times", "coming"),
    [
        (("1700000000.123", "1700000001.123", "1700000002.123"), "1700000003.123"),
        (("1700000000123.0", "1700000001123.0", "1700000002123.0"), "1700000003123"),
        (("0.25", "0.5", "0.75"), "1"),
    ],
)
def test_no_digit_of_a_number_is_lost(times, coming) -> None:
    assert line(*times).time(3) == coming


@pytest.mark.parametrize(
    "times", [("9997-01-01", "9998-01-01", "9999-01-01"), ("9999-12-29", "9999-12-30", "9999-12-31")]
)
def test_there_is_no_date_after_the_year_9999(times) -> None:
    with pytest.raises(InputError, match=f"1 step of .* after {times[-1]} is no date any more"):
        line(*times).time(3)


def test_a_gap_has_a_time_and_a_line_can_begin_in_it() -> None:
    found = line("2020-01-01", "2020-01-02", "2020-01-05", "2020-01-06").since(3)
    assert (found.first, found.places.tolist(), found.length) == ("2020-01-04", [1, 2], 3)
    assert found.time(3) == "2020-01-07"


@pytest.mark.parametrize(
    ("times", "says"),
    [
        (("1", "2", "2", "3"), "row 4, column 'when': 2 is the same as the row above"),
        (("1", "2", "3", "2"), "row 5, column 'when': 2 lies before the row above"),
        (("1", "2", "3", "4.5", "5"), "row 5, column 'when': 4.5 is no multiple of 1 after 3"),
        (("2020-01-01", "2020-01-02", "2020-01-03T01:00"), "2020-01-03T01:00 is no multiple of 1 day after 2020-01-02"),
        (("1", None, "3"), "row 3, column 'when': no time"),
        (("yesterday", "today", "now"), "row 2, column 'when': 'yesterday' is no time that can be read"),
        (("1", "2"), "2 rows; a regular step shows in three or more"),
    ],
)
def test_an_irregular_time_is_named_by_its_row(times, says) -> None:
    with pytest.raises(InputError, match=says):
        line(*times)
