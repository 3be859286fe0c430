"""k-fold cross-validation: the same recipe once a fold, each fold validates once; no choice looks at the test split.

Source: Stone, Cross-validatory choice and assessment of statistical predictions, JRSS B 36, 1974.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fourfold.core.errors import InputError
from fourfold.core.recipe import Recipe
from fourfold.records.folder import RunFolder
from fourfold.records.folds import done_folds, mean_and_spread
from fourfold.run import runtime
from fourfold.run.processes import device_of, joined
from fourfold.run.run import Run, resume, start_among
from fourfold.run.watch import Watcher


class CrossValidation(NamedTuple):
    """The folds' runs, and each metric's mean and standard deviation over them."""

    runs: list[Run]
    mean: dict[str, dict[str, float]]  # split -> metric -> mean over folds
    spread: dict[str, dict[str, float]]  # split -> metric -> sample standard deviation; NaN if a fold is not finite

    def to_mapping(self) -> dict[str, Any]:
        """Return the result as JSON-ready data; `run_id` and `folder` are the unfinished fold's, if there is one."""
        shown = next((run for run in self.runs if run.status != "done"), self.runs[0])
        return {
            **{key: shown.result[key] for key in ("run_id", "folder", "recipe", "seed", "params")},
            "headline": shown.headline,
            "status": "done" if all(run.status == "done" for run in self.runs) else "interrupted",
            "folds": [run.run_id for run in self.runs],
            "steps": sum(run.result["steps"] for run in self.runs),
            "seconds": round(sum(run.result["seconds"] for run in self.runs), 3),
            "examples_per_second": statistics.fmean(run.result["examples_per_second"] for run in self.runs),
            "metrics": self.mean,
            "spread": self.spread,
        }


def cross_validate(
    name: str, recipe: Recipe, workspace: Path, watcher: Watcher | None = None, trackers: Sequence[str] = ()
) -> CrossValidation:
    """Train once a fold and return the runs with mean and spread; an interrupted fold ends the series.

    Raises:
        InputError: the data cannot be cut into folds.
        DivergedError: a fold stopped being finite.
    """
    folds = getattr(recipe.data, "folds", None)
    if folds is None:
        raise InputError("data.folds: say how many folds, for example data.folds=5")
    runs: list[Run] = []
    machine = runtime.resolve_machine(recipe.runtime)
    with joined(machine.processes, device_of(machine.device)) as processes:
        for fold in range(folds):
            runs.append(start_among(processes, name, _of_fold(recipe, fold), workspace, watcher, trackers))
            if processes.share(runs[-1].status) != "done":  # all go on, or none
                break
    return summarise(runs)


def go_on(folder: RunFolder, watcher: Watcher | None = None, trackers: Sequence[str] = ()) -> CrossValidation:
    """Finish the fold that a run is, then train the folds that no finished run beside it is of.

    Raises:
        InputError: the run is no fold, or of several processes; else as `resume` and `start_among` do.
        DivergedError: a fold stopped being finite.
    """
    recipe = Run(folder).recipe
    folds = getattr(recipe.data, "folds", None)
    if folds is None:
        raise InputError(f"{folder.run_id}: it is no fold of a cross-validation; leave out --folds")
    if recipe.runtime.processes > 1:
        raise InputError(f"{folder.run_id}: it is trained by several processes; resume each fold without --folds")
    first = resume(folder, watcher, trackers)
    if first.status != "done":
        return summarise([first])
    done, runs = done_folds(folder), list[Run]()
    with joined(1, device_of(recipe.runtime.device)) as processes:
        for fold in range(folds):
            if fold in done:
                runs.append(Run(RunFolder.open(folder.path.parent / done[fold])))
                continue
            name, workspace = folder.identity.recipe, folder.path.parent
            runs.append(start_among(processes, name, _of_fold(recipe, fold), workspace, watcher, trackers))
            if runs[-1].status != "done":
                break
    return summarise(runs)


def _of_fold(recipe: Recipe, fold: int) -> Recipe:
    return recipe.model_copy(update={"data": recipe.data.model_copy(update={"fold": fold})})


def summarise(runs: list[Run]) -> CrossValidation:
    """Return the runs of the folds with each metric's mean and spread over those that have scores."""
    return CrossValidation(runs, *mean_and_spread(run.metrics for run in runs if run.metrics))
