"""k-fold cross-validation: the same recipe once a fold, each fold validates once; no choice looks at the test split.

Source: Stone, Cross-validatory choice and assessment of statistical predictions, JRSS B 36, 1974.
"""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fourfold.core.errors import InputError
from fourfold.core.recipe import Recipe
from fourfold.records.folder import RunFolder
from fourfold.records.folds import begun_folds, done_folds, mean_and_spread
from fourfold.run import runtime
from fourfold.run.processes import ManyProcesses, SingleProcess, device_of, joined
from fourfold.run.run import Run, refuse_changed_files, resume, start_among
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
            "processes": shown.recipe.runtime.processes,
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
    if getattr(recipe.data, "folds", None) is None:
        raise InputError("data.folds: say how many folds, for example data.folds=5")
    machine = runtime.resolve_machine(recipe.runtime)
    with joined(machine.processes, device_of(machine.device)) as processes:
        return summarise(_train(processes, name, recipe, workspace, {}, watcher, trackers))


def go_on(folder: RunFolder, watcher: Watcher | None = None, trackers: Sequence[str] = ()) -> CrossValidation:
    """Finish the folds that were begun of the cross-validation that a run is one fold of, then train the others.

    Raises:
        InputError: the run is no fold, or of several processes, or its data have changed; else as `resume` does.
        DivergedError: a fold stopped being finite.
    """
    recipe, workspace = Run(folder).recipe, folder.path.parent
    if getattr(recipe.data, "folds", None) is None:
        raise InputError(f"{folder.run_id}: it is no fold of a cross-validation; leave out --folds")
    if recipe.runtime.processes > 1:
        raise InputError(
            f"{folder.run_id}: it is trained by several processes; resume it without --folds, and train a fold that is "
            "missing with data.fold=N"
        )
    begun = begun_folds(folder)
    for name in begun.values():
        run = resume(RunFolder.open(workspace / name), watcher, trackers)
        if run.status != "done":
            return summarise([run])
    done = {fold: Run(RunFolder.open(workspace / name)) for fold, name in done_folds(folder).items()}
    if not begun and len(done) < recipe.data.folds:  # type: ignore[attr-defined]  # else resuming has looked
        refuse_changed_files(folder, Run(folder).parts.source)
    with joined(1, device_of(recipe.runtime.device)) as processes:
        return summarise(_train(processes, folder.identity.recipe, recipe, workspace, done, watcher, trackers))


def _train(
    processes: ManyProcesses | SingleProcess,
    name: str,
    recipe: Recipe,
    workspace: Path,
    done: Mapping[int, Run],
    watcher: Watcher | None,
    trackers: Sequence[str],
) -> list[Run]:
    """Return a run for each fold: those that are done, and new ones up to the first that is interrupted."""
    runs: list[Run] = []
    for fold in range(recipe.data.folds):  # type: ignore[attr-defined]
        if fold in done:
            runs.append(done[fold])
            continue
        data = recipe.data.model_copy(update={"fold": fold})
        fold_recipe = recipe.model_copy(update={"data": data})
        runs.append(start_among(processes, name, fold_recipe, workspace, watcher, trackers))
        if processes.share(runs[-1].status) != "done":  # all go on, or none
            break
    return runs


def summarise(runs: list[Run]) -> CrossValidation:
    """Return the runs of the folds with each metric's mean and spread over those that have scores."""
    return CrossValidation(runs, *mean_and_spread(run.metrics for run in runs if run.metrics))
