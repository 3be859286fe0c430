"""The table at the end of a run: how good, how fast, what to know, where it is, what to type next."""

import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourfold.cli.by_task import hint
from fourfold.cli.output import console, print_finding
from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.records.location import workspace_path
from fourfold.records.strict_json import read_mapping
from fourfold.report.numbers import duration, number

SPLITS = ("train", "validation", "test")


def print_summary(result: Mapping[str, Any]) -> None:
    """Print a run's result for a person, on stderr.

    Args:
        result: `Run.result`.
    """
    from rich.markup import escape

    out = console(stderr=True)
    if result["metrics"]:
        out.print(metrics_table(result["metrics"], result.get("spread", {}), str(result.get("headline", ""))))
    colour = {"done": "green", "interrupted": "yellow"}.get(result["status"], "red")
    reason = f" ({escape(str(result['stopped_because']))})" if result.get("stopped_because") else ""
    rate = result["examples_per_second"]  # 0: it ended before anything was read
    speed = f"{number(rate)} {escape(str(result.get('counts', 'examples')))}/s, " if rate else ""
    steps, seconds = counted(result["steps"], "step"), duration(result["seconds"])
    out.print(f"[{colour}]{result['status']}[/]{reason}: {steps} in {seconds}, {speed}{result['params']:,} parameters")
    for finding in result.get("findings", []):
        print_finding(finding, stderr=True)
    out.print(f"folder: {escape(str(result['folder']))}")
    run = shlex.quote(called(Path(result["folder"])))
    if "folds" in result:
        out.print(f"folds:  {escape(', '.join(result['folds']))}")
    if result["status"] == "done":
        used = hint(str(result.get("task")), run, _encoding(Path(result["folder"])))
        out.print(f"next:   fourfold report {run}   ·   fourfold {used}", markup=False, soft_wrap=True)
    elif result["status"] == "interrupted":
        of_all = "folds" in result and result["processes"] == 1
        whole = f"fourfold resume {run} --folds   ·   this fold alone: " if of_all else ""
        out.print(f"next:   {whole}fourfold resume {run}", markup=False, soft_wrap=True)


def called(folder: Path) -> str:
    """Return what a run is called on a command line: its name, or its folder where the name means another workspace."""
    return folder.name if folder.resolve().parent == workspace_path(None).resolve() else str(folder)


def metrics_table(
    metrics: Mapping[str, Mapping[str, float]], spread: Mapping[str, Mapping[str, float]], headline: str
) -> Any:
    """Return a rich table, a metric a row and a split a column, `mean ± deviation` where there is a spread."""
    from rich.table import Table

    splits = [split for split in SPLITS if split in metrics]
    table = Table("metric", box=None, pad_edge=False, header_style="bold")
    for split in splits:
        table.add_column(split, justify="right")
    for name in dict.fromkeys(name for split in splits for name in metrics[split]):
        cells = [_cell(metrics[split].get(name), spread.get(split, {}).get(name)) for split in splits]
        table.add_row(name, *cells, style="bold" if name == headline else None)
    return table


def _encoding(folder: Path) -> dict[str, Any]:
    """Return how examples reach a run's model; nothing where its folder does not say, and the hint says less."""
    try:
        encoding = read_mapping(folder / "inputs.json").get("encoding")
    except InputError:
        return {}
    return encoding if isinstance(encoding, dict) else {}


def _cell(value: float | None, deviation: float | None) -> str:
    if value is None:
        return ""
    return number(value) if deviation is None else f"{number(value)} ± {number(deviation)}"
