"""Of a series, prediction says what comes after a file's last row, and when, if the rows of training had times."""

import json

import pandas as pd
import pytest

import fourfold as ff
from fourfold.cli import main


def test_of_a_series_it_says_what_comes_after_the_last_row(tmp_path, capsys):
    file = tmp_path / "sales.csv"
    file.write_text("sold\n" + "\n".join(str(100 + i % 7) for i in range(60)), encoding="utf-8")
    changes = {"data": {"name": "series", "path": str(file), "length": 4}, "runtime.device": "cpu", "budget.steps": 1}
    run = ff.run("sunspots-naive", {**changes, "budget.epochs": None}, workspace=tmp_path)
    assert main(["predict", run.run_id, str(file), "--workspace", str(tmp_path)]) == 0
    heard = capsys.readouterr()
    head, row = heard.out.splitlines()[-2:]
    assert head.split()[:2] == ["row", "sold,"]
    number, forecast = row.split()
    assert number == "61"  # of the file, whose first is the header
    assert float(forecast) == pytest.approx(103, abs=1)  # the last value, by this model
    assert "forecast from its last" in heard.out + heard.err


def test_of_a_series_with_times_it_says_when(tmp_path, capsys):
    file, out = tmp_path / "매출.csv", tmp_path / "next.csv"
    days = [str(day.date()) for day in pd.date_range("2024-01-01", periods=60)]
    lines = [f"{day},{100 + i % 7},{i % 5}" for i, day in enumerate(days)]
    file.write_text("\n".join(["day,sold,text", *lines]), encoding="utf-8")
    data = {"name": "series", "path": str(file), "time": "day", "length": 4, "horizon": 4}
    changes = {"data": data, "runtime.device": "cpu", "budget.steps": 1, "budget.epochs": None}
    asked = ["predict", ff.run("sunspots-naive", changes, workspace=tmp_path).run_id, "--workspace", str(tmp_path)]
    assert main([*asked, str(file)]) == 0
    heard = capsys.readouterr()
    head, *rows = (line.split() for line in heard.out.splitlines()[-5:])
    assert head == ["day", "sold", "text"]
    assert [row[0] for row in rows] == ["2024-03-01", "2024-03-02", "2024-03-03", "2024-03-04"]
    assert [float(row[1]) for row in rows] == pytest.approx([103] * 4, abs=1)  # the last value, by this model
    assert "forecast from its last 4 steps of 1 day, to 2024-02-29" in heard.out + heard.err
    assert main([*asked, str(file), "--json", "-o", str(out)]) == 0
    answer = json.loads(capsys.readouterr().out)["predictions"]
    assert [list(row) for row in answer] == [["day", "sold", "text"]] * 4
    assert pd.read_csv(out).to_dict("records") == answer
    file.write_text("\n".join(["day,sold,text", *lines[-4:]]), encoding="utf-8")
    assert main([*asked, str(file), "-o", str(out)]) == 0
    again = pd.read_csv(out).to_dict("records")
    assert again == answer  # the file's rows are as many, and are not those of the forecast
    capsys.readouterr()
    file.write_text("\n".join(["day,sold,text", *lines[:40], *lines[39:]]), encoding="utf-8")
    assert main([*asked, str(file)]) == 2
    out, err = capsys.readouterr()
    assert (out, err) == (
        "",
        f"error: {file}: row 42, column 'day': 2024-02-09 is the same as the row above; "
        "times must ascend (columns of a series stand side by side, not below each other)\n",
    )
    assert main([*asked, "--row", "[[1, 2], [1, 2], [1, 2], [1, 2]]"]) == 0  # steps that have no times
    head, row = (line.split() for line in capsys.readouterr().out.splitlines()[-2:])
    assert (head[0], row[0]) == ("row", "1")
