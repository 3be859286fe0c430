"""`data: series`: a user's own file."""

import json

import numpy as np
import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data import DATA
from fourfold.data.encoding import encoding_from_mapping
from fourfold.data.table.reading import read_table


def write(tmp_path, lines) -> str:
    path = tmp_path / "방문자.csv"
    path.write_text("\n".join(["day,visitors,rain", *lines]) + "\n", encoding="utf-8")
    return str(path)


def days(count: int) -> list[str]:
    return [f"{np.datetime64('2024-01-01') + i},{100 + i % 7 + i / 10},{i % 5}" for i in range(count)]


def build(path, **fields):
    return DATA.parse({"name": "series", "path": path, "time": "day", "length": 7, **fields}, "data").build(0, None)


def test_a_file_becomes_examples(tmp_path) -> None:
    source = build(write(tmp_path, days(60)))
    assert source.spec.names == ("visitors", "rain")
    assert source.sizes == {"train": 35, "validation": 2, "test": 2}
    assert source.raw("train", [0])[0, 0].tolist() == [100, 0]
    assert len(source.files) == 1
    assert any("60 steps of 1 day, from 2024-01-01 to 2024-02-29" in note for note in source.notes)
    only = build(write(tmp_path, days(60)), columns=["rain"])
    assert only.spec.names == ("rain",)


def test_rows_can_be_steps(tmp_path) -> None:
    lines = [line.replace("2024-01-", "day ") for line in days(30)] + [""]
    source = build(write(tmp_path, lines), time=None, columns=["rain"], length=2)
    assert any("rows were taken to be regular steps" in note for note in source.notes)


def test_missing_values_are_reported_or_filled(tmp_path) -> None:
    lines = days(60)
    lines[20] = lines[20].rsplit(",", 1)[0] + ","  # no rain known
    del lines[30]  # and a day is missing
    path = write(tmp_path, lines)
    with pytest.raises(
        InputError, match=r"3 values missing, the first of 'rain' 20 steps \(1 day each\) after 2024-01-01"
    ):
        build(path)
    source = build(path, missing="last")
    assert source.raw("train", [18])[0, 2].tolist() == [100 + 20 % 7 + 2, 19 % 5]
    assert source.raw("train", [25])[0, 5].tolist() == source.raw("train", [25])[0, 4].tolist()
    assert any(note.endswith("visitors: 1, rain: 2") for note in source.notes)


def test_what_comes_before_the_first_full_row_is_left_out(tmp_path) -> None:
    lines = days(60)
    lines[0] = "2024-01-01,,3"
    source = build(write(tmp_path, lines), missing="last")
    assert source.raw("train", [0])[0, 0].tolist() == [101.1, 1]
    assert any("the first 1 step left out" in note for note in source.notes)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"time": "dya"}, r"data\.time: .*has no column 'dya'; did you mean 'day'"),
        ({"columns": ["rian"]}, r"data\.columns: .*has no column 'rian'; did you mean 'rain'"),
        ({"columns": ["day"]}, r"data\.columns: each column once, and not that of times"),
        ({"columns": ["rain", "rain"]}, r"data\.columns: each column once"),
        (
            {"time": None},
            "row 2, column 'day': '2024-01-01' is not a finite number; if it is a time, say so: data.time=day",
        ),
        ({"path": ""}, r"data\.path: name your file"),
        ({"path": "nowhere.csv"}, "nowhere.csv: no such file"),
    ],
)
def test_what_does_not_fit_the_file_is_refused(fields, says, tmp_path) -> None:
    with pytest.raises(InputError, match=says):
        build(**{"path": write(tmp_path, days(60)), **fields})


def test_new_examples_are_encoded_as_the_training_ones(tmp_path) -> None:
    path = write(tmp_path, days(60))
    source = build(path)
    encoding = encoding_from_mapping(json.loads(json.dumps(source.encoding.to_mapping())))
    raw = source.raw("test", [0, 1])
    (expected,) = next(iter(source.split("test", 2))).inputs
    torch.testing.assert_close(encoding.encode_rows(raw.tolist()).inputs[0], expected)
    end = encoding.encode_table(read_table(source_path(path)))
    torch.testing.assert_close(end.inputs[0][0, -2], expected[1, -1])  # the last two steps of the file
    assert end.inputs[0].shape == (1, 7, 2)
    assert end.notes[-1].endswith("forecast from its last 7 steps of 1 day, to 2024-02-29")
    assert end.timeline is not None
    assert end.timeline.time(60) == "2024-03-01"


