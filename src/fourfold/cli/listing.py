"""`fourfold list`."""

import platform
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fourfold.cli.options import JsonOption, UseOption, WorkspaceOption, load_parts
from fourfold.cli.output import console, print_json
from fourfold.core.errors import InputError, did_you_mean
from fourfold.records.location import workspace_path
from fourfold.report.numbers import number

if TYPE_CHECKING:
    from fourfold.records.listing import RunRow

KINDS = ("recipes", "parts", "claims", "runs", "studies")
NEWEST = 5  # runs, and studies, that are named where everything is listed


def list_names(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="[recipes|parts|claims|runs|studies]", help="What to list; models, losses … are parts of a kind."
        ),
    ] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """List what there is to choose from: recipes, parts, claims, and your own runs and studies.

    \b
    Examples:
      fourfold list
      fourfold list parts
      fourfold list models
      fourfold list runs --workspace /mnt/shared/runs
      fourfold list recipes --json
    """
    load_parts(use)
    if kind is not None and kind not in KINDS:
        return _list_parts(kind, json)
    place = workspace_path(workspace)
    collect: dict[str, Callable[[], Any]] = {
        "recipes": _recipes,
        "parts": _parts,
        "claims": _claims,
        "runs": lambda: _runs(place, kind),
        "studies": lambda: _studies(place),
    }
    if json:
        found = {each: collect[each]() for each in ([kind] if kind else KINDS)}
        print_json({each: _names(each, value) for each, value in found.items()})
    elif kind is None:
        _print_all({each: collect[each]() for each in KINDS}, str(place))
    else:
        printers = {
            "recipes": _print_recipes,
            "parts": _print_parts,
            "claims": _print_claims,
            "runs": _print_runs,
            "studies": _print_studies,
        }
        printers[kind](collect[kind](), str(place))


def _recipes() -> dict[str, str]:
    """Return each shipped recipe's name and title."""
    from fourfold.run.parts import recipe_fields, recipe_names

    return {name: str(recipe_fields(name)[1].get("title") or "") for name in recipe_names()}


def _parts() -> dict[str, dict[str, str]]:
    """Return each kind's names and summaries."""
    from fourfold.run.parts import TABLES

    return {kind: {name: entry.summary for name, entry in table.items()} for kind, table in TABLES.items()}


def _list_parts(kind: str, json: bool) -> None:
    """List the parts of one kind, which may be in the plural."""
    from fourfold.run.parts import TABLES

    plurals = {
        table: table if table == "data" else f"{table}es" if table == "loss" else f"{table}s" for table in TABLES
    }
    table = next((table for table, plural in plurals.items() if kind in (table, plural)), None)
    if table is None:
        raise InputError(f"cannot list '{kind}'{did_you_mean(kind, [*KINDS, *plurals.values()])}")
    if json:
        print_json({kind: list(TABLES[table])})
    else:
        _print_parts({table: _parts()[table]}, "")


def _presets() -> dict[str, dict[str, list[str]]]:
    """Return each kind's parts that have fields of their own, and the names for settings of them."""
    from fourfold.run.parts import TABLES

    return {kind: table.families() for kind, table in TABLES.items()}


def _claims() -> dict[str, str]:
    """Return each claim's id and what it says, in a line."""
    from fourfold.claims import CLAIMS

    return {name: entry.summary for name, entry in CLAIMS.items()}


def _runs(workspace: Path, kind: str | None) -> list["RunRow"]:
    """Return each run, newest first, damaged ones last; only `list runs` asks a shared database, which takes longer."""
    from fourfold.records.listing import list_folders, list_runs

    found = list_runs(workspace) if kind == "runs" else list_folders(workspace)
    return sorted(found, key=lambda row: row.created, reverse=True)


def _studies(workspace: Path) -> list[str]:
    """Return the names of the studies in a workspace."""
    from fourfold.study.answer import study_names

    return study_names(workspace)


def _names(kind: str, found: Any) -> Any:
    if kind == "runs":
        return [row.to_mapping() for row in found]
    return {part: list(names) for part, names in found.items()} if kind == "parts" else list(found)


