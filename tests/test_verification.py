"""docs/verification.md: every system with an oracle is in it, and its counts are what is counted now."""

import re

import pytest
from verification import (
    DOCUMENT,
    KINDS,
    PAPERS,
    UNITS,
    committed,
    count_ours,
    count_torchvisions,
    difference,
)

COUNTS = {
    cells[0].strip("`"): cells[1:4]
    for line in re.findall(
        r"^\| `.*$", DOCUMENT.read_text(encoding="utf-8").partition("\n## Optimizers")[0], re.MULTILINE
    )
    if (cells := [cell.strip() for cell in line.strip("|").split("|")])
}


@pytest.mark.parametrize("kind", KINDS)
def test_every_system_is_in_the_table_and_was_measured(kind) -> None:
    assert {row.system for row in committed()[kind]} == set(KINDS[kind].names)
    assert all(any(row.differences.values()) for row in committed()[kind])


def test_every_network_has_its_number_of_parameters() -> None:
    for name, (_, _, ours) in COUNTS.items():
        counted = count_ours(name)
        assert ours == ("" if counted is None else f"{counted:,}"), name


@pytest.mark.slow
def test_every_network_has_torchvisions_number_of_parameters() -> None:
    for name, (_, theirs, ours) in COUNTS.items():
        counted = count_torchvisions(name)
        assert theirs == ("" if counted is None else f"{counted:,}"), name
        assert theirs in ("", ours), name


def test_the_digits_that_a_paper_gives_are_ours() -> None:
    for name, (digits, _) in PAPERS.items():
        number, _, letter = digits.replace(",", "").partition(" ")
        unit = (
            10.0 ** -len(number.partition(".")[2]) if "." in number else 10.0 ** (len(number) - len(number.rstrip("0")))
        )
        scale = UNITS[letter] if letter else 1
        assert abs((count_ours(name) or 0) / scale - float(number)) <= unit / 2, name


def test_differences_are_relative_to_the_largest_number() -> None:
    assert difference([[1.0, 200.0]], [[2.0, 100.0]]) == 1.0
    assert difference({"a": 1.0, "b": 0.0}, {"a": 1.0, "b": 1e-6}) == 1e-6
    with pytest.raises(AssertionError):
        difference([1.0, 2.0], 1.0)
