import json

import numpy as np
import pytest
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fourfold.data.table.columns import (
    BooleanColumn,
    CategoryColumn,
    DateColumn,
    NumberColumn,
    parse_booleans,
    parse_dates,
    parse_numbers,
)
from fourfold.data.table.inference import Rules, infer, names_rows
from fourfold.data.table.reading import as_texts

RULES = Rules(categorical=frozenset(), keep=frozenset(), min_count=2, max_categories=50)


def decide(values, name: str = "x", rules: Rules = RULES, says_nothing: bool = False):
    return infer(name, as_texts(list(values)), np.arange(2, len(values) + 2), rules, says_nothing)


def test_numbers_are_imputed_marked_and_standardised_as_scikit_learn_does() -> None:
    texts = as_texts(["1", "2.5", None, "-4e1", "1,200.5", None])
    column, line = infer("키", texts, np.arange(6), RULES, False)
    assert isinstance(column, NumberColumn)
    raw = np.array([[1], [2.5], [np.nan], [-40], [1200.5], [np.nan]])
    imputed = SimpleImputer(strategy="median", add_indicator=True).fit_transform(raw)
    np.testing.assert_array_equal(column.values(texts), imputed)
    scaler = StandardScaler().fit(imputed[:, :1])
    assert column.scales == [(pytest.approx(scaler.mean_[0]), pytest.approx(scaler.scale_[0])), (0.0, 1.0)]
    assert column.outputs == ("키", "키 is missing")
    assert line == "'키' is a number; 2 missing count as the median 1.75, marked in a column of their own"


def test_a_number_column_without_gaps_has_no_mark() -> None:
    column, _ = decide(["3", "4", "5"])
    assert column.outputs == ("x",)
    np.testing.assert_array_equal(column.values(as_texts(["7", None])), [[7], [4]])


def test_a_few_unreadable_numbers_are_missing_and_named() -> None:
    values = [str(i) for i in range(100)] + ["twelve", "inf"]
    column, line = decide(values)
    assert isinstance(column, NumberColumn)
    assert "2 missing count as the median" in line
    assert line.endswith("not readable, so missing: 'twelve' in row 102, 'inf' in row 103")
    assert column.unreadable(as_texts(["1", "x", None, "nan"])).tolist() == [False, True, False, True]


def test_categories_are_one_hot_as_scikit_learn_does() -> None:
    texts = as_texts(["b", "a", "b", "c", "a", "b"])
    column, line = infer("도시", texts, np.arange(6), RULES, False)
    theirs = OneHotEncoder(min_frequency=2, sparse_output=False).fit(texts.reshape(-1, 1))
    np.testing.assert_array_equal(column.values(texts), theirs.transform(texts.reshape(-1, 1)))
    assert column.outputs == ("도시=a", "도시=b", "도시=(other)")
    assert column.scales == [(0.0, 1.0)] * 3
    assert line == "'도시' is a category of 2 values (text); rare values (1) share '(other)'"


def test_unseen_and_missing_categories() -> None:
    marked, _ = decide(["a", "a", "b", "b", None, "rare"])
    assert marked.outputs == ("x=a", "x=b", "x=(other)", "x=(missing)")
    np.testing.assert_array_equal(
        marked.values(as_texts(["new", None, "b"])), [[0, 0, 1, 0], [0, 0, 0, 1], [0, 1, 0, 0]]
    )
    gappy, _ = decide(["a", "a", "b", "b", None])
    np.testing.assert_array_equal(gappy.values(as_texts(["new", None, "b"])), [[0, 0, 0], [0, 0, 1], [0, 1, 0]])
    plain, _ = decide(["a", "a", "b", "b"])
    np.testing.assert_array_equal(plain.values(as_texts(["new", None, "b"])), [[0, 0], [0, 0], [0, 1]])
    assert plain.unseen(as_texts(["new", None, "b"])).tolist() == [True, False, False]


def test_only_the_commonest_categories_have_columns() -> None:
    rules = Rules(frozenset(), frozenset(), min_count=1, max_categories=2)
    column, _ = decide(["a"] * 3 + ["c"] * 5 + ["b"] * 4, rules=rules)
    assert column.categories == ["b", "c"]
    assert column.other


@pytest.mark.parametrize("words", [("true", "FALSE"), ("Yes", "no"), ("t", "F"), ("y", "N")])
def test_booleans(words) -> None:
    texts = as_texts([words[0], words[1], None, words[0]])
    column, line = infer("x", texts, np.arange(4), RULES, False)
    assert isinstance(column, BooleanColumn)
    np.testing.assert_array_equal(column.values(texts), [[1, 0], [0, 0], [1, 1], [1, 0]])
    assert "1 missing count as true" in line
    assert column.unreadable(as_texts(["maybe"])).tolist() == [True]


