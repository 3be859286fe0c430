import datetime
import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from houses import build, houses, save

from fourfold.data.encoding import encoding_from_mapping
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Order


def all_targets(source, name: str) -> torch.Tensor:
    return torch.cat([batch.targets for batch in source.split(name, 64)])


@pytest.mark.promise("R22")
def test_a_number_makes_regression_and_a_text_classification(path) -> None:
    prices = build(path, "price")
    assert isinstance(prices.spec, RegressionSpec)
    assert prices.spec.target_names == ("price",)
    assert prices.sizes == {"train": 140, "validation": 30, "test": 30}
    grades = build(path, "등급")
    assert isinstance(grades.spec, ClassificationSpec)
    assert grades.spec.class_names == ("상", "중", "하")
    assert sum(grades.spec.class_counts) == 140
    batch = next(grades.train(Order(0, 16)))
    assert batch.inputs[0].shape == (16, grades.spec.input.size)
    assert batch.inputs[0].dtype == torch.float32
    assert batch.targets.dtype == torch.int64


def test_each_row_meets_its_own_target(path) -> None:
    source = build(path, "price", keep=["번호"])
    place = source.spec.input.names.index("번호")
    rows = houses()
    for name in ("train", "validation", "test"):
        raw = source.raw(name, list(range(source.sizes[name])))
        own_unit = all_targets(source, name).double() * source.spec.target_deviation[0] + source.spec.target_mean[0]
        for number, price in zip(raw[:, place].tolist(), own_unit[:, 0].tolist(), strict=True):
            assert price == pytest.approx(float(rows[int(number) - 1]["price"]), rel=1e-5)


def test_a_source_says_which_file_it_read_and_what_it_held(path) -> None:
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert build(path).files == {str(path): digest}
    path.write_bytes(path.read_bytes() + b"\n")
    assert build(path).files == {str(path): hashlib.sha256(path.read_bytes()).hexdigest()}
    assert build(path).files[str(path)] != digest


@pytest.mark.parametrize("task", ["regression", "probabilistic_regression", "classification"])
def test_the_task_can_be_chosen(path, task) -> None:
    source = build(path, "rooms", task=task)
    kind = {"regression": RegressionSpec, "probabilistic_regression": ProbabilisticRegressionSpec}
    assert type(source.spec) is kind.get(task, ClassificationSpec)
    assert any(f"as data.task={task} says" in note for note in source.notes)


def test_few_whole_numbers_are_classes_in_the_order_of_numbers(tmp_path) -> None:
    rows = [{"x": str(i / 7), "y": str([9, 10, 1][i % 3])} for i in range(60)]
    source = build(save(tmp_path / "t.csv", rows), "y")
    assert source.spec.class_names == ("1", "9", "10")
    assert any("3 different values (data.task=regression overrides)" in note for note in source.notes)
    rows = [{"x": str(i / 7), "y": str(i % 30)} for i in range(90)]
    assert isinstance(build(save(tmp_path / "t.csv", rows), "y").spec, RegressionSpec)
    rows = [{"x": str(i / 7), "y": ["yes", "No", "YES"][i % 3]} for i in range(60)]
    assert build(save(tmp_path / "t.csv", rows), "y").spec.class_names == ("no", "yes")
    rows = [{"x": str(i / 7), "y": ["1", "1.0", "2"][i % 3]} for i in range(60)]
    assert build(save(tmp_path / "t.csv", rows), "y").spec.class_names == ("1", "2")


@pytest.mark.promise("R10")
def test_every_column_and_every_decision_has_a_line(path) -> None:
    notes = build(path, drop=["new"]).notes
    assert notes[0].startswith("우리 집.csv: 200 rows, 8 columns, SHA-256 begins ")
    for start in (
        "task: regression of 'price', because it is a number with 200 different values",
        "split: train 140 rows, validation 30 rows, test 30 rows, drawn at random with data.split_seed=0",
        "'번호' left out: it counts or names the rows (data.keep uses it)",
        "'도시' is a category of 3 values (text)",
        "'area' is a number; ",
        "'rooms' is a number",
        "'built' is a date, year-month-day",
        "'new' left out: data.drop says so",
        "'등급' is a category of 3 values (text)",
        "inputs: 14 numbers from 5 columns; numbers and dates are standardised by their mean and deviation over the tr",
        "targets standardised over the training split: 'price' by mean ",
    ):
        assert sum(note.startswith(start) for note in notes) == 1, start
    assert all("\n" not in note for note in notes)


