"""What is printed, on a terminal and in a file."""

import os
import sys

import pytest

from fourfold.cli import main
from fourfold.cli.output import hanging, print_finding
from fourfold.cli.summary import print_summary
from fourfold.tasks.figure import display_width

WORDS = "  · '면적 (㎡)' is a number; 20 missing count as the median 81.35, marked in a column of their own"


@pytest.fixture
def terminal(monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "40")


def test_a_long_line_hangs_below_its_words_on_a_terminal(terminal) -> None:
    lines = hanging(WORDS)
    assert len(lines) > 2
    assert max(map(display_width, lines)) <= 40  # a Hangul syllable takes two columns
    assert all(line.startswith("    ") for line in lines[1:])
    assert " ".join(line.strip() for line in lines) == WORDS.strip()


def test_a_word_longer_than_the_terminal_is_left_whole(terminal) -> None:
    assert hanging("  · " + 60 * "x") == ["  · " + 60 * "x"]


def test_in_a_file_a_line_stays_one() -> None:
    assert hanging(WORDS) == [WORDS]


def test_a_finding_is_yellow_to_its_last_line(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)  # the stream that capsys reads, and no earlier one
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    print_finding("the training split is not linearly separable, so that no step was the last")
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) > 1
    assert all(line.startswith("\x1b[33m") for line in lines)


def test_numbers_are_those_of_the_report(capsys) -> None:
    facts = {"run_id": "a-1", "folder": "runs/a-1", "status": "done", "metrics": {}, "steps": 7, "params": 9}
    print_summary({**facts, "seconds": 95.2, "examples_per_second": 1e30})
    assert "7 steps in 1 min 35 s, 1e+30 examples/s" in capsys.readouterr().err


def test_a_run_that_ended_before_anything_was_read_has_no_speed(capsys) -> None:
    facts = {"run_id": "a-1", "folder": "runs/a-1", "status": "interrupted", "metrics": {}, "steps": 7, "params": 9}
    print_summary({**facts, "seconds": 3.2, "examples_per_second": 0.0, "counts": "tokens"})
    assert "interrupted: 7 steps in 3.2 s, 9 parameters" in capsys.readouterr().err


def test_a_table_in_a_file_has_one_line_a_row(monkeypatch, capsys) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert main(["list", "recipes"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert any(line.startswith("diabetes-linear ") and line.rstrip().endswith("closed form") for line in shown)
    assert "COLUMNS" not in os.environ


def test_scores_are_an_answer_and_go_to_stdout(tmp_path, capsys) -> None:
    assert main(["run", "and-perceptron", "--workspace", str(tmp_path), "-q"]) == 0
    capsys.readouterr()
    assert main(["evaluate", "and-perceptron-1", "--workspace", str(tmp_path)]) == 0
    assert capsys.readouterr().out.startswith("metric")
    assert main(["evaluate", "and-perceptron-1", "--workspace", str(tmp_path), "--json"]) == 0
    assert capsys.readouterr().out.startswith("{")  # a program reads nothing else
