"""`fourfold history`."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fourfold.cli.options import JsonOption, OnOption, QuietOption, UseOption, WorkspaceOption, check_place, load_parts
from fourfold.cli.output import console, hanging, print_json
from fourfold.core.errors import DONE, INTERRUPTED
from fourfold.records.location import check_workspace, workspace_path

if TYPE_CHECKING:
    from fourfold.study.history import Landmark


def history(
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Changes for all, such as budget.epochs=5.")
    ] = None,
    data: Annotated[
        str,
        typer.Option(
            "--data", metavar="NAME|FILE|FOLDER", help="A data set's name, a table of yours, or your pictures."
        ),
    ] = "",
    target: Annotated[
        str | None, typer.Option("--target", metavar="COLUMN", help="Of a table: what to predict.")
    ] = None,
    seeds: Annotated[int, typer.Option("--seeds", metavar="N", help="Each landmark runs at the seeds 0 to N - 1.")] = 8,
    trials: Annotated[
        int,
        typer.Option(
            "--trials",
            metavar="N",
            help="Learning rates tried for each landmark and seed; 0 for none, 10 or fewer are a random search.",
        ),
    ] = 0,
    on: OnOption = "local",
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> int:
    """Train every landmark that fits your data, oldest first: which years of deep learning pay off on it?

    All get the same data, seeds, steps and optimizer; each is compared with the oldest.

    \b
    Examples:
      fourfold history --data digits
      fourfold history --data houses.csv --target price
      fourfold history --data photos
      fourfold history --data iris --trials 8 budget.epochs=10
    """
    from fourfold.core.errors import InputError
    from fourfold.core.overrides import parse_overrides
    from fourfold.study.design import parse_seeds
    from fourfold.study.local_pool import warm_up

    if not data:
        raise InputError("--data: whose history? for example fourfold history --data digits")
    numbers, changes = parse_seeds(seeds), parse_overrides(overrides or [])
    place = workspace_path(workspace)
    check_place(on)
    check_workspace(place)
    if on == "local":
        warm_up()
    load_parts(use)
    from fourfold.cli.study_progress import watched
    from fourfold.report.study_page import write_study_page
    from fourfold.run.parts import one_length
    from fourfold.study.compare import compare, place_called
    from fourfold.study.history import history as ask

    question, landmarks, left_out = ask(data, target, one_length(changes), numbers, trials)
    folder, where = question.folder(place), place_called(on)
    study = watched(lambda watcher: compare(question, place, watcher, where), quiet=quiet)
    if study is None:
        return INTERRUPTED
    write_study_page(folder)
    if not quiet:
        _print(study, landmarks, left_out, folder)
    if json:
        years = [landmark.year for landmark in landmarks]
        print_json({"folder": str(folder.resolve()), "years": years, "left_out": left_out, **study})
    return DONE


def _print(study: Mapping[str, Any], landmarks: list["Landmark"], left_out: list[str], folder: Path) -> None:
    from rich.table import Table

    from fourfold.cli.study_table import STYLES, print_search
    from fourfold.records.strict_json import read_mapping
    from fourfold.report.numbers import count, duration, metric
    from fourfold.report.study_words import difference

    problem, costs = study["problems"][0], read_mapping(folder / "costs.json")["cells"]
    name = problem["metric"].partition(".")[2]
    rows = {row["arm"]: row for row in problem["comparisons"]}
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    titles = ("year", "landmark", problem["metric"], "± over seeds", "parameters", "a run")
    for title in (*titles, f"against {landmarks[0].year}", "verdict"):
        table.add_column(title)
    for landmark, arm in zip(landmarks, problem["arms"], strict=True):
        row = rows.get(landmark.name, {})
        seconds = [costs[cell["key"]]["seconds"] for cell in arm["cells"] if cell["key"] in costs]
        word = row.get("verdict", "reference")
        table.add_row(
            str(landmark.year),
            landmark.name,
            metric(name, arm["mean"]),
            "–" if arm["deviation"] is None else metric(name, arm["deviation"]),
            "–" if arm["params"] is None else count(arm["params"]),
            duration(sum(seconds) / len(seconds)) if seconds else "–",
            difference(name, row),
            f"[{STYLES.get(word, 'dim')}]{word}[/]",
        )
    out = console()
    out.print(table)
    print_search(study)
    for line in left_out:
        for piece in hanging(f"  left out: {line}"):
            out.print(piece, markup=False, style="dim")
    out.print(f"\n{folder / 'study.html'}", markup=False)
