"""Whether a comparison is fair: refused if it is not, unless that was asked for; then it is said."""

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from fourfold.core.errors import InputError
from fourfold.run.parts import recipe_fields
from fourfold.study.cells import CellResult
from fourfold.study.compare import resolve
from fourfold.study.design import Arm, Space, arms_of, parse_space
from fourfold.study.fairness import refuse_unfair, spaces_of, unequal_by_result
from fourfold.study.question import Question


def question(varied: dict[str, list[Any]], **more: Any) -> Question:
    name, fields = recipe_fields("iris-softmax")
    return Question({name: fields}, arms_of(varied), [0], **more)


def asked(each: Question) -> list[str]:
    return refuse_unfair(each, resolve(each))


FAIR: list[dict[str, list[Any]]] = [
    {"algorithm.optimizer": ["sgd", "adam"]},
    {"model": ["softmax_regression", "mlp"]},
    {"loss": ["cross_entropy", "focal"]},
]
UNFAIR: list[tuple[dict[str, list[Any]], str]] = [
    ({"budget.epochs": [1, 2]}, "budget.epochs: 'epochs=1' has 1.0 and 'epochs=2' 2.0"),
    ({"budget.batch_size": [8, 16]}, "budget.batch_size: 'batch_size=8' has 8 and 'batch_size=16' 16"),
    ({"budget": [{"epochs": 1}, {"steps": 10}]}, "budget.steps"),
]


@pytest.mark.promise("R15")
@pytest.mark.parametrize("varied", FAIR)
def test_equal_budgets_are_fair(varied: dict[str, list[Any]]) -> None:
    assert asked(question(varied)) == []


@pytest.mark.promise("R15")
@pytest.mark.parametrize(("varied", "says"), UNFAIR)
def test_unequal_training_is_refused_and_on_request_said(varied: dict[str, list[Any]], says: str) -> None:
    with pytest.raises(InputError) as caught:
        asked(question(varied))
    assert says in str(caught.value)
    assert "--unfair" in str(caught.value)
    said = asked(question(varied, unfair=True))
    assert len(said) == 1
    assert says in said[0]


@pytest.mark.promise("R15")
def test_an_arm_that_cannot_be_tuned_in_the_same_space_is_refused() -> None:
    space = parse_space("algorithm.optimizer.beta1=0.5:0.99")
    unequal = question({"algorithm.optimizer": ["adam", "sgd"]}, spaces=[space], trials=2)
    with pytest.raises(InputError, match="the arm 'sgd' cannot be tuned so"):
        asked(unequal)
    unequal = dataclasses.replace(unequal, unfair=True)
    assert "'sgd'" in asked(unequal)[0]
    adam, sgd = resolve(unequal)["iris-softmax"]
    assert (spaces_of(unequal, adam), spaces_of(unequal, sgd)) == ([space], [])


def test_a_space_outside_a_fields_range_is_told_before_anything_runs() -> None:
    wrong = Space("algorithm.optimizer.lr", -1.0, 1.0, False, False)
    with pytest.raises(InputError, match=r"algorithm\.optimizer\.lr"):
        asked(question({"algorithm.optimizer": ["sgd", "adam"]}, spaces=[wrong], trials=2))


@pytest.mark.promise("R15")
def test_what_ran_is_judged_too() -> None:
    def ended(steps: int, status: Any = "done") -> CellResult:
        return CellResult(status, {}, Path("x"), {"planned_steps": steps}, {})

    arms = [Arm("a", {}), Arm("b", {})]
    assert unequal_by_result(arms, [[ended(5), ended(5)], [ended(5), ended(5)]]) == []
    assert unequal_by_result(arms, [[ended(5)], [ended(6)]]) == ["unequal steps: a 5, b 6"]
    assert unequal_by_result(arms, [[ended(5), ended(5)], [ended(5), ended(5, "diverged")]]) == [
        "unequal numbers of finished seeds: a 2, b 1"
    ]
    assert unequal_by_result(arms, [[ended(5)], [None]]) == ["unequal numbers of finished seeds: a 1, b 0"]
