import datetime
import hashlib

import numpy as np
import pandas as pd
import pytest

from fourfold.core.errors import InputError
from fourfold.data.table.reading import cell_text, read_table


def write(tmp_path, text: str | bytes, name: str = "t.csv"):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return path


def cells(table) -> dict[str, list]:
    return {name: texts.tolist() for name, texts in table.columns.items()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("t.csv", 'city,area\n"Seoul, 서울", 31.5 \nBusan,NA\n'),
        ("t.csv", '\ufeffcity;area\r\n"Seoul, 서울";31.5\r\nBusan;\r\n'),
        ("t.tsv", "city\tarea\nSeoul, 서울\t31.5\nBusan\tnull"),
        ("t.txt", "city|area\nSeoul, 서울|31.5\nBusan|?\n\n"),
    ],
)
def test_delimiters_are_found_quotes_spaces_and_missing_marks_understood(tmp_path, name, text) -> None:
    table = read_table(write(tmp_path, text, name))
    assert cells(table) == {"city": ["Seoul, 서울", "Busan"], "area": ["31.5", None]}
    assert table.rows.tolist() == [2, 3]


def test_the_first_note_names_the_very_bytes(tmp_path) -> None:
    path = write(tmp_path, "a,b\n1,2\n")
    assert hashlib.sha256(b"a,b\n1,2\n").hexdigest()[:16] in read_table(path).notes[0]


def test_a_delimiter_of_ones_own_and_decimal_commas(tmp_path) -> None:
    table = read_table(write(tmp_path, "a:b\n1.234,5:x,y\n-7,25:3\n"), delimiter=":", decimal=",")
    assert cells(table) == {"a": ["1234.5", "-7.25"], "b": ["x,y", "3"]}


@pytest.mark.promise("R22")
def test_korean_in_every_encoding_that_korean_files_have(tmp_path) -> None:
    text = "도시,값\n서울,1\n제주 시,2\n"
    for encoding, note in (("utf-8", None), ("utf-8-sig", None), ("cp949", "CP949"), ("utf-16", "UTF-16")):
        table = read_table(write(tmp_path, text.encode(encoding), "집 값.csv"))
        assert cells(table) == {"도시": ["서울", "제주 시"], "값": ["1", "2"]}
        assert any(note in line for line in table.notes) if note else len(table.notes) == 1


@pytest.mark.promise("R11")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the file is empty"),
        (b" \n\n", "the file is empty"),
        (b"a,b\n", "a header and no rows"),
        (b"a,b,a\n1,2,3\n", "columns 1 and 3 are both called 'a'"),
        (b"a,b\n1,2\n1,2,3\n", "row 3 has 3 values, and the header names 2 columns"),
        (b"a,b,c\n1,2,3\n\n4,5\n", "row 4 has 2 values, and the header names 3 columns"),
        (b'a,b\n1,"2\n', "a quote is not closed"),
        (b"a,b\nok,1\n\xff\xff,2\n", "row 3 is not UTF-8 text, nor CP949"),
        (b"a,b\n1,\x002\n", "zero bytes"),
        (b"\xff\xfea", "begins as UTF-16, but is damaged"),
    ],
)
def test_a_damaged_file_is_named_with_its_row(tmp_path, text, message) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_table(write(tmp_path, text))
    assert str(caught.value).startswith(str(tmp_path / "t.csv"))
    assert "\n" not in str(caught.value)


@pytest.mark.promise("R11")
def test_a_file_that_is_not_there_or_not_a_file(tmp_path) -> None:
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(InputError, match="is a directory"):
        read_table(tmp_path)


def test_blank_rows_are_left_out_and_the_others_keep_their_numbers(tmp_path) -> None:
    table = read_table(write(tmp_path, "a,b\n\n1,2\n\n3,4\n\n\n"))
    assert table.rows.tolist() == [3, 5]
    assert "2 blank rows left out" in table.notes
    single = read_table(write(tmp_path, "a\n1\n\n3\n\n"))
    assert cells(single) == {"a": ["1", None, "3"]}


def test_quoted_line_breaks_and_an_empty_header(tmp_path) -> None:
    table = read_table(write(tmp_path, ',b\n0,"two\nlines"\n1,x\n'))
    assert cells(table) == {"column 1": ["0", "1"], "b": ["two\nlines", "x"]}
    assert any("header of column 1 is empty" in note for note in table.notes)


def test_parquet_gives_the_same_texts_as_csv(tmp_path) -> None:
    frame = pd.DataFrame(
        {
            "정수": [1, 2, 3],
            "float": [0.5, np.nan, 2.0],
            "flag": [True, False, True],
            "city": ["서울", None, "부산"],
            "when": pd.to_datetime(["2024-01-02 03:04:05", None, "2024-05-06 00:00:00"]),
        }
    )
    frame.to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert cells(table) == {
        "정수": ["1", "2", "3"],
        "float": ["0.5", None, "2"],
        "flag": ["true", "false", "true"],
        "city": ["서울", None, "부산"],
        "when": ["2024-01-02T03:04:05", None, "2024-05-06T00:00:00"],
    }
    assert table.rows.tolist() == [1, 2, 3]


def test_parquet_columns_of_lists_are_left_out_and_a_damaged_file_is_named(tmp_path) -> None:
    pd.DataFrame({"a": [[1], [2]], "b": [1, 2]}).to_parquet(tmp_path / "t.parquet")
    table = read_table(tmp_path / "t.parquet")
    assert list(table.columns) == ["b"]
    assert "'a' left out: it holds list" in table.notes[1]
    path = write(tmp_path, b"PAR1 and nothing else", "bad.parquet")
    with pytest.raises(InputError, match=r"bad\.parquet: not a Parquet file"):
        read_table(path)


def test_a_value_has_one_text_wherever_it_comes_from() -> None:
    assert [cell_text(v) for v in (2, 2.0, "2", " 2 ")] == ["2"] * 4
    assert [cell_text(v) for v in (True, False)] == ["true", "false"]
    assert [cell_text(v) for v in (None, float("nan"), "", "NA", " ")] == [None] * 5
    assert float(cell_text(0.1 + 0.2) or "") == 0.1 + 0.2
    assert cell_text(float("inf")) == "inf"
    assert cell_text(datetime.date(2024, 1, 2)) == "2024-01-02"
    assert cell_text(pd.Timestamp("2024-01-02 03:04")) == "2024-01-02T03:04:00"
    assert cell_text(pd.NaT) is None
