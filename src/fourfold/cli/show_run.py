"""A run for a person: what was trained, on what, and how it ended."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourfold.cli.output import console, hanging, print_finding, print_json
from fourfold.cli.summary import called, metrics_table
from fourfold.core.document import to_yaml
from fourfold.core.errors import InputError
from fourfold.core.recipe import PARTS
from fourfold.core.words import counted
from fourfold.records.folder import RunFolder
from fourfold.records.folds import find_folds
from fourfold.records.listing import RunRow
from fourfold.records.points import read_points
from fourfold.report.numbers import duration


def show_run(folder: RunFolder, *, yaml: bool, json: bool) -> None:
    """Print a recorded run; reads its files only."""
    recipe, environment = folder.recipe(), folder.environment()
    result: dict[str, Any] = folder.result() or {}
    folds = None if yaml else find_folds(folder)
    if json:
        if folds is not None:
            result["cross_validation"] = folds._asdict()
        facts = {"run_id": folder.run_id, "folder": str(folder.path.resolve()), "recipe": folder.identity.recipe}
        state = {"seed": folder.identity.seed, "status": folder.status}
        print_json({**result, **facts, **state, "settings": recipe, "environment": environment})
        return
    if yaml:
        print(to_yaml(recipe), end="")
        return
    from rich.markup import escape

    out = console()
    status = folder.status
    out.print(
        f"[bold]{escape(folder.run_id)}[/]  {status}, seed {folder.identity.seed}, "
        f"made {folder.identity.created[:16]} UTC"
    )
    for part in PARTS:
        fields = dict(recipe.get(part) or {})
        name = fields.pop("name", "?")
        inner = fields.get("optimizer")
        words = f"{name}, {inner['name']} at lr {inner.get('lr')}" if isinstance(inner, dict) else name
        if fields.get("freeze"):
            words += f", {', '.join(fields['freeze'])} frozen"
        out.print(f"  {part:10}{escape(str(words))}")
    if (weights := recipe.get("weights")) is not None:
        out.print(f"  {'weights':10}{escape(str(weights['file']))} (SHA-256 {str(weights['sha256'])[:12]})")
    if typed := _typed(environment):
        out.print(f"  {'typed':10}{escape(typed)}", soft_wrap=True)
    if result.get("metrics"):
        out.print(metrics_table(result["metrics"], {}, str(result.get("headline", ""))))
    if folds is not None:
        out.print(escape(folds.says))
        out.print(metrics_table(folds.mean, folds.spread, str(result.get("headline", ""))))
    if result:
        reason = f" ({escape(str(result['stopped_because']))})" if result.get("stopped_because") else ""
        steps = f"{result.get('steps', 0):,} of {counted(result.get('planned_steps', 0), 'step')}"
        out.print(f"{steps}{reason} in {duration(result.get('seconds', 0.0))}, {result.get('params', 0):,} parameters")
    else:
        out.print(escape(_last_step(folder)))
    for finding in result.get("findings", []):
        print_finding(finding)
    for line in result.get("notes", []):
        for piece in hanging(f"  · {line}"):
            out.print(piece, markup=False)
    packages = environment.get("packages", {})
    where = f"python {environment.get('python')}, torch {packages.get('torch')}, {environment.get('device')}"
    out.print(f"[dim]{escape(where)}, {escape(str(environment.get('host')))}[/]")
    out.print(f"folder: {escape(str(folder.path.resolve()))}")
    more = "resume" if status == "interrupted" else "report"
    out.print(f"next:   fourfold {more} {escape(shlex.quote(called(folder.path)))}", soft_wrap=True)


def _last_step(folder: RunFolder) -> str:
    """Return how far a run without a result came."""
    try:
        last = max((point.step for point in read_points(folder.metrics_file)), default=None)
    except InputError as error:
        return str(error)
    return "no step was recorded" if last is None else f"step {last:,} is the last that was recorded"


def _typed(environment: Mapping[str, Any]) -> str:
    """Return the command line that began a run, nothing if it was begun in Python."""
    command = environment.get("command")
    if not isinstance(command, list) or not command:
        return ""
    program = Path(str(command[0]))
    ours = program.stem == "fourfold" or (program.name == "__main__.py" and program.parent.name == "fourfold")
    return shlex.join(["fourfold", *map(str, command[1:])]) if ours else ""


def show_elsewhere(rows: list[RunRow], *, yaml: bool, json: bool) -> None:
    """Print what a shared database knows of the runs of one name whose folders are not in this workspace.

    Raises:
        InputError: the recipe is asked for, which only the folder has; or several machines have a run of that name and
            one JSON object is asked for.
    """
    places = ", ".join(f"{row.host}: {row.folder}" for row in rows)
    if yaml:
        raise InputError(f"{rows[0].run_id}: its recipe is in its folder, on {places}")
    if json:
        if len(rows) > 1:
            raise InputError(
                f"{rows[0].run_id}: several runs have that name, on {places}; see fourfold list runs --json"
            )
        print_json(rows[0].to_mapping())
        return
    from rich.markup import escape

    out = console()
    for row in rows:
        seed = "" if row.seed is None else f", seed {row.seed}"
        out.print(
            f"[bold]{escape(row.run_id)}[/]  {row.status}{seed}, {escape(row.recipe)}, made {row.created[:16]} UTC"
        )
        if row.metrics:
            out.print(metrics_table(row.metrics, {}, row.headline or ""))
        if row.steps is not None:
            out.print(counted(row.steps, "step"))
        out.print(f"folder: {escape(row.problem or str(row.folder))} on {escape(row.host)}")
        out.print("next:   fourfold import FOLDER, with a copy of that folder")
