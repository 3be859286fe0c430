"""What fits which data, oldest first, under one budget."""

from pathlib import Path

import pytest

from fourfold.core.errors import InputError
from fourfold.study.compare import resolve
from fourfold.study.fairness import refuse_unfair
from fourfold.study.history import LANDMARKS, SPACE, _data, history


def names(data: str, target: str | None = None) -> list[str]:
    return [landmark.name for landmark in history(data, target, {}, [0], 0)[1]]


def test_landmarks_are_in_the_order_of_their_years() -> None:
    years = [landmark.year for landmark in LANDMARKS]
    assert years == sorted(years)


def test_what_fits_is_taken_and_what_does_not_is_told() -> None:
    _, fitting, left_out = history("digits", None, {}, [0], 0)
    assert {"lenet5", "kernel_svm", "kernel_svm on HOG"} <= {landmark.name for landmark in fitting}
    assert left_out == [
        "linear_regression (1805): linear_regression is for regression, but this data poses classification"
    ]
    assert {"lenet5", "kernel_svm on HOG"}.isdisjoint(names("breast_cancer"))
    assert names("diabetes")[0] == "linear_regression"
    assert "perceptron" not in names("diabetes")


def test_pictures_have_the_networks_of_the_last_decade() -> None:
    found = names("digits")
    assert found[-3:] == ["googlenet", "resnet20", "densenet22"]
    assert {"alexnet", "nin", "vgg11"} <= set(found)
    assert not {"alexnet", "nin", "vgg11", "googlenet", "resnet20", "densenet22"} & set(names("iris"))


@pytest.mark.parametrize(("trials", "said"), [(-1, "-1"), (1, "1"), (20_000, "20,000")])
def test_a_number_of_trials_is_none_or_at_least_two(trials: int, said: str) -> None:
    with pytest.raises(InputError, match=f"^--trials: 0 for none, or 2 to 10,000, and not {said}$"):
        history("digits", None, {}, [0], trials)


@pytest.mark.promise("R15")
def test_the_default_lengths_are_of_the_data_and_one_for_all() -> None:
    for data, overrides, steps, epochs in (
        ("digits", {}, 200, None),
        ("iris", {}, None, 20),
        ("digits", {"budget.epochs": 3}, None, 3),
        ("digits", {"budget.steps": 5}, 5, None),
    ):
        question, _, _ = history(data, None, overrides, [0], 0)
        recipes = resolve(question)[f"history-{data}"]
        assert {(each.budget.steps, each.budget.epochs) for each in recipes} == {(steps, epochs)}
        assert refuse_unfair(question, resolve(question)) == []


def test_dashes_folders_and_large_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    fewer = {"train_examples": 5000, "validation_examples": 1000}
    assert _data("fashion-mnist", None) == _data("fashion_mnist", None) == {"name": "fashion_mnist", **fewer}
    assert _data("two-moons", None) == {"name": "two_moons"}
    (tmp_path / "fashion-mnist").mkdir()  # what is there under the very name comes first
    assert _data("fashion-mnist", None) == {"name": "image_folder", "path": "fashion-mnist", "size": 32}
    assert _data("fashion_mnist", None)["name"] == "fashion_mnist"


def test_a_table_of_ones_own(tmp_path: Path) -> None:
    table = tmp_path / "집값.csv"
    rows = "".join(f"{i},{(i * 7) % 11},{'비쌈' if i % 3 else '쌈'}\n" for i in range(60))
    table.write_text(f"방,층,값\n{rows}", encoding="utf-8")
    assert "perceptron" in names(str(table), "값")
    with pytest.raises(InputError, match="--target: which column"):
        names(str(table))


@pytest.mark.promise("R15")
def test_the_question_is_a_fair_one() -> None:
    question, _, _ = history("iris", None, {"budget.epochs": 3}, [0, 1], 0)
    assert not question.unfair
    assert refuse_unfair(question, resolve(question)) == []
    assert {recipe.budget.epochs for recipe in resolve(question)["history-iris"]} == {3}


@pytest.mark.promise("R15")
def test_with_tuning_it_says_who_was_not_tuned() -> None:
    question, _, _ = history("iris", None, {}, [0], 3)
    said = refuse_unfair(question, resolve(question))
    assert question.spaces == [SPACE]
    assert len(said) == 2
    assert "'perceptron'" in said[0]
    assert "'kernel_svm'" in said[1]


@pytest.mark.parametrize(
    ("data", "target", "says"),
    [
        ("digts", None, "did you mean 'digits'"),
        ("digits", "label", "--target: 'digits' is no table"),
        ("gone.csv", "price", "gone.csv"),
    ],
)
def test_a_mistake_in_one_line(data: str, target: str | None, says: str) -> None:
    with pytest.raises(InputError) as caught:
        names(data, target)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
