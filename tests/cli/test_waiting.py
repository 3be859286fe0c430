"""The lines of what takes minutes, where stderr is a file, and the bar where it is a terminal."""

import sys

import pytest

from fourfold.cli import waiting as module
from fourfold.cli.waiting import waiting


@pytest.fixture
def clock(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


def tell(clock, heard, *done: int, every: float = 4.0) -> None:
    for each in done:
        clock[0] += every
        heard(each)


def test_a_file_has_a_line_now_and_then_and_none_of_what_is_short(clock, capsys) -> None:
    with waiting("points", 1200) as heard:
        tell(clock, heard, 100, 200)
        assert capsys.readouterr().err == ""
        tell(clock, heard, 300, 400, 500, 600)
        tell(clock, heard, 1200, every=10)
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "  points: 300 of 1,200 · about 36 s left",
        "  points: 600 of 1,200 · about 24 s left",
        "  points: 1,200 of 1,200",
    ]


def test_what_nobody_knew_before_is_told_later_or_never(clock, capsys) -> None:
    with waiting("gradients", None) as heard:
        tell(clock, heard, 7, every=10)
    with waiting("the probe", None) as heard:
        clock[0] += 10
        heard(5, 20)
    said = capsys.readouterr().err.splitlines()
    assert said == ["  gradients: 7 so far", "  the probe: 5 of 20 · about 30 s left"]


@pytest.mark.parametrize("total", [20, None])
def test_a_terminal_has_a_bar(total, capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    with waiting("points", total) as heard:
        heard(5, 20)
    drawn = capsys.readouterr()
    assert "points" in drawn.err
    assert "5/20" in drawn.err
    assert drawn.out == ""
