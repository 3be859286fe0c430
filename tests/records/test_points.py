"""Points on disk: what is read back is what was written, wherever the file was cut."""

import math
import os
from pathlib import Path

import pytest

from fourfold.core.errors import InputError
from fourfold.records.points import Point, append_points, keep_points_to, open_for_append, read_points

POINTS = [
    Point(0, "train.loss", 2.5, 1.0),
    Point(10, "검증.정확도", 0.1 + 0.2, 2.0),
    Point(20, "train.loss", math.inf, 3.25),
]


def write(path: Path, points: list[Point]) -> None:
    descriptor = open_for_append(path)
    append_points(descriptor, points)
    os.close(descriptor)


def test_round_trip(tmp_path: Path):
    write(tmp_path / "m.jsonl", POINTS[:1])
    write(tmp_path / "m.jsonl", POINTS[1:])
    assert list(read_points(tmp_path / "m.jsonl")) == POINTS
    assert list(read_points(tmp_path / "absent.jsonl")) == []


def test_a_file_cut_at_any_byte_loses_only_the_unfinished_line(tmp_path: Path):
    write(tmp_path / "whole", POINTS)
    data = (tmp_path / "whole").read_bytes()
    for cut in range(len(data) + 1):
        path = tmp_path / "cut"
        path.write_bytes(data[:cut])
        write(path, [])
        assert path.read_bytes() == data[: data.rfind(b"\n", 0, cut) + 1]
        path.write_bytes(data[:cut])
        complete = POINTS[: data[:cut].count(b"\n")]
        assert list(read_points(path)) == complete
        write(path, POINTS[2:])  # the writer comes back
        assert list(read_points(path)) == complete + POINTS[2:]


def test_points_after_a_step_are_forgotten(tmp_path: Path):
    path = tmp_path / "m.jsonl"
    write(path, POINTS)
    keep_points_to(path, 10)
    assert list(read_points(path)) == POINTS[:2]
    keep_points_to(tmp_path / "absent", 10)
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize(
    "line",
    [
        b"garbage\n",
        b'{"step": 1.5, "name": "a", "value": 1, "time": 1}\n',
        b'{"step": true, "name": "a", "value": 1, "time": 1}\n',
        b'{"step": 1, "name": 3, "value": 1, "time": 1}\n',
        b'{"step": 1, "name": "a", "value": "x", "time": 1}\n',
        b'{"step": 1, "name": "a", "value": NaN, "time": 1}\n',
        b'{"step": 1}\n',
        b"[]\n",
        b"\n",
        b"x" * 5000 + b"\n",
    ],
)
def test_damage_in_the_middle_is_named_by_line(tmp_path: Path, line: bytes):
    path = tmp_path / "m.jsonl"
    write(path, POINTS[:1])
    with open(path, "ab") as file:
        file.write(line)
    write(path, POINTS[1:])
    with pytest.raises(InputError, match=r"m\.jsonl: line 2: damaged") as caught:
        list(read_points(path))
    assert "\n" not in str(caught.value)


def test_points_of_other_names_are_left_out(tmp_path: Path):
    path = tmp_path / "m.jsonl"
    write(path, POINTS)
    for name in {point.name for point in POINTS}:
        assert list(read_points(path, [name])) == [point for point in POINTS if point.name == name]
    assert list(read_points(path, [])) == []
    assert list(read_points(path, [POINTS[0].name[:-1]])) == []  # part of a name is none