@pytest.mark.parametrize(
    ("values", "date_format"),
    [
        (["2024-03-01", "2023-12-31", "1999-01-15"], "ISO8601"),
        (["2024-03-01 06:00", "2023-12-31T18:00:00", "1999-01-15 00:00:00+09:00"], "ISO8601"),
        (["2024/03/01", "2023/12/31", "1999/01/15"], "%Y/%m/%d"),
        (["2024.03.01", "2023.12.31", "1999.01.15"], "%Y.%m.%d"),
        (["2024년 3월 1일", "2023년 12월 31일", "1999년 1월 15일"], "%Y년 %m월 %d일"),
        (["01.03.2024", "31.12.2023", "15.01.1999"], "%d.%m.%Y"),
        (["03/01/2024", "12/31/2023", "01/15/1999"], "%m/%d/%Y"),
        (["01/03/2024", "31/12/2023", "15/01/1999"], "%d/%m/%Y"),
    ],
)
def test_dates_of_every_format(values, date_format) -> None:
    column, line = decide(values)
    assert isinstance(column, DateColumn)
    assert column.format == date_format
    assert "other way round" not in line
    days = column.values(as_texts(values))[:, 0]
    expected = np.array(["2024-03-01", "2023-12-31", "1999-01-15"], dtype="datetime64[D]").astype(float)
    np.testing.assert_allclose(days, expected, atol=0.76)
    assert ("day" in column.cycles) == (":" in values[0])


def test_a_dates_cycles_are_on_the_unit_circle_and_come_round() -> None:
    column, _ = decide(["2024-01-01", "2024-01-08", "2023-01-01", "2020-07-01"])
    values = column.values(as_texts(["2024-01-01", "2024-01-08", "2024-01-04"]))
    assert column.outputs[1:] == (
        "x (sine of the year)",
        "x (cosine of the year)",
        "x (sine of the week)",
        "x (cosine of the week)",
    )
    np.testing.assert_allclose((values[:, 1:] ** 2).reshape(3, 2, 2).sum(2), 1)
    np.testing.assert_allclose(values[0, 3:5], values[1, 3:5], atol=1e-9)  # a week later
    assert abs(values[0, 3:5] - values[2, 3:5]).max() > 0.5
    np.testing.assert_allclose(values[2, 3:5], [0, 1], atol=1e-9)  # a Thursday, as day 0 of 1970: no sine, all cosine
    assert "other way round" in decide(["01/02/2024", "03/04/2023", "05/06/2022"])[1]


@pytest.mark.parametrize(
    ("values", "name", "reason"),
    [
        ([None] * 20, "x", "no values in the training rows"),
        (["7"] * 20, "x", "'7' in every training row"),
        ([f"user{i}" for i in range(40)], "x", "names or identifiers, 40 different values in 40 rows"),
        ([f"this is comment number {i}" for i in range(40)], "x", "free text, 40 different"),
        (list("abcdefgh"), "x", "no value occurs 2 times"),
    ],
)
def test_columns_that_teach_nothing_are_left_out(values, name, reason) -> None:
    column, line = decide(values, name)
    assert column is None
    assert line.startswith(f"'{name}' left out: ")
    assert reason in line


def test_identifiers_are_left_out_unless_kept() -> None:
    counting, ids = [str(i) for i in range(40)], [str(7 * i % 101) for i in range(40)]
    assert names_rows("x", as_texts(counting))
    assert names_rows("x", as_texts([str(i + 1) for i in range(40)]))
    assert not names_rows("year", as_texts([str(1980 + i) for i in range(40)]))
    for name in ("id", "customer_id", "userId", "학생 번호", "Unnamed: 0"):
        assert names_rows(name, as_texts(ids)), name
    for name in ("area", "paid", "grid", "humid", "video"):
        assert not names_rows(name, as_texts(ids)), name
    assert not names_rows("id", as_texts([*ids, ids[0]]))
    assert decide(ids, "id", says_nothing=True)[0] is None
    kept = Rules(frozenset(), frozenset(("id",)), 2, 50)
    assert isinstance(decide(ids, "id", kept, says_nothing=True)[0], NumberColumn)


def test_codes_and_forced_categories_are_no_numbers() -> None:
    assert isinstance(decide(["01234", "01234", "11111", "11111"])[0], CategoryColumn)
    assert isinstance(decide(["1", "1", "2", "2"])[0], NumberColumn)
    forced = Rules(frozenset(("x",)), frozenset(), 2, 50)
    column, line = decide(["1", "1", "2", "2"], rules=forced)
    assert isinstance(column, CategoryColumn)
    assert "as data.categorical says" in line


def test_parsers_give_nan_where_they_cannot_read() -> None:
    texts = as_texts(["1", "1,000", "12,34", "1e3", "inf", "0x10", "1_000", "abc", None, "-"])
    np.testing.assert_array_equal(parse_numbers(texts), [1, 1000, np.nan, 1000, *[np.nan] * 6])
    np.testing.assert_array_equal(parse_booleans(as_texts(["YES", "0", None])), [1, np.nan, np.nan])
    np.testing.assert_array_equal(
        parse_dates(as_texts(["1970-01-02", "1969-12-31", "no", None]), "ISO8601")[:2], [1, -1]
    )
    for parse in (parse_numbers, parse_booleans):
        assert parse(as_texts([])).shape == (0,)
    assert parse_dates(as_texts([]), "ISO8601").shape == (0,)


@pytest.mark.parametrize("kind", [NumberColumn, BooleanColumn, CategoryColumn, DateColumn])
def test_a_column_is_plain_data(kind) -> None:
    values = {
        NumberColumn: ["1", "2", None],
        BooleanColumn: ["yes", "no", None],
        CategoryColumn: ["a", "a", None, "r"],
        DateColumn: ["2024-01-01", "2024-01-02", None],
    }[kind]
    column, _ = decide(values)
    assert isinstance(column, kind)
    assert kind.model_validate(json.loads(json.dumps(column.model_dump(mode="json")))) == column
    assert column.values(as_texts(values)).shape == (len(values), len(column.outputs))
    assert len(column.scales) == len(column.outputs)