def _print_all(found: dict[str, Any], workspace: str) -> None:
    from rich.markup import escape

    out = console()
    out.print(f"[bold]recipes[/] ({len(found['recipes'])}) {escape(', '.join(found['recipes']))}")
    for kind, families in _presets().items():
        presets = sum(map(len, families.values()))
        more = f", and {presets} named sizes" if presets else ""
        out.print(f"[bold]{kind}[/] ({len(families)}{more}) {escape(', '.join(families))}")
    out.print(f"[bold]claims[/] ({len(found['claims'])}) {escape(', '.join(found['claims']))}")
    runs = found["runs"]
    shown = escape(", ".join(map(_scored, runs[:NEWEST])) + (", …" if len(runs) > NEWEST else ""))
    out.print(f"[bold]runs[/] ({len(runs)} in {escape(workspace)}) {shown}")
    if studies := found["studies"]:
        named = escape(_printable(", ".join(studies[:NEWEST]) + (", …" if len(studies) > NEWEST else "")))
        out.print(f"[bold]studies[/] ({len(studies)}) {named}")
    out.print(
        "[dim]more: fourfold list recipes|parts|claims|runs|studies · fourfold show NAME · fourfold run RECIPE[/]"
    )


def _scored(row: "RunRow") -> str:
    """Return a run's name with its score on the test split, or with what became of it where it has none."""
    said = row.status if row.score is None else f"{row.headline} {number(row.score)}"
    return _printable(f"{row.run_id} ({said})")


def _table(*columns: str) -> Any:
    from rich.table import Table

    return Table(*columns, box=None, pad_edge=False, header_style="bold")


def _print_recipes(found: dict[str, str], _: str) -> None:
    from rich.markup import escape

    table = _table("recipe", "what it shows")
    for name, title in found.items():
        table.add_row(name, escape(title))
    console().print(table)


def _print_claims(found: dict[str, str], _: str) -> None:
    from rich.markup import escape

    table = _table("claim", "what it says")
    for name, summary in found.items():
        table.add_row(name, escape(summary))
    console().print(table)


def _print_parts(found: dict[str, dict[str, str]], _: str) -> None:
    from rich.markup import escape

    table = _table("kind", "name", "what it is")
    for kind, names in found.items():
        for i, (name, presets) in enumerate(_presets()[kind].items()):
            also = f"\n[dim]{escape(', '.join(presets))}[/]" if presets else ""
            table.add_row(kind if i == 0 else "", escape(name), escape(names[name]) + also)
    console().print(table)


def _print_runs(found: list["RunRow"], workspace: str) -> None:
    """Print a line a run. A rich table lays out every cell: five seconds for 10,000 runs, this takes a tenth of one."""
    from rich.cells import cell_len
    from rich.style import Style

    if not found:
        print(f"no runs in {workspace}; make one: fourfold run digits-mlp")
        return
    heading = ("run", "status", "test score", "seed", "made (UTC)", "note")
    here = {workspace, str(Path(workspace).resolve())}
    lines = [heading, *(_cells(row, here) for row in found)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)][:-1]
    out = console()
    coloured = out.color_system not in (None, "windows") and not out.no_color
    colours = {"done": "green", "running": "blue", "interrupted": "yellow", "status": None}
    styles = {word: Style(color=colours.get(word, "red")) for word in {cells[1] for cells in lines}}
    for cells in lines:
        padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=False)]
        if coloured:
            padded[1] = styles[cells[1]].render(padded[1])
        print("  ".join([*padded, cells[-1]]).rstrip())


def _print_studies(found: list[str], workspace: str) -> None:
    from rich.markup import escape

    from fourfold.study.answer import asked_of

    if not found:
        print(f"no studies in {workspace}; make one: fourfold compare digits-mlp --vary algorithm.optimizer=sgd,adam")
        return
    table = _table("study", "what was compared")
    for name in found:
        table.add_row(escape(_printable(name)), escape(_printable(asked_of(Path(workspace) / "studies" / name))))
    console().print(table)


def _cells(row: "RunRow", here: set[str]) -> tuple[str, ...]:
    """Return a run's line; the note says where its folder is if not in the workspace, or what is wrong with it."""
    if row.problem:
        note = row.problem
    elif row.host != platform.node():
        note = f"on {row.host}: {row.folder}"
    else:
        note = "" if str(row.folder.parent) in here else str(row.folder)
    score = "" if row.score is None else f"{row.headline} {number(row.score)}"
    seed, made = "" if row.seed is None else str(row.seed), row.created[:16].replace("T", " ")
    cells = (row.run_id, row.status, score, seed, made, note)
    return tuple(map(_printable, cells))


def _printable(text: str) -> str:
    """Return a text without the terminal's codes that a name may hold."""
    return text if text.isprintable() else repr(text)[1:-1]
