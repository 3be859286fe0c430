"""From what a person writes, on a command line or in Python, to a question that can be asked.

Nothing here imports torch: whether the question has been answered already is known without it.

Checked by: the same words on a command line and in Python ask the same question; every mistake in one line.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from fourfold.core.errors import InputError
from fourfold.core.overrides import apply_overrides
from fourfold.run.parts import one_length, recipe_fields
from fourfold.study.design import Space, arms_of, parse_seeds, parse_space
from fourfold.study.files import digest
from fourfold.study.question import Question

TRIALS = 8  # where something is tuned and nobody says how often


def ask(
    recipes: Sequence[str | Path | Mapping[str, Any]],
    vary: Mapping[str, Sequence[Any]],
    overrides: Mapping[str, Any],
    *,
    seeds: int,
    metric: str | None,
    tune: Sequence[str | Space],
    trials: int | None,
    against: str | None,
    smallest: float | None,
    unfair: bool,
    stack: Literal["never", "auto", "always"],
    use: Sequence[Path],
) -> Question:
    """Return the question, checked.

    Args:
        recipes: shipped names, YAML files, or plain data.
        vary: dotted keys to the values that are compared; empty: the recipe as it is, at every seed.
        overrides: dotted keys to values, for every arm alike.
        seeds: how many; each arm runs at each.
        metric: `split.name`, or a name alone for the test split; None is the task's headline on it.
        tune: spaces, searched for every arm at every seed.
        trials: settings tried for each arm and seed; None is eight where something is tuned.
        against: the arm that the others are compared with; None is the first.
        smallest: the smallest difference that matters; None is 1 % of the larger mean.
        unfair: whether arms may get unequal steps or searches.
        stack: whether cells may be trained as one stack.
        use: the user's own files whose parts may be named.

    Raises:
        InputError: it cannot be asked; one line that names the option.
    """
    if not recipes:
        raise InputError("which recipe? for example fourfold compare digits-mlp --vary algorithm.optimizer=sgd,adam")
    _refuse_set_and_varied(overrides, vary)
    changes, problems = one_length(overrides), {}
    for recipe in recipes:
        name, fields = recipe_fields(recipe)
        if name in problems:
            raise InputError(f"the recipe '{name}' is given twice")
        problems[name] = apply_overrides(fields, changes)
    if trials is not None and not tune:
        raise InputError(f"--trials {trials}: of what? --tune says what is searched, as in --tune KEY=LOW:HIGH:log")
    question = Question(
        problems=problems,
        arms=arms_of(vary),
        seeds=parse_seeds(seeds),
        metric=metric if metric is None or "." in metric else f"test.{metric}",
        spaces=[space if isinstance(space, Space) else parse_space(space) for space in tune],
        trials=(TRIALS if trials is None else trials) if tune else 0,
        against=against,
        smallest=smallest,
        unfair=unfair,
        stack=stack,
        use=[digest(file) for file in use],
    )
    question.check()
    return question


def _refuse_set_and_varied(overrides: Mapping[str, Any], vary: Mapping[str, Any]) -> None:
    """Raise InputError where what is set for every arm would not stand in each of them."""
    for varied in vary:
        key = varied.removesuffix(".name")
        for given in overrides:
            if given.removesuffix(".name") == key:
                raise InputError(f"'{given}' is set for every arm, and varied by --vary; leave one of the two")
            if given.startswith(f"{key}."):
                field = given.removeprefix(f"{key}.")
                raise InputError(
                    f"'{given}': --vary {varied} chooses what that is a field of, so it would not reach every arm; "
                    f"write it into the values, as in --vary '{key}={{name: A, {field}: {overrides[given]}}},B'"
                )
