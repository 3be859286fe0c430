"""What is printed, on a terminal and in a file."""

import os
import sys

import pytest

from fourfold.cli import main
from fourfold.cli.output import hanging
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
