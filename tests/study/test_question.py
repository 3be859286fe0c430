"""What can be asked, and what names an answer."""

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest

from fourfold.core.errors import InputError
from fourfold.study.design import Arm, Space
from fourfold.study.question import Question

BASE = Question(
    problems={"digits-mlp": {"data": {"name": "digits"}}},
    arms=[Arm("sgd", {"algorithm.optimizer": "sgd"}), Arm("adam", {"algorithm.optimizer": "adam"})],
    seeds=[0, 1],
)
SPACE = Space("algorithm.optimizer.lr", 1e-4, 1.0, True, False)
CHANGES: list[dict[str, Any]] = [
    {"problems": {"digits-mlp": {"data": {"name": "iris"}}}},
    {"arms": [BASE.arms[1], BASE.arms[0]]},
    {"seeds": [0, 1, 2]},
    {"metric": "test.loss"},
    {"spaces": [SPACE], "trials": 4},
    {"spaces": [SPACE], "trials": 5},
    {"against": "adam"},
    {"smallest": 0.5},
    {"unfair": True},
    {"use": ["00"]},
]


def test_every_change_is_another_question() -> None:
    digests = {BASE.digest(), *(dataclasses.replace(BASE, **change).digest() for change in CHANGES)}
    assert len(digests) == 1 + len(CHANGES)


def test_the_same_question_is_the_same_folder() -> None:
    again = dataclasses.replace(BASE)
    assert again.folder(Path("runs")) == BASE.folder(Path("runs"))
    assert BASE.folder(Path("runs")).name.startswith("digits-mlp-optimizer-")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"against": "adm"}, "--against: no arm called 'adm'; did you mean 'adam'"),
        ({"arms": BASE.arms[:1]}, "one arm alone is no comparison"),
        ({"arms": [Arm("as it is", {})], "seeds": [0]}, "--seeds: one run has no spread"),
        ({"arms": [Arm("as it is", {})], "seeds": [0, 1], "smallest": 0.1}, "--smallest: of which difference?"),
        ({"spaces": [SPACE]}, "one needs the other"),
        ({"trials": 3}, "one needs the other"),
        ({"spaces": [SPACE], "trials": 1}, "at least 2"),
        ({"arms": [Arm("1", {SPACE.key: 1}), Arm("2", {SPACE.key: 2})], "spaces": [SPACE], "trials": 2}, "varied too"),
        ({"arms": [Arm("1", {"seed": 1}), Arm("2", {"seed": 2})]}, "every arm runs at every seed"),
        ({"spaces": [Space("seed", 1, 5, log=False, whole=True)], "trials": 2}, "a seed is no setting"),
        ({"metric": "tset.accuracy"}, "did you mean 'test'"),
        ({"spaces": [SPACE], "trials": 10**20}, "--trials: at most"),
        ({"stack": "allways"}, "--stack: no choice called 'allways'; did you mean 'always'"),
        ({"smallest": 0.0}, "--smallest: a number above 0"),
        ({"smallest": math.nan}, "--smallest: a number above 0, and not nan"),
        ({"smallest": math.inf}, "--smallest: a number above 0, and not inf"),
        ({"spaces": [SPACE], "trials": 2, "metric": "validation.loss"}, "score it on test"),
    ],
)
def test_what_cannot_be_asked(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        dataclasses.replace(BASE, **change).check()
    assert says in str(caught.value)


def test_a_recipe_may_be_asked_for_its_spread() -> None:
    dataclasses.replace(BASE, arms=[Arm("as it is", {})], seeds=[0, 1]).check()


def test_one_arm_may_be_tuned() -> None:
    dataclasses.replace(BASE, arms=BASE.arms[:1], spaces=[SPACE], trials=2).check()
