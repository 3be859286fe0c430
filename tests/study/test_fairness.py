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
SAME: list[
    dict[str, list[Any]]
] = [  # iris: 106 examples to train on, so 7 steps of 16 an epoch, the last a smaller one
    {"budget": [{"epochs": 2, "batch_size": 16}, {"steps": 14, "batch_size": 16}]},
    {"budget.batch_size": [106, "full", 5000]},
    {"data.split_seed": [1, 2]},
]
UNFAIR: list[tuple[dict[str, list[Any]], list[str]]] = [
    (
        {"budget": [{"epochs": 1, "batch_size": 16}, {"epochs": 2, "batch_size": 16}]},
        [
            "numbers of steps: '{second}' 14, and '{first}' 7",
            "examples seen in training: '{second}' 212, and '{first}' 106",
        ],
    ),
    (
        {"budget": [{"steps": 7, "batch_size": 8}, {"steps": 7, "batch_size": 16}]},
        ["batch sizes: '{second}' 16, and '{first}' 8", "examples seen in training: '{second}' 106, and '{first}' 56"],
    ),
    (
        {"budget": [{"epochs": 1, "batch_size": 16}, {"epochs": 1, "batch_size": 1}]},
        ["numbers of steps: '{second}' 106, and '{first}' 7", "batch sizes: '{second}' 1, and '{first}' 16"],
    ),
    (
        {"data": ["iris", "wine"]},
        ["numbers of steps", "examples seen in training"],
    ),
]


@pytest.mark.promise("R15")
@pytest.mark.parametrize("varied", FAIR)
def test_equal_budgets_are_fair(varied: dict[str, list[Any]]) -> None:
    assert asked(question(varied)) == []


@pytest.mark.promise("R15")
@pytest.mark.parametrize("varied", SAME)
def test_budgets_that_come_to_the_same_training_are_fair(varied: dict[str, list[Any]]) -> None:
    assert asked(question(varied)) == []


@pytest.mark.promise("R15")
@pytest.mark.parametrize(("varied", "says"), UNFAIR)
def test_unequal_training_is_refused_with_every_reason_and_on_request_said(
    varied: dict[str, list[Any]], says: list[str]
) -> None:
    first, second = (arm.name for arm in arms_of(varied))
    says = [each.format(first=first, second=second) for each in says]
    with pytest.raises(InputError) as caught:
        asked(question(varied))
    assert all(each in str(caught.value) for each in says)
    assert str(caught.value).endswith("; --unfair goes on, and says so on every output")
    said = asked(question(varied, unfair=True))
    assert len(said) == len(says)
    assert all(each in sentence for each, sentence in zip(says, said, strict=True))


@pytest.mark.promise("R15")
def test_those_that_differ_from_the_reference_are_named_and_no_others() -> None:
    varied: dict[str, list[Any]] = {"budget": [{"steps": n, "batch_size": "full"} for n in (5, 6, 7)]}
    five, six, seven = (arm.name for arm in arms_of(varied))
    (steps, examples) = asked(question(varied, unfair=True, against=six))
    assert steps == f"unequal numbers of steps: '{five}' 5, '{seven}' 7, and '{six}' 6"
    assert examples.endswith(f"'{five}' 530, '{seven}' 742, and '{six}' 636")


@pytest.mark.promise("R15")
@pytest.mark.parametrize(
    ("recipe", "varied", "says"),
    [
        (
            "cartpole-dqn",
            {"algorithm.environments": [1, 8]},
            "unequal moves a step: 'environments=8' 8, and 'environments=1' 1",
        ),
        ("cartpole-dqn", {"algorithm.updates": [1, 4]}, "unequal updates a step: "),
        (
            "grid-gan",
            {"algorithm.discriminator_steps": [1, 5]},
            "unequal moves of the discriminator a step: 'discriminator_steps=5' 5, ",
        ),
    ],
)
def test_steps_that_take_more_are_unequal(recipe: str, varied: dict[str, list[Any]], says: str) -> None:
    each = Question({recipe: recipe_fields(recipe)[1]}, arms_of(varied), [0])
    with pytest.raises(InputError, match="--unfair goes on") as caught:
        asked(each)
    assert says in str(caught.value)
    assert says in asked(dataclasses.replace(each, unfair=True))[0]


@pytest.mark.promise("R15")
def test_each_recipe_is_judged_on_its_own() -> None:
    fields = {name: recipe_fields(name)[1] for name in ("iris-softmax", "digits-mlp")}
    arms = arms_of({"budget": [{"epochs": 1, "batch_size": 106}, {"steps": 1, "batch_size": 106}]})
    said = asked(Question(fields, arms, [0], unfair=True))
    assert len(said) == 2, "on iris they come to the same"
    assert all(" on digits-mlp: " in each for each in said)


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

    def judged(*results: list[CellResult | None]) -> list[str]:
        return unequal_by_result(asked_of, "r", results)

    asked_of = Question({"r": {}}, [Arm("a", {}), Arm("b", {})], [0, 1], against="b")
    assert judged([ended(5), ended(5)], [ended(5), ended(5)]) == []
    assert judged([ended(5)], [ended(6)]) == ["unequal numbers of steps: 'a' 5, and 'b' 6"]
    assert judged([ended(5), ended(5)], [ended(5), ended(5, "diverged")]) == [
        "unequal numbers of finished seeds: 'a' 2, and 'b' 1"
    ]
    assert judged([ended(5)], [None]) == ["unequal numbers of finished seeds: 'a' 1, and 'b' 0"]