def test_statistics_come_from_the_training_rows_alone(tmp_path) -> None:
    rows = houses()
    source = build(save(tmp_path / "a.csv", rows), keep=["번호"])
    place = source.spec.input.names.index("번호")
    for name in ("validation", "test"):
        number = int(source.raw(name, [0])[0, place])
        for column, value in (("area", "1e9"), ("도시", "never seen"), ("built", "1900-01-01"), ("price", "99999999")):
            rows[number - 1][column] = value
    changed = build(save(tmp_path / "b.csv", rows), keep=["번호"])
    assert changed.encoding == source.encoding
    assert changed.spec == source.spec
    assert not torch.equal(all_targets(changed, "test"), all_targets(source, "test"))
    rows[int(source.raw("train", [0])[0, place]) - 1]["area"] = "1e9"
    assert build(save(tmp_path / "c.csv", rows), keep=["번호"]).encoding != source.encoding


def test_a_held_out_value_that_cannot_be_read_is_missing_and_noted(tmp_path) -> None:
    rows = houses()
    source = build(save(tmp_path / "a.csv", rows), keep=["번호"])
    names = source.spec.input.names
    number = int(source.raw("test", [0])[0, names.index("번호")])
    rows[number - 1]["rooms"] = "many"
    changed = build(save(tmp_path / "b.csv", rows), keep=["번호"])
    assert changed.encoding == source.encoding
    median = next(column.median for column in changed.encoding.columns if column.name == "rooms")
    assert float(changed.raw("test", [0])[0, names.index("rooms")]) == median
    assert "'rooms' is a number; not readable in 1 held-out rows, so missing there" in changed.notes


@pytest.mark.promise("R12")
def test_same_seed_same_bytes(path) -> None:
    first, again = build(path), build(path)
    for name in first.sizes:
        for x, y in zip(first.split(name, 64), again.split(name, 64), strict=True):
            assert torch.equal(x.inputs[0], y.inputs[0])
            assert torch.equal(x.targets, y.targets)
    assert not torch.equal(all_targets(build(path, split_seed=1), "test"), all_targets(first, "test"))


@pytest.mark.promise("R11")
def test_copies_stay_in_one_split(tmp_path) -> None:
    rows = houses(100)
    for i in range(40):
        rows.append({**rows[i], "번호": str(len(rows) + 1)})
    source = build(save(tmp_path / "t.csv", rows), "등급", test=0.3, validation=0.2)
    assert "40 rows are copies of another one; copies are kept in one split" in source.notes
    assert not any("equal row in training" in note for note in source.notes)
    seen = [{tuple(row) for row in source.raw(name, range(size)).tolist()} for name, size in source.sizes.items()]
    assert sum(map(len, seen)) == len(set().union(*seen)) == 100
    assert sum(source.sizes.values()) == 140
    assert abs(source.sizes["test"] - 42) <= 2


