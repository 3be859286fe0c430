"""`fourfold history`."""

import shlex
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
    seeds: Annotated[
        int, typer.Option("--seeds", metavar="N", help="Each landmark runs at the seeds 0 to N - 1.")
    ] = 10,
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

    All get the same data, seeds, steps and optimizer; each is compared with the oldest. Tables get 20 epochs. Pictures
    get 200 steps of 32; of the large sets 5,000 are trained on, and a folder's are made 32x32. All can be changed. Deep
    networks take hours on two cores: Ctrl-C stops, and the same command goes on. With fewer than 10 seeds verdicts on
    many landmarks stay undecided.

    \b
    Examples:
      fourfold history --data digits
      fourfold history --data houses.csv --target price
      fourfold history --data fashion-mnist
      fourfold history --data photos --seeds 2 budget.steps=50
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
    from fourfold.report.history import write_history_page
    from fourfold.report.study_page import write_study_page
    from fourfold.study.compare import compare, place_called
    from fourfold.study.history import history as ask

    question, landmarks, left_out = ask(data, target, changes, numbers, trials)
    folder, where = question.folder(place), place_called(on)
    study = watched(lambda watcher: compare(question, place, watcher, where), quiet=quiet)
    if study is None:
        return INTERRUPTED
    write_study_page(folder)
    page = write_history_page(study, folder, landmarks, left_out, _command(data, target, overrides, seeds, trials))
    if not quiet:
        _print(study, landmarks, left_out, folder)
        console().print(f"\n{page}", markup=False)
    if json:
        years = [landmark.year for landmark in landmarks]
        print_json({"folder": str(folder.resolve()), "years": years, "left_out": left_out, **study})
    return DONE


def _command(data: str, target: str | None, overrides: list[str] | None, seeds: int, trials: int) -> str:
    words = ["fourfold", "history", "--data", data]
    words += ["--target", target] if target is not None else []
    words += ["--seeds", str(seeds), *(["--trials", str(trials)] if trials else []), *(overrides or [])]
    return shlex.join(words)


def _print(study: Mapping[str, Any], landmarks: list["Landmark"], left_out: list[str], folder: Path) -> None:
    from rich.table import Table

    from fourfold.cli.study_table import STYLES, print_search
    from fourfold.report.history import facts, history_rows, titles

    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for title in titles(study["problems"][0], landmarks):
        table.add_column(title)
    for row in history_rows(study, folder, landmarks):
        table.add_row(*row[:-1], f"[{STYLES.get(row.verdict, 'dim')}]{row.verdict}[/]")
    out = console()
    out.print(table)
    print_search(study)
    for line in (f"each: {', '.join(facts(study))}", *(f"left out: {line}" for line in left_out)):
        for piece in hanging(f"  {line}"):
            out.print(piece, markup=False, style="dim")
