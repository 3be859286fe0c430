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
