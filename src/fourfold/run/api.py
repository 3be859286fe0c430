"""Running a recipe from Python: `ff.run("digits-mlp", overrides={"algorithm.optimizer.lr": 1e-2})`."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourfold.core.errors import BAD_INPUT, DIVERGED, DivergedError, FourfoldError, InputError
from fourfold.core.recipe import Recipe
from fourfold.records.folder import RunFolder
from fourfold.records.naming import to_file_name
from fourfold.run.crossvalidate import CrossValidation, summarise
from fourfold.run.crossvalidate import cross_validate as cross_validate_recipe
from fourfold.run.launch import launch
from fourfold.run.parts import load_recipe, used_files
from fourfold.run.run import Run, start
from fourfold.run.run import resume as resume_folder
from fourfold.run.watch import Watcher


def workspace_path(workspace: str | Path | None) -> Path:
    """Return the workspace: the one given, else `FOURFOLD_WORKSPACE`, else `./runs`."""
    return Path(workspace or os.environ.get("FOURFOLD_WORKSPACE") or "runs")


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
        watcher: hears progress; called only when something is read anyway. Not with several processes, whose progress
            nobody here can hear.

    Raises:
        InputError: the recipe cannot be run; nothing was created.
        DivergedError: training stopped being finite; the run is recorded.
    """
    changes = dict(overrides or {}) | ({"seed": seed} if seed is not None else {})
    name, parsed = load_recipe(recipe, changes)
    if getattr(parsed.data, "folds", None) is not None and getattr(parsed.data, "fold", None) is None:
        raise InputError("data.folds: give data.fold for one fold, or call fourfold.cross_validate for all of them")
    if parsed.runtime.processes > 1:
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

    Raises:
        InputError: no such run, or it is running.
        DivergedError: training stopped being finite.
    """
    folder = RunFolder.find(workspace_path(workspace), str(run))
    processes = folder.recipe().get("runtime", {}).get("processes", 1)
    if processes > 1 and folder.status != "done":
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

    Raises:
        InputError: the recipe cannot be run, or its data cannot be cut into folds.
    """
    name, parsed = load_recipe(recipe, {**(overrides or {}), "data.folds": folds})
    if getattr(parsed.data, "fold", None) is not None:
        raise InputError("data.fold: names one fold, but cross_validate runs them all; leave it out")
    if parsed.runtime.processes > 1:
        result = _run_in_processes(name, parsed, workspace_path(workspace))
        beside = Path(result["folder"]).parent
        return summarise([Run(RunFolder.open(beside / to_file_name(each))) for each in result["folds"]])
    return cross_validate_recipe(name, parsed, workspace_path(workspace), watcher)


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
        lines = output.read().decode("utf-8").strip().splitlines()
    result: dict[str, Any] = json.loads(lines[-1]) if lines else {}
    if "error" in result or "folder" not in result:
        kind = {BAD_INPUT: InputError, DIVERGED: DivergedError}.get(code, FourfoldError)
        raise kind(str(result.get("error", f"the processes ended with exit code {code}")))
    return result
