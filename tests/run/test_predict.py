"""Predictions from a run's folder alone: rows by name and in order, pictures, and tables, without the training data."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.run.parts import load_recipe
from fourfold.run.predict import BATCH_SIZE, predict
from fourfold.run.run import Run, start

COMMON = {"algorithm": "supervised", "loss": "usual", "runtime": {"device": "cpu", "threads": 1}}


def train(workspace: Path, data: Any, steps: int = 20, **more: Any) -> Run:
    recipe = {"data": data, "model": {"name": "mlp", "widths": [16]}, "budget": {"steps": steps}, **COMMON, **more}
    return start("run", load_recipe(recipe)[1], workspace)


@pytest.fixture(scope="module")
def iris(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(tmp_path_factory.mktemp("iris"), "iris")


@pytest.fixture(scope="module")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return train(tmp_path_factory.mktemp("digits"), "digits")


def test_rows_by_name_and_in_order_are_the_same(iris: Run) -> None:
    names = iris.encoding.names  # type: ignore[attr-defined]
    values = [5.9, 3.0, 4.2, 1.5]
    in_order = predict(iris, [values]).rows
    assert predict(iris, [dict(zip(names, values, strict=True))]).rows == in_order
    assert predict(iris, [dict(zip(reversed(names), reversed(values), strict=True))]).rows == in_order


def test_predictions_are_what_the_model_says_of_the_test_split(iris: Run, digits: Run) -> None:
    for run in (iris, digits):
        source = run.parts.source
        batch = next(iter(source.split("test", 12)))
        raw = source.raw("test", list(range(12)))
        rows = [row.tolist() for row in raw]
        with torch.inference_mode():
            probabilities = run.model(*batch.inputs).softmax(1)
        predicted = predict(run, rows).rows
        assert [each["class"] for each in predicted] == [run.spec.class_names[k] for k in probabilities.argmax(1)]  # type: ignore[attr-defined]
        got = torch.tensor([list(each["probabilities"].values()) for each in predicted])
        torch.testing.assert_close(got, probabilities, rtol=1e-4, atol=1e-5)


def test_pictures_flat_nested_and_from_a_file_are_the_same(digits: Run, tmp_path: Path) -> None:
    from PIL import Image

    pixels = digits.parts.source.raw("test", [3])[0].reshape(8, 8)
    nested = predict(digits, [pixels.tolist()]).rows
    assert predict(digits, [pixels.flatten().tolist()]).rows == nested
    assert predict(digits, [{"image": pixels.tolist()}]).rows == nested
    file = tmp_path / "숫자 셋.png"
    Image.fromarray((pixels * 15).to(torch.uint8).numpy()).save(file)  # 0 to 16, as 0 to 240 of 255
    from_file = predict(digits, [str(file)]).rows
    assert from_file[0]["class"] == nested[0]["class"]
    assert from_file[0]["probability"] == pytest.approx(nested[0]["probability"], abs=0.05)


def test_more_rows_than_one_batch_come_back_in_order(iris: Run) -> None:
    rows = [[5.0 + i % 7 / 10, 3.0, 1.0 + i % 5, 0.2] for i in range(BATCH_SIZE + 35)]
    many = predict(iris, rows).rows
    assert len(many) == len(rows)
    for i in (0, 1, BATCH_SIZE - 1, BATCH_SIZE, len(rows) - 1):
        alone = predict(iris, [rows[i]]).rows[0]
        assert many[i]["class"] == alone["class"]
        assert many[i]["probability"] == pytest.approx(alone["probability"], abs=1e-5)


@pytest.mark.promise("R22")
def test_a_table_with_hangul_names_needs_no_training_data(tmp_path: Path) -> None:
    table = tmp_path / "집값 자료.csv"
    cities = ("서울", "부산", "대전")
    lines = [f"{50 + i},{cities[i % 3]},{2 + i % 4},{100 + 3 * i + 50 * (i % 3)}" for i in range(90)]
    table.write_text("\n".join(["면적,도시,방 수,가격", *lines]), encoding="utf-8")
    data = {"name": "table", "path": str(table), "target": "가격"}
    run = train(tmp_path / "실행 기록", data, steps=300)
    rows = [{"면적": 80, "도시": "서울", "방 수": 3}, {"면적": 80, "도시": "대전", "방 수": None}]
    here = predict(run, rows)
    moved = tmp_path / "옮긴 곳"
    shutil.move(run.folder.path, moved)
    table.unlink()
    from fourfold.run.api import open_run

    again = predict(open_run(moved), rows)
    assert again == here
    price = here.rows[0]["가격"]
    assert 100 < price < 400  # in the target's own units, not standardised ones
    assert predict(open_run(moved), [[80, "서울", 3]]).rows[0]["가격"] == price
    unseen = predict(open_run(moved), [{"면적": 80, "도시": "제주", "방 수": 3, "가격": 7}])
    assert len(unseen.rows) == 1
    assert "제주" in unseen.notes[0]
    with pytest.raises(InputError, match=r"^row 2: no such column: '면적 값'; did you mean '면적'\?$"):
        predict(open_run(moved), [rows[0], {"면적 값": 80, "도시": "서울", "방 수": 3}])
    with pytest.raises(InputError, match=r"^row 1: missing: 방 수"):
        predict(open_run(moved), [{"면적": 80, "도시": "서울"}])
    with pytest.raises(InputError, match=r"^row 1, column '면적': '넓다' is not a number$"):
        predict(open_run(moved), [{"면적": "넓다", "도시": "서울", "방 수": 3}])


def test_rows_that_do_not_fit_are_named(iris: Run, digits: Run) -> None:
    names = iris.encoding.names  # type: ignore[attr-defined]
    with pytest.raises(InputError, match=r"^nothing to predict"):
        predict(iris, [])
    with pytest.raises(InputError, match=r"^row 2: 3 numbers where 4 are needed"):
        predict(iris, [[1, 2, 3, 4], [1, 2, 3]])
    with pytest.raises(InputError, match=r"^row 1, column '.*': 'big' is not a finite number$"):
        predict(iris, [[1, 2, "big", 4]])
    with pytest.raises(InputError, match=r"^row 1: missing: petal width \(cm\)"):
        predict(iris, [dict.fromkeys(names[:3], 1)])
    with pytest.raises(InputError, match=r"^row 1: expected numbers by name or in order, got 7$"):
        predict(iris, [7])
    with pytest.raises(InputError, match=r"^row 1: 63 pixels where 1x8x8 are needed$"):
        predict(digits, [[0] * 63])
    with pytest.raises(InputError, match=r"^row 1: pixels must lie between 0 and 16$"):
        predict(digits, [[17] * 64])
    with pytest.raises(InputError, match=r"absent\.png: no such file$"):
        predict(digits, ["absent.png"])


def test_one_row_in_place_of_a_list_of_rows_is_explained(iris: Run, digits: Run) -> None:
    names = iris.encoding.names  # type: ignore[attr-defined]
    for run, row in ((iris, dict.fromkeys(names, 1.0)), (digits, "three.png")):
        with pytest.raises(InputError, match=r"^rows: expected a list of rows"):
            predict(run, row)  # type: ignore[arg-type]


def test_a_network_predicts_with_its_normalisations_folded(tmp_path: Path) -> None:
    run = train(tmp_path, "digits", steps=3, model={"name": "resnet_cifar", "depth": 8})
    source = run.parts.source
    raw, batch = source.raw("test", list(range(5))), next(iter(source.split("test", 5)))
    weights = {key: value.clone() for key, value in run.model.state_dict().items()}
    with torch.inference_mode():
        probabilities = run.model(*batch.inputs).softmax(1)
    predicted = predict(run, [row.tolist() for row in raw]).rows
    got = torch.tensor([list(each["probabilities"].values()) for each in predicted])
    torch.testing.assert_close(got, probabilities, rtol=1e-4, atol=1e-5)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in run.predictor.modules())
    assert all(torch.equal(value, weights[key]) for key, value in run.model.state_dict().items())
