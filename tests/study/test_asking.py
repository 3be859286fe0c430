"""From what a person writes to a question."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from fourfold.core.errors import InputError
from fourfold.study.asking import ask
from fourfold.study.design import Space
from fourfold.study.question import Question

SPACE = "algorithm.optimizer.weight_decay=0.001:1:log"


def asked(**changes: Any) -> Question:
    words: dict[str, Any] = {
        "recipes": ["iris-softmax"],
        "vary": {"algorithm.optimizer.lr": [0.1, 0.01]},
        "overrides": {},
        **{"seeds": 3, "metric": None, "tune": [], "trials": None, "against": None, "smallest": None},
        **{"unfair": False, "stack": "never", "use": []},
    }
    return ask(**{**words, **changes})


def test_what_nobody_says() -> None:
    question = asked()
    assert (question.seeds, question.metric, question.trials, question.use) == ([0, 1, 2], None, 0, [])
    assert question.reference == "lr=0.1"
    assert asked(tune=[SPACE]).trials == 8
    assert asked(tune=[SPACE], trials=3).trials == 3


def test_a_metric_alone_is_of_the_test_split() -> None:
    assert asked(metric="loss").metric == "test.loss"
    assert asked(metric="train.loss").metric == "train.loss"


def test_a_space_may_be_words_or_none() -> None:
    assert asked(tune=[SPACE]) == asked(tune=[Space("algorithm.optimizer.weight_decay", 0.001, 1.0, True, False)])


def test_changes_are_every_recipes_and_a_run_has_one_length() -> None:
    question = asked(recipes=["iris-softmax", "digits-mlp"], overrides={"budget.steps": 7})
    assert list(question.problems) == ["iris-softmax", "digits-mlp"]
    for fields in question.problems.values():
        assert (fields["budget"]["steps"], fields["budget"].get("epochs")) == (7, None)


def test_files_of_ones_own_are_known_by_what_they_hold(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_bytes(b"PARTS = {}")
    assert asked(use=[file]).use == [hashlib.sha256(b"PARTS = {}").hexdigest()]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"recipes": []}, "which recipe"),
        ({"recipes": ["digits-mlp", "digits-mlp"]}, "the recipe 'digits-mlp' is given twice"),
        ({"trials": 20}, "--trials 20: of what? --tune says"),
        ({"trials": 0, "tune": [SPACE]}, "--tune and --trials: one needs the other"),
        ({"against": "lr=1"}, "--against: no arm called 'lr=1'"),
        ({"use": [Path("gone.py")]}, "gone.py: no such file"),
        ({"overrides": {"algorithm.optimizer.lr": 1.0}}, "'algorithm.optimizer.lr' is set for every arm, and varied"),
        (
            {"vary": {"model.name": ["mlp", "softmax_regression"]}, "overrides": {"model": "mlp"}},
            "'model' is set for every arm, and varied",
        ),
        (
            {"vary": {"algorithm.optimizer": ["sgd", "adam"]}, "overrides": {"algorithm.optimizer.lr": 0.1}},
            "--vary 'algorithm.optimizer={name: A, lr: 0.1},B'",
        ),
    ],
)
def test_what_cannot_be_asked(change: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError) as caught:
        asked(**change)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
