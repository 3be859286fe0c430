import pytest
from houses import build, houses, save

from fourfold.core.errors import InputError


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"areaa": 1}, "row 2: no such column: 'areaa'; did you mean 'area'?"),
        ({"rooms": "many"}, "row 2, column 'rooms': 'many' is not a number"),
        ({"new": "perhaps"}, "row 2, column 'new': 'perhaps' is not true or false"),
        ({"built": "yesterday"}, "row 2, column 'built': 'yesterday' is not a date"),
        ({"rooms": [1]}, r"row 2, column 'rooms': \[1\] is not a single value"),
    ],
)
def test_a_row_that_does_not_fit(path, change, message) -> None:
    encoding = build(path).encoding
    good = houses()[0]
    with pytest.raises(InputError, match=message):
        encoding.encode_rows([good, {**good, **change}])


def test_missing_columns_and_rows_of_another_kind(path) -> None:
    encoding = build(path).encoding
    row = houses()[0]
    del row["rooms"], row["도시"], row["price"], row["번호"]  # the last two are not needed
    with pytest.raises(InputError, match="row 1: missing: 도시, rooms"):
        encoding.encode_rows([row])
    with pytest.raises(InputError, match="row 1: 2 values where 6 are needed"):
        encoding.encode_rows([[1, 2]])
    with pytest.raises(InputError, match="row 1: expected values by column"):
        encoding.encode_rows(["서울"])
    assert encoding.encode_rows([]).inputs[0].shape == (0, len(encoding.outputs))


@pytest.mark.promise("R11")
@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"target": "prise"}, "data.target: .*우리 집.csv has no column 'prise'; did you mean 'price'?"),
        ({"drop": ["pricee"]}, "data.drop: .* has no column 'pricee'; did you mean 'price'?"),
        ({"categorical": ["x"]}, "data.categorical: .* has no column 'x'"),
        ({"keep": ["x"]}, "data.keep: .* has no column 'x'"),
        ({"drop": ["price"]}, "data.drop: 'price' is the target"),
        ({"target": "도시", "task": "regression"}, "row 2, column '도시': '.*' is not a number, which data.task=regr"),
        ({"target": "번호", "task": "classification"}, "class '1' of '번호' has only 1 .row 2., and 199 more classes"),
        ({"drop": ["번호", "도시", "area", "rooms", "built", "new", "등급"]}, "no column can be used as an input"),
        ({"path": ""}, "data.path: name your table"),
        ({"path": "nowhere.csv"}, r"nowhere\.csv: no such file"),
        ({"delimiter": ";"}, "has no column 'price'"),
    ],
)
def test_wrong_fields_are_named(path, fields, message) -> None:
    with pytest.raises(InputError, match=message) as caught:
        build(**{"path": path, **fields})
    assert "\n" not in str(caught.value)


@pytest.mark.promise("R11")
def test_missing_labels_are_refused_by_row_or_left_out_when_asked(tmp_path) -> None:
    rows = houses(50)
    for i in (2, 8, 16):
        rows[i]["price"] = ""
    path = save(tmp_path / "t.csv", rows)
    with pytest.raises(InputError, match=r"t\.csv: no 'price' in 3 rows \(rows 4, 10, 18\)"):
        build(path)
    source = build(path, drop_unlabelled=True)
    assert sum(source.sizes.values()) == 47
    assert "3 rows without 'price' left out (rows 4, 10, 18)" in source.notes
    with pytest.raises(InputError, match="no row has a 'price'"):
        build(save(path, [{**row, "price": "NA"} for row in rows]))


@pytest.mark.promise("R11")
def test_too_few_rows_or_classes(tmp_path) -> None:
    path = tmp_path / "t.csv"
    rows = [{"x": str(i), "y": "ab"[i % 2]} for i in range(20)]
    with pytest.raises(InputError, match="the target 'y' is 'a' in every one of the 20 rows"):
        build(save(path, [{**row, "y": "a"} for row in rows]), "y")
    with pytest.raises(InputError, match="the target 'y' is 'a' in the only row"):
        build(save(path, rows[:1]), "y")
    with pytest.raises(InputError, match=r"class 'c' of 'y' has only 2 \(rows 22, 23\); at least 3 are needed"):
        build(save(path, [*rows, {"x": "1", "y": "c"}, {"x": "2", "y": "c"}]), "y")
    with pytest.raises(InputError, match=r"class 'a' of 'y' has only 10 .*at least 12 are needed"):
        build(save(path, rows), "y", folds=11)
    with pytest.raises(InputError, match="2 rows; at least 3 are needed"):
        build(save(path, [{"x": "1", "y": "1.5"}, {"x": "2", "y": "2.5"}]), "y", task="regression")


