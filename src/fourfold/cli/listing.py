"""`fourfold list`."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from fourfold.cli.options import JsonOption, UseOption, WorkspaceOption, load_parts, workspace_path
from fourfold.cli.output import console, number, print_json
from fourfold.core.errors import InputError, did_you_mean

KINDS = ("recipes", "parts", "claims", "runs")


def list_names(
    kind: Annotated[str | None, typer.Argument(metavar="[recipes|parts|claims|runs]", help="What to list.")] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """List what there is to choose from: recipes, parts, claims, and your own runs.

    \b
    Examples:
      fourfold list
      fourfold list parts
      fourfold list runs --workspace /mnt/shared/runs
      fourfold list recipes --json
    """
    if kind is not None and kind not in KINDS:
        raise InputError(f"cannot list '{kind}'{did_you_mean(kind, KINDS)}")
    load_parts(use)
    place = workspace_path(workspace)
    collect: dict[str, Callable[[], Any]] = {
        "recipes": _recipes,
        "parts": _parts,
        "claims": list,
        "runs": lambda: _runs(place),
    }
    if json:
        found = {each: collect[each]() for each in ([kind] if kind else KINDS)}
        print_json({each: _names(each, value) for each, value in found.items()})
    elif kind is None:
        _print_all({each: collect[each]() for each in KINDS}, str(place))
    elif kind == "claims":
        console().print("no claims yet")
    else:
        {"recipes": _print_recipes, "parts": _print_parts, "runs": _print_runs}[kind](collect[kind](), str(place))


def _recipes() -> dict[str, str]:
    """Return each shipped recipe's name and title."""
    from fourfold.run.parts import recipe_fields, recipe_names

    return {name: str(recipe_fields(name)[1].get("title") or "") for name in recipe_names()}


def _parts() -> dict[str, dict[str, str]]:
    """Return each kind's names and summaries."""
    from fourfold.run.parts import TABLES

    return {kind: {name: entry.summary for name, entry in table.items()} for kind, table in TABLES.items()}


def _runs(workspace: Any) -> list[dict[str, Any]]:
    """Return each run, newest first; one that cannot be read is listed with what is wrong."""
    from fourfold.records.folder import RunFolder, run_paths

    rows = []
    for path in run_paths(workspace):
        try:
            folder = RunFolder.open(path)
            result = folder.result() or {}
            rows.append(
                {
                    "run_id": folder.run_id,
                    "recipe": folder.identity.recipe,
                    "seed": folder.identity.seed,
                    "status": folder.status,
                    "created": folder.identity.created,
                    "headline": result.get("headline"),
                    "value": result.get("metrics", {}).get("test", {}).get(result.get("headline")),
                    "seconds": result.get("seconds"),
                }
            )
        except InputError as error:
            rows.append({"run_id": path.name, "status": "damaged", "error": str(error), "created": ""})
    return sorted(rows, key=lambda row: (row["created"], row["run_id"]), reverse=True)


def _names(kind: str, found: Any) -> Any:
    return {part: list(names) for part, names in found.items()} if kind == "parts" else list(found)


def _print_all(found: dict[str, Any], workspace: str) -> None:
    from rich.markup import escape

    out = console()
    out.print(f"[bold]recipes[/] ({len(found['recipes'])}) {escape(', '.join(found['recipes']))}")
    for kind, names in found["parts"].items():
        out.print(f"[bold]{kind}[/] ({len(names)}) {escape(', '.join(names))}")
    out.print("[bold]claims[/] none yet")
    runs = [row["run_id"] for row in found["runs"]]
    shown = escape(", ".join(runs[:5]) + (", …" if len(runs) > 5 else ""))
    out.print(f"[bold]runs[/] ({len(runs)} in {escape(workspace)}) {shown}")
    out.print("[dim]more: fourfold list recipes|parts|runs · fourfold show NAME · fourfold run RECIPE[/]")


def _table(*columns: str) -> Any:
    from rich.table import Table

    return Table(*columns, box=None, pad_edge=False, header_style="bold")


def _print_recipes(found: dict[str, str], _: str) -> None:
    from rich.markup import escape

    table = _table("recipe", "what it shows")
    for name, title in found.items():
        table.add_row(name, escape(title))
    console().print(table)


def _print_parts(found: dict[str, dict[str, str]], _: str) -> None:
    from rich.markup import escape

    table = _table("kind", "name", "what it is")
    for kind, names in found.items():
        for i, (name, summary) in enumerate(names.items()):
            table.add_row(kind if i == 0 else "", escape(name), escape(summary))
    console().print(table)


def _print_runs(found: list[dict[str, Any]], workspace: str) -> None:
    from rich.markup import escape

    if not found:
        console().print(f"no runs in {escape(workspace)}; make one: fourfold run digits-mlp")
        return
    table = _table("run", "status", "test score", "seed", "made (UTC)")
    colours = {"done": "green", "running": "blue", "interrupted": "yellow"}
    for row in found:
        value = row.get("value")
        score = f"{row['headline']} {number(value)}" if isinstance(value, float | int) else escape(row.get("error", ""))
        status = f"[{colours.get(row['status'], 'red')}]{row['status']}[/]"
        made = row["created"][:16].replace("T", " ")
        table.add_row(escape(row["run_id"]), status, score, str(row.get("seed", "")), made)
    console().print(table)