def source_path(path):
    from pathlib import Path

    return Path(path)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ([[[1, 2]] * 6], "row 1: 6 steps where a list of 7 steps is needed, of visitors, rain"),
        (["abc"], "row 1: 'abc' where a list of 7 steps is needed"),
        ([[[1, 2]] * 7, [[1]] * 7], "row 2: step 1: expected a number each for visitors, rain"),
        ([[[1, 2]] * 6 + [[1, "x"]]], "row 1, step 7, 'rain': 'x' is not a finite number"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows, says, tmp_path) -> None:
    with pytest.raises(InputError, match=says):
        build(write(tmp_path, days(60))).encoding.encode_rows(rows)


def test_a_file_that_is_too_short_to_forecast_from_is_refused(tmp_path) -> None:
    source = build(write(tmp_path, days(60)))
    with pytest.raises(InputError, match="5 steps; the model needs the last 7"):
        source.encoding.encode_table(read_table(source_path(write(tmp_path, days(5)))))
    (tmp_path / "other.csv").write_text("visitors\n" + "1\n" * 9, encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.csv: missing: rain"):
        source.encoding.encode_table(read_table(tmp_path / "other.csv"))


def test_a_record_from_before_times_were_recorded_takes_rows_as_steps(tmp_path) -> None:
    path = write(tmp_path, days(60))
    recorded = build(path).encoding.to_mapping()
    assert recorded.pop("times") == {"column": "day", "step": "1 day", "missing": "refuse"}
    encoding = encoding_from_mapping(recorded)
    found = encoding.encode_table(read_table(source_path(path)))
    assert found.timeline is None
    assert "forecast from its last 7 rows; they were taken to be in order of time" in found.notes[-1]
    assert build(path, time=None, columns=["rain"]).encoding.times is None
    with pytest.raises(InputError, match="5 rows; the model needs the last 7"):
        encoding.encode_table(read_table(source_path(write(tmp_path, days(5)))))


def test_what_is_missing_before_a_forecast_is_treated_as_in_training(tmp_path) -> None:
    refuses = build(write(tmp_path, days(60))).encoding
    fills = build(write(tmp_path, days(60)), missing="last").encoding
    early, late = days(60), days(60)
    del early[30]  # of no account to the last 7 steps
    del late[55]
    table = read_table(source_path(write(tmp_path, early)))
    whole = read_table(source_path(write(tmp_path, days(60))))
    assert torch.equal(refuses.encode_table(table).inputs[0], refuses.encode_table(whole).inputs[0])
    table = read_table(source_path(write(tmp_path, late)))
    says = r"2 values missing, the first of 'visitors' 2 steps \(1 day each\) after 2024-02-23; complete the file"
    with pytest.raises(InputError, match=says):
        refuses.encode_table(table)
    found = fills.encode_table(table)
    (seen,) = found.inputs[0]
    assert torch.equal(seen[2], seen[1])
    assert any(note.endswith("visitors: 1, rain: 1") for note in found.notes)
    assert found.timeline is not None
    assert found.timeline.time(found.timeline.length) == "2024-03-01"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda lines: lines[:-1] + lines[-2:-1], r"row 61, column 'day': 2024-02-28 is the same as the row above"),
        (lambda lines: [*lines[:-2], lines[-1], lines[-2]], r"row 61, column 'day': 2024-02-28 lies before"),
        (lambda lines: lines[::2], r"column 'day': a step is 2 days, and in training it was 1 day"),
        (lambda lines: lines[:2], r"2 rows; a regular step shows in three or more"),
        (lambda lines: [*lines[:-1], "2024-02-29,,1"], r"1 value missing, the first of 'visitors' 6 steps"),
        (lambda lines: [*lines[:-1], "2024-02-29,x,1"], r"row 61, column 'visitors': 'x' is not a finite number"),
    ],
)
def test_the_times_of_a_new_file_are_checked_as_in_training(change, says, tmp_path) -> None:
    encoding = build(write(tmp_path, days(60))).encoding
    with pytest.raises(InputError, match=says):
        encoding.encode_table(read_table(source_path(write(tmp_path, change(days(60))))))


def test_a_new_file_must_tell_its_times_if_training_did(tmp_path) -> None:
    encoding = build(write(tmp_path, days(60))).encoding
    (tmp_path / "other.csv").write_text("dya,visitors,rain\n" + "1,1,1\n" * 9, encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.csv: no column 'day', which told the times in training; did .*'dya'"):
        encoding.encode_table(read_table(tmp_path / "other.csv"))
