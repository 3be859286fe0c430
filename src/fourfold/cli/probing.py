"""`fourfold probe`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fourfold.cli.opening import find_runs
from fourfold.cli.options import JsonOption, UseOption, WorkspaceOption
from fourfold.cli.output import console, note, print_json
from fourfold.cli.waiting import waiting
from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.seeds import check_seed
from fourfold.records.location import check_folder_of

if TYPE_CHECKING:
    from fourfold.run.probe import Probed

SPLITS = ("validation", "test")


def probe(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN [RUN...]", help="Names, such as fashion-simclr-1, or folders.")
    ],
    labels: Annotated[
        str, typer.Option("--labels", metavar="SHARES", help="Of the training labels, each above 0 and at most 1.")
    ] = "0.01,0.1,1.0",
    split: Annotated[
        str, typer.Option("--split", metavar="SPLIT", help="Which pictures are scored: validation or test.")
    ] = "validation",
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of which labels are told.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE.png", help="Also draw accuracy against labels.")
    ] = None,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Score what encoders have learned: a linear classifier and a vote of neighbours on their frozen features.

    Beside the runs stands the first one's network as it was drawn. It needs the first run's data; the record is not
    changed. Validation chooses how much the classifier is regularised, so keep --split test for the end.

    \b
    Examples:
      fourfold probe fashion-simclr-1
      fourfold probe fashion-simclr-1 fashion-resnet-1 --labels 0.001,0.01,0.1,1 --out labels.png
      fourfold probe fashion-simclr-1 --split test --json
    """
    if split not in SPLITS:
        raise InputError(f"--split: no split called '{split}'{did_you_mean(split, SPLITS)}")
    if out is not None and out.suffix.lower() != ".png":
        raise InputError(f"--out: {out}: the figure is a PNG; let its name end in .png")
    if out is not None:
        check_folder_of(out)
    check_seed(seed)
    shares = _shares(labels)
    folders = find_runs(runs, workspace, use)
    from fourfold.run.probe import probe as probe_runs
    from fourfold.run.run import Run

    opened = [Run(folder) for folder in folders]
    with waiting("the probe", None) as heard:
        found = probe_runs(opened, shares, split, seed, heard)
    _print(found, split, stderr=json)
    if out is not None:
        from fourfold.report.probe_figure import draw_probe

        try:
            draw_probe(found, split).savefig(out)
        except OSError as error:
            raise InputError(f"--out: {out}: {(error.strerror or str(error)).lower()}") from None
        note(f"figure: {out}")
    if json:
        scores = [each._asdict() for each in found]
        print_json({"run_id": opened[0].run_id, "split": split, "seed": seed, "probes": scores})


def _shares(text: str) -> list[float]:
    """Return the shares, smallest first."""
    try:
        shares = sorted({float(part) for part in text.split(",")})
    except ValueError:
        raise InputError(f"--labels: expected shares such as 0.01,0.1,1.0, got '{text}'") from None
    for share in shares:
        if not 0 < share <= 1:
            raise InputError(f"--labels: a share is above 0 and at most 1 (got {share:g})")
    return shares


def _print(found: "list[Probed]", split: str, stderr: bool) -> None:
    from rich.markup import escape
    from rich.table import Table

    heads = ("features of", "labels", "share", f"linear, {split}", f"neighbours, {split}")
    table = Table(*heads, box=None, pad_edge=False, header_style="bold")
    for each in found:
        shares = (f"{each.linear:.4f}", f"{each.knn:.4f}")
        table.add_row(escape(each.encoder), f"{each.labels:,}", f"{each.share:g}", *shares)
    console(stderr=stderr).print(table)
