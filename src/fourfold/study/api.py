"""Comparing from Python: `ff.compare("digits-mlp", {"algorithm.optimizer": ["sgd", "adam"]}, seeds=10)`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fourfold.core.errors import InputError, did_you_mean
from fourfold.records.location import check_workspace, workspace_path
from fourfold.run.parts import used_files
from fourfold.study.answer import read_answer
from fourfold.study.asking import ask
from fourfold.study.compare import compare as answer
from fourfold.study.design import Space
from fourfold.study.execute import Watcher

if TYPE_CHECKING:
    import pandas


class Study:
    """An answered question: a comparison, or how much one recipe's scores spread.

    Attributes:
        folder: where study.json is.
        content: everything in it.
    """

    def __init__(self, folder: Path, content: Mapping[str, Any]) -> None:
        self.folder, self.content = folder, content

    def __repr__(self) -> str:
        return f"Study({self.folder.name!r}, {len(self.arms)} arms, {len(self.content['asked']['seeds'])} seeds)"

    @property
    def arms(self) -> list[str]:
        """The names of the arms."""
        return [arm["name"] for arm in self.content["asked"]["arms"]]

    @property
    def recipes(self) -> list[str]:
        """The names of the recipes that the arms ran on."""
        return [problem["recipe"] for problem in self.content["problems"]]

    @property
    def unfair(self) -> list[str]:
        """What is unequal between the arms, in sentences; empty for a fair comparison."""
        return list(self.content["unfair"])

    def scores(self, arm: str, recipe: str | None = None) -> dict[int, float | None]:
        """Return an arm's score at each seed, None where it diverged or failed.

        Raises:
            InputError: no such arm or recipe; the nearest is offered.
        """
        problem = self._problem(recipe)
        found = problem["arms"][self.arms.index(self._arm(arm))]
        return {cell["seed"]: cell["score"] for cell in found["cells"]}

    def comparison(self, arm: str, recipe: str | None = None) -> dict[str, Any]:
        """Return an arm's difference to the reference: `difference`, `low`, `high`, `p_holm`, `verdict`, `because`, ….

        Raises:
            InputError: no such arm or recipe, or the arm is the reference itself.
        """
        rows = {row["arm"]: row for row in self._problem(recipe)["comparisons"]}
        if not rows:
            raise InputError("this study compares nothing: it has one arm")
        if self._arm(arm) not in rows:
            raise InputError(f"'{arm}' is what the others are compared with; one of {', '.join(rows)}")
        return dict(rows[arm])

    def to_frame(self) -> "pandas.DataFrame":
        """Return one row a cell: recipe, arm, seed, status, score, and each metric as `split.name`."""
        import pandas

        rows = []
        for problem in self.content["problems"]:
            for arm in problem["arms"]:
                for cell in arm["cells"]:
                    metrics = {f"{s}.{name}": v for s, named in cell["metrics"].items() for name, v in named.items()}
                    shown = {name: cell[name] for name in ("seed", "status", "score", "folder")}
                    rows.append({"recipe": problem["recipe"], "arm": arm["name"], **shown, **metrics})
        return pandas.DataFrame(rows)

    def _problem(self, recipe: str | None) -> Mapping[str, Any]:
        if recipe is None and len(self.recipes) > 1:
            raise InputError(f"recipe: which one? one of {', '.join(self.recipes)}")
        name = recipe or self.recipes[0]
        if name not in self.recipes:
            raise InputError(f"recipe: no '{name}' in this study{did_you_mean(name, self.recipes)}")
        return self.content["problems"][self.recipes.index(name)]

    def _arm(self, arm: str) -> str:
        if arm not in self.arms:
            raise InputError(f"no arm called '{arm}'{did_you_mean(arm, self.arms)}")
        return arm


def compare(
    recipes: str | Path | Mapping[str, Any] | Sequence[str | Path],
    vary: Mapping[str, Sequence[Any]] | None = None,
    overrides: Mapping[str, Any] | None = None,
    *,
    seeds: int = 10,
    metric: str | None = None,
    tune: Sequence[str | Space] = (),
    trials: int | None = None,
    against: str | None = None,
    smallest: float | None = None,
    unfair: bool = False,
    stack: Literal["never", "auto", "always"] = "never",
    workspace: str | Path | None = None,
    watcher: Watcher | None = None,
) -> Study:
    """Swap a part, hold the others still, and return what it was worth.

    Cells that are finished are not run again; a script that calls this needs no `if __name__ == "__main__"`.

    Args:
        recipes: one recipe, or several: a shipped name, a YAML file, or plain data.
        vary: dotted keys to the values that are compared, such as `{"algorithm.optimizer": ["sgd", "adam"]}`; None is
            the recipe as it is, whose spread over seeds is measured.
        overrides: dotted keys to values, for every arm alike.
        seeds: how many; each arm runs at each.
        metric: `split.name`; by default the task's headline on the test split.
        tune: spaces such as `"algorithm.optimizer.lr=1e-4:1:log"`, searched for every arm at every seed.
        trials: settings tried for each arm and seed, where something is tuned; by default 8. Fewer than 11 are random.
        against: the arm that the others are compared with; by default the first.
        smallest: the smallest difference that matters, in the metric's unit; by default 1 % of the larger mean.
        unfair: let arms get unequal steps or searches; every output then says so.
        stack: whether cells may be trained as one stack: "auto" where that is faster, "always", or "never".
        workspace: where cells and the study go; default `FOURFOLD_WORKSPACE`, else `./runs`.
        watcher: hears how far the cells are.

    Raises:
        InputError: the question cannot be asked, an arm cannot be built, or the workspace cannot be; one line.
        FourfoldError: a cell cannot be recorded.
        StoppedError: SIGINT or SIGTERM; what is finished is kept.
    """
    question = ask(
        recipes if isinstance(recipes, Sequence) and not isinstance(recipes, str) else [recipes],
        vary or {},
        overrides or {},
        seeds=seeds,
        metric=metric,
        tune=tune,
        trials=trials,
        against=against,
        smallest=smallest,
        unfair=unfair,
        stack=stack,
        use=used_files(),
    )
    place = workspace_path(workspace)
    found = read_answer(question, place)
    if found is None:
        check_workspace(place)
        found = answer(question, place, watcher)
    return Study(question.folder(place), found)
