"""`fourfold run` and `fourfold resume`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fourfold.cli.opening import find_runs
from fourfold.cli.options import (
    JsonOption,
    QuietOption,
    RunArgument,
    TrackOption,
    UseOption,
    WorkspaceOption,
    load_parts,
)
from fourfold.cli.output import is_first_process, note, print_json
from fourfold.core.errors import DONE, FAILED, INTERRUPTED, DivergedError
from fourfold.records.location import check_workspace, workspace_path

if TYPE_CHECKING:
    from fourfold.cli.progress import Listener
    from fourfold.core.recipe import Recipe


def run(
    recipe: Annotated[str, typer.Argument(metavar="RECIPE", help="A recipe's name, or a .yaml file of your own.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(metavar="[KEY=VALUE]...", help="Changes to the recipe: a part, or a field of a part."),
    ] = None,
    seed: Annotated[int | None, typer.Option("--seed", metavar="N", help="Short for seed=N.")] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights",
            metavar="FILE | FOLDER",
            help="Begin from a .pth or .safetensors file, from a folder of Hugging Face's or of a run, or from "
            "torchvision's published file: torchvision.",
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    track: TrackOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Train a recipe, score it on every split, and record the run.

    \b
    Examples:
      fourfold run digits-mlp
      fourfold run digits-mlp 'model.widths=[64,64]' --seed 3
      fourfold run digits-mlp algorithm.optimizer=momentum   another part
      fourfold run digits-mlp data.folds=5     cross-validated: mean ± spread
      fourfold run table-mlp data.path=houses.csv data.target=price
      fourfold run mnist-mlp runtime.processes=2             data-parallel
      fourfold run digits-mlp --weights mine.safetensors     begin from weights of a file
      fourfold run gpt2 data=text data.path=a.txt --weights ~/gpt2    a folder of Hugging Face's, with its tokenizer
      fourfold run pictures-resnet18.yaml --weights torchvision "algorithm.freeze=[conv1, bn1, layer1]"

    Exit codes: 0 done, 1 failed, 2 bad input (nothing is created), 3 diverged, 130 interrupted (fourfold resume).
    """
    from fourfold.cli.begun import place_of
    from fourfold.core.overrides import parse_overrides
    from fourfold.run.parts import load_recipe

    load_parts(use)
    changes = parse_overrides([*(overrides or []), *([f"seed={seed}"] if seed is not None else [])])
    if weights is not None:
        weights = place_of(weights, workspace_path(workspace))
        changes["weights"] = weights
    name, parsed = load_recipe(recipe, changes)
    if parsed.runtime.processes > 1 and not _is_worker():
        return _launch(
            recipe, overrides or [], seed, weights, workspace, use, track, json, quiet, parsed.runtime.processes
        )
    place = workspace_path(workspace)
    check_workspace(place)
    watcher = _watcher(quiet)
    try:
        result = _train(name, parsed, place, watcher, [track] if track is not None else [])
    except DivergedError as error:
        return _diverged(error, place / watcher.run_id, json, quiet)
    return _finish(result, json, quiet)


def resume(
    run: RunArgument,
    folds: Annotated[
        bool, typer.Option("--folds", help="Of a cross-validation: then also train the folds that are missing.")
    ] = False,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    track: TrackOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Go on with an interrupted run from its newest checkpoint, exactly as if it had never stopped.

    A finished run is left as it is, but --folds trains the folds that are missing beside it. So is one that another
    process is training.

    \b
    Examples:
      fourfold resume digits-mlp-3
      fourfold resume digits-mlp-3 --track tensorboard
      fourfold resume digits-mlp-3 --folds     the other folds of its cross-validation too
      fourfold resume /mnt/elsewhere/runs/digits-mlp-3 --json
    """
    (folder,) = find_runs([run], workspace, use)
    processes = folder.recipe().get("runtime", {}).get("processes", 1)
    if processes > 1 and not _is_worker() and folder.status != "done" and not folds:
        from fourfold.run.launch import launch

        options = _options(None, None, use, track, json, quiet)
        return launch(["resume", str(folder.path.resolve()), *options], processes)
    if folder.status == "done" and not folds and not quiet and is_first_process():
        note(f"{folder.run_id}: done already, so there is nothing to go on with; this is its result")
    watcher, trackers = _watcher(quiet), [track] if track is not None else []
    try:
        if folds:
            from fourfold.run.crossvalidate import go_on

            result = go_on(folder, watcher, trackers).to_mapping()
        else:
            from fourfold.run.run import resume as resume_run

            result = resume_run(folder, watcher, trackers).result
    except DivergedError as error:
        return _diverged(error, folder.path.parent / watcher.run_id if watcher.run_id else folder.path, json, quiet)
    return _finish(result, json, quiet)


def _is_worker() -> bool:
    from fourfold.run.processes import is_worker

    return is_worker()


def _train(name: str, recipe: "Recipe", workspace: Path, watcher: "Listener", trackers: list[str]) -> dict[str, Any]:
    """Train once, or once a fold, and return the result as JSON-ready data."""
    if getattr(recipe.data, "folds", None) is not None and getattr(recipe.data, "fold", None) is None:
        from fourfold.run.crossvalidate import cross_validate

        return cross_validate(name, recipe, workspace, watcher, trackers).to_mapping()
    from fourfold.run.run import start

    return start(name, recipe, workspace, watcher, trackers).result


def _watcher(quiet: bool) -> "Listener":
    from fourfold.cli.progress import Listener, Progress

    return Listener() if quiet or not is_first_process() else Progress()


def _finish(result: dict[str, Any], json: bool, quiet: bool) -> int:
    """Print how it ended, and return the exit code."""
    if not is_first_process():
        return DONE  # the first process writes the record, perhaps just now, and answers for all
    if not quiet:
        from fourfold.cli.summary import print_summary

        print_summary(result)
    if json:
        print_json(result)
    return {"done": DONE, "interrupted": INTERRUPTED}.get(result["status"], FAILED)


def _diverged(error: DivergedError, folder: Path, json: bool, quiet: bool) -> int:
    """Show the run that stopped being finite, then say why, and return the exit code."""
    from fourfold.records.folder import RunFolder
    from fourfold.run.run import Run

    if is_first_process():
        result = Run(RunFolder.open(folder)).result
        if not quiet:
            from fourfold.cli.summary import print_summary

            print_summary({**result, "findings": []})
        note(f"error: {error}")
        if json:
            print_json({**result, "error": str(error)})
    return error.exit_code


def _launch(
    recipe: str,
    overrides: list[str],
    seed: int | None,
    weights: str | None,
    workspace: Path | None,
    use: list[Path] | None,
    track: str | None,
    json: bool,
    quiet: bool,
    processes: int,
) -> int:
    """Start this very command in several processes."""
    from fourfold.run.launch import launch

    begin = ["--weights", weights] if weights is not None else []
    return launch(["run", recipe, *overrides, *begin, *_options(seed, workspace, use, track, json, quiet)], processes)


def _options(
    seed: int | None, workspace: Path | None, use: list[Path] | None, track: str | None, json: bool, quiet: bool
) -> list[str]:
    options = ["--seed", str(seed)] if seed is not None else []
    options += ["--workspace", str(workspace)] if workspace is not None else []
    options += [argument for file in use or [] for argument in ("--use", str(file))]
    options += ["--track", track] if track is not None else []
    return options + ["--json"] * json + ["--quiet"] * quiet
