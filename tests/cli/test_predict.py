"""Prediction reads every file that training reads, by the same reader, with the same complaints."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest
from houses import houses, save

from fourfold.cli import main
from fourfold.core.errors import InputError
from fourfold.data.table.reading import read_table

SMALL = ["model.widths=[4]", "budget.epochs=1"]
NEW = houses(7, seed=5)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    place = tmp_path_factory.mktemp("집")
    table = save(place / "집값.csv", houses())
    given = [f"data.path={table}", "data.target=price", *SMALL]
    assert main(["run", "table-mlp", *given, "--workspace", str(place), "--quiet"]) == 0
    assert main(["run", "iris-softmax", SMALL[1], "--workspace", str(place), "--quiet"]) == 0
    assert main(["run", "digits-mlp", *SMALL, "--workspace", str(place), "--quiet"]) == 0
    return place


@pytest.fixture
def predict(workspace, capsys):
    def ask(*arguments: object, run: str = "table-mlp-1") -> dict:
        code = main(["predict", run, *map(str, arguments), "--workspace", str(workspace), "--json"])
        out, err = capsys.readouterr()
        answer = json.loads(out.splitlines()[-1])
        assert code == 0, err
        return answer

    return ask


@pytest.fixture
def refuse(workspace, capsys):
    def ask(*arguments: object, run: str = "table-mlp-1") -> str:
        assert main(["predict", run, *map(str, arguments), "--workspace", str(workspace)]) == 2
        out, err = capsys.readouterr()
        assert (out, err.count("\n"), err[:7]) == ("", 1, "error: ")
        return err[7:-1]

    return ask


def prices(answer: dict) -> list[float]:
    return [row["price"] for row in answer["predictions"]]


@pytest.fixture
def expected(predict) -> list[float]:
    rows = [part for row in NEW for part in ("--row", json.dumps(row))]
    return prices(predict(*rows))


@pytest.mark.promise("R22")
@pytest.mark.parametrize(
    ("name", "encoding", "delimiter"),
    [
        ("새 집.csv", "utf-8", ","),
        ("새 집.csv", "utf-8-sig", ","),
        ("새 집.csv", "cp949", ","),
        ("새 집.csv", "utf-16", ";"),
        ("new.tsv", "utf-8", "\t"),
        ("new.txt", "cp949", "|"),
        ("new", "utf-8", ";"),
    ],
)
def test_every_kind_of_text_that_training_reads(name, encoding, delimiter, tmp_path, predict, expected):
    text = pd.DataFrame(NEW).to_csv(index=False, sep=delimiter, lineterminator="\r\n")
    (tmp_path / name).write_bytes(text.encode(encoding))
    assert prices(predict(tmp_path / name)) == pytest.approx(expected)


def test_parquet_and_json_and_a_row_typed_by_hand(tmp_path, predict, expected):
    frame = pd.DataFrame(NEW)
    frame["area"], frame["rooms"] = pd.to_numeric(frame["area"]), pd.to_numeric(frame["rooms"])
    frame.to_parquet(tmp_path / "new.parquet")
    assert prices(predict(tmp_path / "new.parquet")) == pytest.approx(expected)
    (tmp_path / "new.json").write_text(json.dumps(NEW, ensure_ascii=False), encoding="cp949")
    assert prices(predict(tmp_path / "new.json")) == pytest.approx(expected)
    typed = predict(*(f"{name}={value}" for name, value in NEW[0].items()))
    assert prices(typed) == pytest.approx(expected[:1])


@pytest.mark.parametrize("given", [["-"], []])
def test_stdin_is_read_like_a_file(workspace, expected, given):
    text = pd.DataFrame(NEW).to_csv(index=False, sep=";").encode("cp949")
    asked = [sys.executable, "-m", "fourfold", "predict", "table-mlp-1", *given, "--json"]
    command = [*asked, "--workspace", str(workspace)]
    done = subprocess.run(command, input=text, capture_output=True, env={**os.environ, "LC_ALL": "C"})
    assert prices(json.loads(done.stdout)) == pytest.approx(expected), done.stderr


def test_columns_stand_in_any_order_and_those_training_left_out_may_be_there_or_not(tmp_path, predict, expected):
    frame = pd.DataFrame(NEW)
    frame[list(reversed(frame.columns))].to_csv(tmp_path / "reversed.csv", index=False)
    assert prices(predict(tmp_path / "reversed.csv")) == pytest.approx(expected)
    frame.drop(columns=["price", "번호"]).to_csv(tmp_path / "new.csv")  # with pandas' own column, which has no name
    answer = predict(tmp_path / "new.csv")
    assert prices(answer) == pytest.approx(expected)
    assert "the header of column 1 is empty; it is called 'column 1' here" in answer["notes"]


def test_columns_that_do_not_fit_are_named_with_the_file(tmp_path, refuse):
    file = tmp_path / "새 집.csv"
    frame = pd.DataFrame(NEW)
    frame.drop(columns=["area"]).to_csv(file, index=False)
    assert refuse(file) == f"{file}: missing: area (null, or an empty cell, says that a value is not known)"
    frame.rename(columns={"area": "aera"}).to_csv(file, index=False)
    assert refuse(file) == f"{file}: no such column: 'aera'; did you mean 'area'?"
    frame.assign(extra=1).to_csv(file, index=False)
    assert refuse(file).startswith(f"{file}: no such column: 'extra'; one of ")


def test_values_that_do_not_fit_are_named_with_the_row_of_the_file(tmp_path, predict, refuse, workspace, capsys):
    file = tmp_path / "new.csv"
    frame = pd.DataFrame(NEW)
    frame.loc[2, "rooms"] = "many"
    frame.to_csv(file, index=False)
    assert refuse(file) == f"{file}: row 4, column 'rooms': 'many' is not a number"
    frame = pd.DataFrame(NEW)
    frame.loc[3, "도시"] = "대구"
    frame.to_csv(file, index=False)
    assert [note for note in predict(file)["notes"] if "대구" in note] == [
        f"{file}: row 5, column '도시': '대구' has no column of its own; it counts as none of the categories"
    ]
    assert main(["predict", "table-mlp-1", str(file), "--workspace", str(workspace)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["row", *"2345678"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n \n",
        b"area,rooms\n",
        b"area,area\n1,2\n",
        b"area,rooms\n1,2\n1\n",
        b'area,rooms\n1,"2\n',
        b"area,rooms\nok,1\n\xff\xff,2\n",
        b"area,rooms\n1,\x002\n",
        b"\xff\xfea",
    ],
)
def test_a_damaged_file_is_refused_in_the_words_of_training(content, tmp_path, refuse):
    file = tmp_path / "new.csv"
    file.write_bytes(content)
    with pytest.raises(InputError) as training:
        read_table(file)
    assert refuse(file) == str(training.value)


def test_files_that_are_none(tmp_path, refuse):
    assert refuse(tmp_path / "none.csv") == f"{tmp_path}/none.csv: no such file"
    assert refuse(tmp_path) == f"{tmp_path}: is a directory"
    assert refuse("/dev/zero") == "/dev/zero: a device, not a file"
    assert refuse("~nobody-of-this-name/new.csv").startswith("'~nobody-of-this-name/new.csv': ")
    (tmp_path / "bad.parquet").write_bytes(b"PAR1")
    assert "not a Parquet file" in refuse(tmp_path / "bad.parquet")
    (tmp_path / "deep.json").write_text("[" * 100_000, encoding="utf-8")
    assert "nested too deeply" in refuse(tmp_path / "deep.json")


def test_one_way_at_a_time(tmp_path, refuse):
    file = save(tmp_path / "new.csv", NEW)
    assert refuse(file, file) == f"'{file}': one file at a time"
    assert refuse(file, "--row", "[1]") == f"'{file}': give a file or --row, not both"
    assert refuse("area=1", "area=2") == "'area' is given twice"
    assert refuse("=2") == "'=2': expected NAME=VALUE"
    assert "no such column: 'x'" in refuse("x=" + "1" * 5000)  # too long for the name of a file


def test_a_decimal_comma_is_read_once(tmp_path, capsys):
    lines = [f"{i},{i:03};1.{i:03},25;{i % 2}" for i in range(10, 70)]  # 10,010 is ten and a hundredth
    table = tmp_path / "t.csv"
    table.write_text("\n".join(["a;b;y", *lines]), encoding="utf-8")
    given = [f"data.path={table}", "data.target=y", "data.decimal=,", *SMALL, "--workspace", str(tmp_path), "--quiet"]
    assert main(["run", "table-mlp", *given]) == 0
    answers = []
    pd.DataFrame({"a": [12.345], "b": [1012.25]}).to_parquet(tmp_path / "new.parquet")
    (tmp_path / "new.csv").write_text("a;b\n12,345;1.012,25\n", encoding="utf-8")
    for example in ([str(tmp_path / "new.parquet")], [str(tmp_path / "new.csv")], ["a=12,345", "b=1.012,25"]):
        assert main(["predict", "table-mlp-1", *example, "--workspace", str(tmp_path), "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out)["predictions"])
    assert answers[0] == answers[1] == answers[2]


def test_names_that_look_like_numbers_stay_names(tmp_path, capsys):
    rows = [{"zip": ("02139", "1.0")[i % 2], "x": str(i / 7), "y": "ab"[i % 2]} for i in range(60)]
    table = save(tmp_path / "t.csv", rows)
    given = [f"data.path={table}", "data.target=y", "data.categorical=[zip]", *SMALL, "--workspace", str(tmp_path)]
    assert main(["run", "table-mlp", *given, "--quiet"]) == 0
    for name in ("02139", "1.0"):
        assert main(["predict", "table-mlp-1", f"zip={name}", "x=1", "--workspace", str(tmp_path), "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["notes"] == []


def test_a_table_of_numbers_for_a_run_on_numbers(tmp_path, predict, refuse):
    names = ["sepal length (cm)", "sepal width (cm)", "petal length (cm)", "petal width (cm)"]
    file = tmp_path / "꽃.csv"
    pd.DataFrame([[5.9, 3.0, 4.2, 1.5]] * 2, columns=names).to_csv(file, index=False, sep=";")
    typed = predict("--row", "[5.9, 3.0, 4.2, 1.5]", run="iris-softmax-1")["predictions"]
    found = predict(file, run="iris-softmax-1")["predictions"]
    assert [each["class"] for each in found] == [typed[0]["class"]] * 2
    assert found[0]["probability"] == pytest.approx(typed[0]["probability"])
    pd.DataFrame([[5.9, 3.0, 4.2, None]], columns=names).to_csv(file, index=False)
    assert (
        refuse(file, run="iris-softmax-1") == f"{file}: row 2, column 'petal width (cm)': None is not a finite number"
    )
    pd.DataFrame([[5.9, 3.0, 4.2]], columns=names[:3]).to_csv(file, index=False)
    assert refuse(file, run="iris-softmax-1").startswith(f"{file}: missing: petal width (cm)")
    assert "takes pictures" in refuse(file, run="digits-mlp-1")


def test_predictions_are_written_behind_the_columns_of_their_table(predict, expected, tmp_path) -> None:
    table, out = save(tmp_path / "새 집.csv", NEW), tmp_path / "예측.csv"
    answer = predict(table, "--out", out)
    found = pd.read_csv(out)
    assert list(found) == [*NEW[0], "price (predicted)"]
    pd.testing.assert_frame_equal(found[list(NEW[0])], pd.read_csv(table))
    assert found.iloc[:, -1].tolist() == prices(answer) == expected


def test_classes_and_rows_without_a_table_are_written_too(workspace, tmp_path, capsys) -> None:
    out = tmp_path / "a.csv"
    rows = [part for row in ([5.1, 3.5, 1.4, 0.2], [6.7, 3.0, 5.2, 2.3]) for part in ("--row", json.dumps(row))]
    assert main(["predict", "iris-softmax-1", *rows, "-o", str(out), "--workspace", str(workspace)]) == 0
    assert capsys.readouterr() == ("", f"predictions: {out}, 2 rows\n")
    found = pd.read_csv(out)
    shares = found.filter(like="probabilities.")
    assert found["row"].tolist() == [1, 2]
    assert found["class"].tolist() == [name.removeprefix("probabilities.") for name in shares.idxmax(axis=1)]
    assert found["probability"].tolist() == shares.max(axis=1).tolist()
    assert shares.sum(axis=1).tolist() == pytest.approx([1, 1])


def test_a_file_for_predictions_that_cannot_be_is_refused_first(refuse, tmp_path) -> None:
    asked = tmp_path / "a.xlsx"
    assert refuse("-o", asked) == f"{asked}: predictions are written as CSV; let the name end in .csv"
    assert refuse("-o", tmp_path / "no" / "a.csv") == f"{tmp_path / 'no'}: no such folder"
