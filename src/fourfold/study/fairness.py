"""Whether a comparison is fair, judged before anything runs and again by what ran.

Fair is: every arm gets the same number of updates of the same size, the same seeds, and the same search. Anything
else is refused, or on request goes on and is said on every output.

Source: Sivaprasad et al., Optimizer Benchmarking Needs to Account for Hyperparameter Tuning, ICML 2020.
Checked by: each kind of inequality, asked for and not.
"""

from collections.abc import Mapping, Sequence

from fourfold.core.errors import InputError
from fourfold.core.recipe import Recipe
from fourfold.run.parts import with_parts
from fourfold.study.cells import CellResult
from fourfold.study.design import Arm, Space, apply_arm
from fourfold.study.question import Question

Plan = Mapping[str, Sequence[Recipe]]  # problem -> each arm's recipe


def spaces_of(question: Question, recipe: Recipe) -> list[Space]:
    """Return those of a question's spaces that a recipe has a field for."""
    return [space for space in question.spaces if problem_with(space, recipe) is None]


def problem_with(space: Space, recipe: Recipe) -> str | None:
    """Return why a recipe cannot be tuned in a space, None if it can."""
    for end in (space.low, space.high):
        try:
            with_parts(apply_arm(recipe.to_mapping(), {space.key: int(end) if space.whole else end}))
        except InputError as error:
            return str(error)
    return None


def refuse_unfair(question: Question, plan: Plan) -> list[str]:
    """Return what is unequal, in sentences; empty for a fair comparison.

    Raises:
        InputError: something is, and nobody asked for it.
    """
    unequal: list[str] = []
    for recipes in plan.values():
        unequal += _unequal_budgets(question.arms, recipes) + _unequal_spaces(question, recipes)
    if question.spaces and (question.metric or "").startswith("validation."):
        unequal.append("scored on the validation split that it was tuned on, so every score is too good")
    unequal = list(dict.fromkeys(unequal))
    if unequal and not question.unfair:
        raise InputError(f"{unequal[0]}; --unfair goes on, and says so on every output")
    return unequal


def unequal_by_result(arms: Sequence[Arm], results: Sequence[Sequence[CellResult | None]]) -> list[str]:
    """Return what turned out to be unequal: updates planned, and seeds that have a score.

    Args:
        arms: as asked.
        results: of each arm, one a seed; None where there is none.
    """
    said: list[str] = []
    planned = [{int(r.result.get("planned_steps", 0)) for r in each if r is not None} for each in results]
    if len({frozenset(steps) for steps in planned if steps}) > 1:
        words = ", ".join(f"{arm.name} {max(s):,}" for arm, s in zip(arms, planned, strict=True) if s)
        said.append(f"unequal steps: {words}")
    done = [sum(r is not None and r.status == "done" for r in each) for each in results]
    if len(set(done)) > 1:
        words = ", ".join(f"{arm.name} {n}" for arm, n in zip(arms, done, strict=True))
        said.append(f"unequal numbers of finished seeds: {words}")
    return said


def _unequal_budgets(arms: Sequence[Arm], recipes: Sequence[Recipe]) -> list[str]:
    first, *others = zip(arms, recipes, strict=True)
    for name in ("steps", "epochs", "batch_size"):
        mine = getattr(first[1].budget, name)
        for arm, recipe in others:
            if getattr(recipe.budget, name) != mine:
                return [
                    f"budget.{name}: '{first[0].name}' has {mine} and '{arm.name}' {getattr(recipe.budget, name)}, "
                    "so they get unequal training"
                ]
    return []


def _unequal_spaces(question: Question, recipes: Sequence[Recipe]) -> list[str]:
    said = []
    for space in question.spaces:
        for arm, recipe in zip(question.arms, recipes, strict=True):
            if (problem := problem_with(space, recipe)) is not None:
                said.append(f"--tune {space.key}: the arm '{arm.name}' cannot be tuned so ({problem})")
    return said
