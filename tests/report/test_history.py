"""The figure of a history: oldest on top, and what was better than all before it in colour."""

from typing import Any

import pytest

from fourfold.report.history import draw_history
from fourfold.report.study_words import difference
from fourfold.study.history import Landmark
from fourfold.tasks.figure import BLUE, MUTED

YEARS = [Landmark(year, f"net{year}", "someone", {}) for year in (1958, 1986, 1998, 2012)]


def problem(means: list[float | None], higher: bool, metric: str) -> dict[str, Any]:
    arms = [
        {
            "name": each.name,
            "mean": mean,
            "low": None if mean is None else mean - 0.01,
            "high": None if mean is None else mean + 0.01,
            "cells": [{"score": mean}],
        }
        for each, mean in zip(YEARS, means, strict=True)
    ]
    return {"metric": metric, "higher_is_better": higher, "arms": arms}


@pytest.mark.parametrize(
    ("means", "higher", "metric", "blue"),
    [
        ([0.7, 0.9, 0.8, 0.95], True, "test.accuracy", [1958, 1986, 2012]),
        ([0.7, 0.9, 0.8, 0.6], False, "test.rmse", [1958, 2012]),
        ([None, 0.9, 0.9, None], True, "test.accuracy", [1986]),
    ],
)
def test_oldest_on_top_and_records_in_colour(means, higher, metric, blue) -> None:
    drawn = draw_history(problem(means, higher, metric), YEARS)
    assert drawn is not None
    (axes,) = drawn.figure.axes
    known = [(each.year, mean) for each, mean in zip(YEARS, means, strict=True) if mean is not None]
    texts = [text.get_text() for text in axes.texts if "net" in text.get_text()]
    assert texts == [f"{year} net{year}" for year, _ in known]
    dots = [line for line in axes.lines if line.get_markersize() == 6.5]
    assert [line.get_ydata()[0] for line in dots] == [-place for place in range(len(known))]
    factor = 100 if metric == "test.accuracy" else 1
    assert [line.get_xdata()[0] for line in dots] == pytest.approx([factor * mean for _, mean in known])
    assert [line.get_color() for line in dots] == [BLUE if year in blue else MUTED for year, _ in known]


def test_an_interval_of_a_share_ends_where_shares_do() -> None:
    wide = problem([0.995, 0.5, 0.005, 0.9], True, "test.accuracy")
    drawn = draw_history(wide, YEARS)
    assert drawn is not None
    ends = [list(line.get_xdata()) for line in drawn.figure.axes[0].lines if len(line.get_xdata()) == 2]
    assert ends == [pytest.approx(pair) for pair in ([98.5, 100], [49, 51], [0, 1.5], [89, 91])]


def test_without_a_score_there_is_no_figure() -> None:
    assert draw_history(problem([None] * 4, True, "test.accuracy"), YEARS) is None


def test_a_difference_that_rounding_makes_is_none() -> None:
    row = {"difference": -5.55e-17, "low": -0.01, "high": 0.01}
    assert difference("accuracy", row) == "+0 [−1, +1] points"
    assert difference("loss", row).startswith("−5.55e−17")
