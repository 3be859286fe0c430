"""Whether a comparison is fair, judged before anything runs and again by what ran.

Fair is: every arm gets the same number of updates of the same size, as many moves in an environment, the same seeds,
and the same search. Anything else is refused, or on request goes on and is said on every output.

Source: Sivaprasad et al., Optimizer Benchmarking Needs to Account for Hyperparameter Tuning, ICML 2020.
Checked by: each kind of inequality, asked for and not; budgets in other words that come to the same.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fourfold.core.errors import InputError
from fourfold.core.overrides import apply_overrides
from fourfold.core.recipe import Recipe
from fourfold.run.build import batch_size_of, data_cache
from fourfold.run.loop import plan_schedule
from fourfold.run.parts import with_parts
from fourfold.study.cells import CellResult
from fourfold.study.design import Space
from fourfold.study.question import Question

Plan = Mapping[str, Sequence[Recipe]]  # problem -> each arm's recipe
STEPS = "numbers of steps"


def spaces_of(question: Question, recipe: Recipe) -> list[Space]:
    """Return those of a question's spaces that a recipe has a field for."""
    return [space for space in question.spaces if problem_with(space, recipe) is None]


def problem_with(space: Space, recipe: Recipe) -> str | None:
    """Return why a recipe cannot be tuned in a space, None if it can."""
    for end in (space.low, space.high):
        try:
            with_parts(apply_overrides(recipe.to_mapping(), {space.key: int(end) if space.whole else end}))
        except InputError as error:
            return str(error)
    return None


def refuse_unfair(question: Question, plan: Plan) -> list[str]:
    """Return what is unequal, in sentences; empty for a fair comparison.

    Raises:
        InputError: something is, and nobody asked for it; says all of it.
    """
    unequal: list[str] = []
    for problem, recipes in plan.items():
        unequal += _unequal_training(question, problem, recipes) + _unequal_spaces(question, recipes)
    if question.spaces and (question.metric or "").startswith("validation."):
        unequal.append("scored on the validation split that it was tuned on, so every score is too good")
    unequal = list(dict.fromkeys(unequal))
    if unequal and not question.unfair:
        raise InputError(f"{'; '.join(unequal)}; --unfair goes on, and says so on every output")
    return unequal


def unequal_by_result(question: Question, problem: str, results: Sequence[Sequence[CellResult | None]]) -> list[str]:
    """Return what turned out to be unequal: updates planned, and seeds that have a score.

    Args:
        question: what was asked.
        problem: the recipe's name.
        results: of each arm, one a seed; None where there is none.
    """
    planned = [[int(r.result.get("planned_steps", 0)) for r in each if r is not None] for each in results]
    done = [sum(r is not None and r.status == "done" for r in each) for each in results]
    return [
        *_unequal(question, problem, STEPS, [max(steps, default=None) for steps in planned]),
        *_unequal(question, problem, "numbers of finished seeds", done),
    ]


class _Length(NamedTuple):
    """What a budget comes to with an arm's own data."""

    steps: int
    batch_size: int
    examples: int  # over all steps, of which the last of an epoch may be a smaller one


def _unequal_training(question: Question, problem: str, recipes: Sequence[Recipe]) -> list[str]:
    return [*_unequal_budgets(question, problem, recipes), *_unequal_work(question, problem, recipes)]


def _unequal_work(question: Question, problem: str, recipes: Sequence[Recipe]) -> list[str]:
    work = [recipe.algorithm.work() for recipe in recipes]  # type: ignore[attr-defined]
    names = dict.fromkeys(name for each in work for name in each)
    return [said for name in names for said in _unequal(question, problem, name, [each.get(name) for each in work])]


def _unequal_budgets(question: Question, problem: str, recipes: Sequence[Recipe]) -> list[str]:
    budgets = {(each.budget.steps, each.budget.epochs, each.budget.batch_size) for each in recipes}
    if len(budgets) == 1 and len({each.data.model_dump_json() for each in recipes}) == 1:
        return []  # so the data need not be looked at
    lengths = [_length(recipe) for recipe in recipes]
    return [
        *_unequal(question, problem, STEPS, [each.steps for each in lengths]),
        *_unequal(question, problem, "batch sizes", [each.batch_size for each in lengths]),
        *_unequal(question, problem, "numbers of examples seen in training", [each.examples for each in lengths]),
    ]


def _length(recipe: Recipe) -> _Length:
    source = recipe.data.build(recipe.seed, data_cache())  # type: ignore[attr-defined]
    size, batch_size = source.sizes["train"], batch_size_of(recipe, source)
    steps_per_epoch = -(-size // batch_size)
    steps = plan_schedule(recipe.budget, steps_per_epoch).steps
    epochs, rest = divmod(steps, steps_per_epoch)
    return _Length(steps, batch_size, epochs * size + rest * batch_size)


def _unequal(question: Question, problem: str, what: str, values: Sequence[float | None]) -> list[str]:
    """Say which arms have another number than the reference, if any has; None is not known and not compared."""
    known = {arm.name: value for arm, value in zip(question.arms, values, strict=True) if value is not None}
    if len(set(known.values())) < 2:
        return []
    reference = question.reference if question.reference in known else next(iter(known))
    where = f" on {problem}" if len(question.problems) > 1 else ""
    others = [f"'{arm}' {value:,}" for arm, value in known.items() if value != known[reference]]
    return [f"unequal {what}{where}: {', '.join(others)}, and '{reference}' {known[reference]:,}"]


def _unequal_spaces(question: Question, recipes: Sequence[Recipe]) -> list[str]:
    said = []
    for space in question.spaces:
        for arm, recipe in zip(question.arms, recipes, strict=True):
            if (problem := problem_with(space, recipe)) is not None:
                said.append(f"--tune {space.key}: the arm '{arm.name}' cannot be tuned so ({problem})")
    return said