@pytest.mark.promise("R11")
@pytest.mark.parametrize("stray", ["12O", "inf"])
def test_a_stray_among_numbers_is_named_with_its_row_and_the_choice(tmp_path, stray) -> None:
    rows = [{"area": str(1.5 * i), "price": str(100 + 3 * i)} for i in range(60)]
    rows[8]["price"] = stray
    path = save(tmp_path / "b.csv", rows)
    with pytest.raises(InputError) as caught:
        build(path)
    assert str(caught.value) == (
        f"{path}: row 10, column 'price': '{stray}' is not a number (1 such row), and 59 of 60 values are; mend it to "
        "predict a number, or choose classes with data.task=classification"
    )
    with pytest.raises(InputError, match=r"'.*' is not a number, which data.task=regression needs \(1 such row\)"):
        build(path, task="regression")
    rows[9]["price"] = "12l"
    with pytest.raises(InputError, match=r"is not a number \(2 such rows\), and 58 of 60"):
        build(save(path, rows))


def test_few_numbers_and_a_word_are_classes(tmp_path) -> None:
    rows = [{"area": str(1.5 * i), "stars": str(i % 5)} for i in range(200)]
    for i in (3, 8, 13, 18):
        rows[i]["stars"] = "none"
    assert build(save(tmp_path / "t.csv", rows), "stars").spec.class_names == ("0", "1", "2", "3", "4", "none")


@pytest.mark.promise("R11")
def test_rare_classes_are_counted_in_words(tmp_path) -> None:
    rows = [{"x": str(i), "y": "ab"[i % 2]} for i in range(20)] + [{"x": "1", "y": "c"}, {"x": "2", "y": "d"}]
    with pytest.raises(InputError, match=r"'c' of 'y' has only 1 \(row 22\), and 1 more class is as rare;"):
        build(save(tmp_path / "t.csv", rows), "y")


@pytest.mark.promise("R11")
def test_no_target_and_nothing_but_a_target(tmp_path) -> None:
    path = save(tmp_path / "houses.csv", [{"area": str(1.5 * i), "price": str(i + 0.5)} for i in range(20)])
    with pytest.raises(InputError) as caught:
        build(path, "")
    says = f"data.target: {path}: say which column to predict, data.target=COLUMN; one of area, price"
    assert str(caught.value) == says
    path = save(tmp_path / "one.csv", [{"price": str(i + 0.5)} for i in range(20)])
    with pytest.raises(InputError) as caught:
        build(path, "price")
    assert str(caught.value) == f"{path}: no column can be used as an input: 'price', the target, is the only one"


@pytest.mark.promise("R11")
@pytest.mark.parametrize("name", ["x.json", "x.PNG"])
def test_a_file_of_another_kind_says_what_is_read(tmp_path, name) -> None:
    (tmp_path / name).write_bytes(b'[{"area": 1, "price": 2}]')
    with pytest.raises(InputError, match=r"a table is read from CSV, TSV or Parquet, and not from \.(json|png);"):
        build(tmp_path / name)


def test_a_constant_training_target_is_named(tmp_path) -> None:
    rows = [{"x": str(i * 1.5), "y": "1.5"} for i in range(20)]
    path = tmp_path / "t.csv"
    rows[3]["y"] = "7"
    errors = 0
    for seed in range(12):
        try:
            build(save(path, rows), "y", split_seed=seed, task="regression")
        except InputError as error:
            errors += 1
            assert "the target 'y' is 1.5 in every training example" in str(error)  # noqa: PT017
    assert errors > 0


@pytest.mark.promise("R11")
def test_decimal_commas_are_not_taken_for_names(tmp_path) -> None:
    path = tmp_path / "euro.csv"
    lines = [f"{20 + i},{i % 7};{i % 3};{i * 3},5" for i in range(60)]
    path.write_text("\n".join(["flaeche;zimmer;preis", *lines]), encoding="utf-8")
    with pytest.raises(InputError, match=r"'flaeche' has decimal commas, such as 20,0; say data\.decimal=,"):
        build(path, "preis")
    assert build(path, "preis", decimal=",").spec.input.size == 2
    thousands = [f'"{i + 1},000",{i}' for i in range(60)]  # three digits: thousands, as ever
    path.write_text("\n".join(["flaeche,preis", *thousands]), encoding="utf-8")
    assert build(path, "preis").raw("train", [0]) is not None
