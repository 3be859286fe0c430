"""`fourfold sample`: new examples, made by a trained run."""

from pathlib import Path
from typing import Annotated

import typer

from fourfold.cli.opening import open_run
from fourfold.cli.options import JsonOption, RunArgument, UseOption, WorkspaceOption
from fourfold.cli.output import note, print_json
from fourfold.core.errors import InputError
from fourfold.records.location import check_folder_of


def sample(
    run: RunArgument,
    num: Annotated[int, typer.Option("--num", "-n", metavar="N", help="How many examples.")] = 64,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE.png",
            help="All of them side by side. Default: samples.png in the run's figures.",
        ),
    ] = None,
    png: Annotated[
        bool,
        typer.Option(
            "--png", help="Also write each picture as a PNG, into a folder beside that file; what is there stays."
        ),
    ] = False,
    interpolate: Annotated[
        bool, typer.Option("--interpolate", help="Walk from one drawn point to the next, 8 examples a leg.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="The same seed makes the same examples.")] = 0,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Make new examples with a trained generator. It needs the run's folder, not its data.

    \b
    Examples:
      fourfold sample mnist-dcgan-1
      fourfold sample mnist-dcgan-1 --num 100 --seed 7 -o digits.png
      fourfold sample emoji-dcgan-1 --num 64 --png
      fourfold sample emoji-dcgan-1 --interpolate -o walk.png
      fourfold sample grid-gan-1 --num 1000 --json
    """
    if out is not None and out.suffix.lower() != ".png":
        raise InputError(f"{out}: the name of a PNG file must end in .png")
    if out is not None:
        check_folder_of(out)
    opened = open_run(run, workspace, use)
    from fourfold.report.samples import write_each, write_samples
    from fourfold.run.sample import sample as make

    made = make(opened, num, seed, interpolate)
    if png and made.dim() == 2:
        raise InputError("--png: it makes points, which are no pictures; --json gives their numbers")
    path = write_samples(opened, made, out or opened.folder.figures / "samples.png", in_legs=interpolate)
    note(f"figure: {path}")
    if png:
        write_each(opened, made, path.with_suffix(""))
        note(f"each:   {path.with_suffix('') / '0001.png'} to {len(made):04d}.png")
    if json:
        points = {"examples": made.tolist()} if made.dim() == 2 else {}
        facts = {"num": num, "seed": seed, "interpolate": interpolate, "path": str(path.resolve())}
        each = {"folder": str(path.with_suffix("").resolve())} if png else {}
        print_json({"run_id": opened.run_id, **facts, **each, **points})
