"""Running a recipe from Python: `ff.run("digits-mlp", overrides={"algorithm.optimizer.lr": 1e-2})`."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourfold.core.errors import BAD_INPUT, DIVERGED, DivergedError, FourfoldError, InputError
from fourfold.core.recipe import Recipe
from fourfold.records.folder import RunFolder
from fourfold.records.location import workspace_path
from fourfold.records.naming import to_file_name
from fourfold.run.crossvalidate import CrossValidation, summarise
from fourfold.run.crossvalidate import cross_validate as cross_validate_recipe
from fourfold.run.launch import launch
from fourfold.run.parts import load_recipe, used_files
from fourfold.run.processes import is_worker
from fourfold.run.run import Run, start
from fourfold.run.run import resume as resume_folder
from fourfold.run.watch import Watcher


def run(
    recipe: str | Path | Mapping[str, Any] | Recipe,
    overrides: Mapping[str, Any] | None = None,
    *,
    seed: int | None = None,
    workspace: str | Path | None = None,
    watcher: Watcher | None = None,
) -> Run:
    """Train a recipe and return the finished run.

    Args:
        recipe: the name of a shipped recipe, a YAML file, a mapping, or a `Recipe`.
        overrides: dotted keys to values, such as `{"model.widths": [64, 64]}`.
        seed: shorthand for the override `seed`.
        workspace: where the run's folder goes; default `FOURFOLD_WORKSPACE`, else `./runs`.
        watcher: hears progress; called only when something is read anyway. Not where this call starts several
            processes, whose progress nobody here can hear.

    Raises:
        InputError: the recipe cannot be run; nothing was created.
        DivergedError: training stopped being finite; the run is recorded.
        RecordError, CheckpointError: the run's folder cannot be written; the run is recorded as failed if it can be.
        FourfoldError: one of several processes failed or was lost; the run is recorded as failed.
    """
    changes = dict(overrides or {}) | ({"seed": seed} if seed is not None else {})
    name, parsed = load_recipe(recipe, changes)
    if getattr(parsed.data, "folds", None) is not None and getattr(parsed.data, "fold", None) is None:
        raise InputError("data.folds: give data.fold for one fold, or call fourfold.cross_validate for all of them")
    if _must_launch(parsed.runtime.processes, watcher):
        return Run(RunFolder.open(Path(_run_in_processes(name, parsed, workspace_path(workspace))["folder"])))
    return start(name, parsed, workspace_path(workspace), watcher)


def open_run(run: str | Path, workspace: str | Path | None = None) -> Run:
    """Return a recorded run, by its name in the workspace or by its folder.

    Raises:
        InputError: no such run; the nearest name is offered.
    """
    return Run(RunFolder.find(workspace_path(workspace), str(run)))


def resume(run: str | Path, *, workspace: str | Path | None = None, watcher: Watcher | None = None) -> Run:
    """Continue an interrupted run exactly where its newest checkpoint stands; a finished run is returned as it is.

    Args:
        run: its name in the workspace, or its folder.
        workspace: as for `run`.
        watcher: as for `run`.

    Raises:
        InputError: no such run, it is running, or its data have changed since it began.
        DivergedError: training stopped being finite.
        RecordError, CheckpointError: the run's folder cannot be written, or all of its checkpoints are damaged.
        FourfoldError: one of several processes failed or was lost; the run is recorded as failed.
    """
    folder = RunFolder.find(workspace_path(workspace), str(run))
    processes = folder.recipe().get("runtime", {}).get("processes", 1)
    if folder.status != "done" and _must_launch(processes, watcher):
        _in_processes(["resume", str(folder.path.resolve())], processes)
        return Run(RunFolder.open(folder.path))
    return resume_folder(folder, watcher)


def cross_validate(
    recipe: str | Path | Mapping[str, Any] | Recipe,
    folds: int,
    overrides: Mapping[str, Any] | None = None,
    *,
    workspace: str | Path | None = None,
    watcher: Watcher | None = None,
) -> CrossValidation:
    """Train a recipe once a fold and return the runs with each metric's mean and spread.

    Args:
        recipe: as for `run`.
        folds: how many.
        overrides: as for `run`.
        workspace: as for `run`.
        watcher: as for `run`; it hears one fold after the other.

    Raises:
        InputError: the recipe cannot be run, or its data cannot be cut into folds.
        DivergedError: a fold stopped being finite; it is recorded, like those before it.
        RecordError, CheckpointError: a fold's folder cannot be written; it is recorded as failed if it can be.
        FourfoldError: one of several processes failed or was lost; the fold is recorded as failed.
    """
    name, parsed = load_recipe(recipe, {**(overrides or {}), "data.folds": folds})
    if getattr(parsed.data, "fold", None) is not None:
        raise InputError("data.fold: names one fold, but cross_validate runs them all; leave it out")
    if _must_launch(parsed.runtime.processes, watcher):
        result = _run_in_processes(name, parsed, workspace_path(workspace))
        beside = Path(result["folder"]).parent
        return summarise([Run(RunFolder.open(beside / to_file_name(each))) for each in result["folds"]])
    return cross_validate_recipe(name, parsed, workspace_path(workspace), watcher)


def _must_launch(processes: int, watcher: Watcher | None) -> bool:
    """Return whether several processes are to be started: not where this is one of them, in a script under torchrun.

    Raises:
        InputError: a watcher, which would hear nothing.
    """
    if processes == 1 or is_worker():
        return False
    if watcher is not None:
        raise InputError("watcher: cannot hear a run of several processes; leave it out, or use runtime.processes=1")
    return True


def _run_in_processes(name: str, recipe: Recipe, workspace: Path) -> dict[str, Any]:
    """Run a recipe in several processes, and return what `fourfold run --json` says."""
    with tempfile.TemporaryDirectory(prefix="fourfold-") as folder:
        file = Path(folder) / f"{name}.yaml"
        file.write_text(recipe.to_yaml(), encoding="utf-8")
        return _in_processes(["run", str(file), "--workspace", str(workspace)], recipe.runtime.processes)


def _in_processes(command: list[str], processes: int) -> dict[str, Any]:
    """Give a command to several processes, with the parts that were added here, and return what it says."""
    used = [argument for file in used_files() for argument in ("--use", str(file))]
    with tempfile.TemporaryFile() as output:
        code = launch([*command, *used, "--json", "--quiet"], processes, output)
        output.seek(0)
        result = _answer(output.read().decode("utf-8", errors="replace"))
    if "error" in result or "folder" not in result:
        kind = {BAD_INPUT: InputError, DIVERGED: DivergedError}.get(code, FourfoldError)
        raise kind(str(result.get("error", f"the processes ended with exit code {code}")))
    return result


def _answer(said: str) -> dict[str, Any]:
    """Return the last JSON object that was printed, a line of its own; a user's part may print more lines around it."""
    for line in reversed(said.splitlines()):
        try:
            found = json.loads(line)
        except ValueError:
            continue
        if isinstance(found, dict) and ("folder" in found or "error" in found):
            return found
    return {}