@pytest.mark.promise("R11")
def test_rows_that_cannot_but_repeat_are_split_and_counted(tmp_path) -> None:
    rows = [{"sex": "mf"[i % 2], "class": "123"[i % 3], "y": "ab"[i % 4 // 2]} for i in range(120)]
    source = build(save(tmp_path / "t.csv", rows), "y")
    assert any("few values are possible" in note for note in source.notes)
    twins = [note for note in source.notes if "rows have an equal row in training" in note]
    assert twins == [
        "18 of 18 validation rows have an equal row in training",
        "18 of 18 test rows have an equal row in training",
    ]


def test_folds_of_a_table(path) -> None:
    folds = [build(path, "등급", folds=4, fold=fold, keep=["번호"]) for fold in range(4)]
    place = folds[0].spec.input.names.index("번호")
    validated = [int(n) for f in folds for n in f.raw("validation", range(f.sizes["validation"]))[:, place].tolist()]
    assert len(validated) == len(set(validated)) == 170


@pytest.mark.promise("R22")
def test_json_rows_encode_to_the_very_batch_without_the_training_data(path) -> None:
    source = build(path, "등급", keep=["번호"])
    fields = json.loads(json.dumps(source.encoding.to_mapping(), ensure_ascii=False))
    path.unlink()
    encoding = encoding_from_mapping(fields)
    assert encoding == source.encoding
    place = source.spec.input.names.index("번호")
    rows = houses()
    for name in ("train", "test"):
        numbers = source.raw(name, range(source.sizes[name]))[:, place].long()
        given = [dict(rows[n - 1]) for n in numbers.tolist()]
        for row in given:  # as JSON would have them
            row["rooms"] = int(row["rooms"])
            row["area"] = float(row["area"]) if row["area"] else None
            row["new"] = row["new"] == "yes"
        encoded = encoding.encode_rows(given)
        expected = torch.cat([batch.inputs[0] for batch in source.split(name, 64)])
        assert torch.equal(encoded.inputs[0], expected)
        assert encoded.notes == []
    listed = [[row[column.name] for column in encoding.columns] for row in given]
    assert torch.equal(encoding.encode_rows(listed).inputs[0], expected)


def test_decimal_commas_and_nameless_columns_at_prediction_too(tmp_path) -> None:
    lines = [f"{i};{i},5;1.{i:03},25;{i % 2}" for i in range(10, 70)]
    path = tmp_path / "t.csv"
    path.write_text("\n".join([";a;b;y", *lines]), encoding="utf-8")
    source = build(path, "y", decimal=",")
    assert source.spec.input.names == ("a", "b")
    encoding = encoding_from_mapping(json.loads(json.dumps(source.encoding.to_mapping())))
    as_text = encoding.encode_rows([{" a ": "12,5", "b": "1.012,25", "": "x"}])
    as_number = encoding.encode_rows([{"column 1": 12, "a": 12.5, "b": 1012.25}])
    assert torch.equal(as_text.inputs[0], as_number.inputs[0])
    assert float(encoding.standardise().mean[1]) == pytest.approx(1039.75, abs=15)


def test_dates_may_be_dates(path) -> None:
    encoding = build(path).encoding
    row = houses()[0]
    given = encoding.encode_rows([{**row, "built": datetime.date.fromisoformat(row["built"])}])
    assert torch.equal(given.inputs[0], encoding.encode_rows([row]).inputs[0])


def test_what_training_never_saw_is_noted(path) -> None:
    encoding = build(path).encoding
    row = {**houses()[0], "도시": "대구", "rooms": None, "area": None}
    notes = encoding.encode_rows([row]).notes
    assert notes == [
        "row 1, column '도시': '대구' has no column of its own; it counts as none of the categories",
        "row 1, column 'rooms': missing, which training never saw; it counts as a typical value",
    ]


def test_a_parquet_file_is_the_same_table(tmp_path, path) -> None:
    import pandas as pd

    frame = pd.DataFrame(houses())
    for name in ("area", "rooms", "price", "번호"):
        frame[name] = pd.to_numeric(frame[name])
    frame["new"] = frame["new"] == "yes"
    frame["built"] = pd.to_datetime(frame["built"])
    frame.to_parquet(tmp_path / "t.parquet")
    ours, theirs = build(tmp_path / "t.parquet"), build(path)
    assert ours.encoding.outputs == theirs.encoding.outputs
    for name in ours.sizes:
        for x, y in zip(ours.split(name, 64), theirs.split(name, 64), strict=True):
            torch.testing.assert_close(x.inputs[0], y.inputs[0])
            torch.testing.assert_close(x.targets, y.targets)


def test_a_home_folder_is_understood(path, monkeypatch) -> None:
    monkeypatch.setenv("HOME", str(path.parent.parent))
    assert build(Path("~") / path.parent.name / path.name).sizes["train"] == 140


def test_numbers_are_standardised_and_zero_one_columns_are_left_alone(path) -> None:
    source = build(path)
    (train,) = source.split("train", 1000)
    values = train.inputs[0].numpy()
    for name, column in zip(source.spec.input.names, values.T, strict=True):
        if name in ("area", "rooms", "built (days)"):
            assert abs(column.mean()) < 1e-5
            assert column.std() == pytest.approx(1, abs=1e-5)
        elif "sine" not in name:
            assert set(np.unique(column)) <= {0.0, 1.0}
