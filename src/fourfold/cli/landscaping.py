"""`fourfold landscape`."""

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from fourfold.cli.options import JsonOption, RunArgument, UseOption, WorkspaceOption, load_parts
from fourfold.cli.output import note, print_json
from fourfold.core.errors import InputError, did_you_mean
from fourfold.records.location import workspace_path
from fourfold.report.numbers import count, number, quantity

SPLITS = ("train", "validation", "test")
EXAMPLES = 2000
SEARCHED = 200  # examples that sharpness and curvature are taken on, in float64: many times a plane's point each
TOLERANCE = 1e-3  # relative, of the curvature that is shown


def landscape(
    run: RunArgument,
    resolution: Annotated[
        int, typer.Option("--resolution", metavar="N", help="Points along each direction, odd.")
    ] = 41,
    reach: Annotated[
        float, typer.Option("--range", metavar="X", help="How far it goes; 1 is as far as the weights are from zero.")
    ] = 1.0,
    split: Annotated[str, typer.Option("--split", metavar="SPLIT", help="train, validation or test.")] = "train",
    examples: Annotated[
        int, typer.Option("--examples", metavar="N", help="The first N examples of the split; 0 is all.")
    ] = EXAMPLES,
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="Of the directions.")] = 0,
    path: Annotated[
        bool, typer.Option("--path", help="Also train the run again, and draw the way that it took.")
    ] = False,
    png: Annotated[bool, typer.Option("--png", help="Also write each figure as a PNG.")] = False,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Draw the loss around a run's trained weights, and measure how sharp the minimum is; needs its data.

    The plane is spanned by two random directions whose filters are as long as the network's own. It goes into the
    run's figures folder.

    \b
    Examples:
      fourfold landscape digits-mlp-1
      fourfold landscape digits-mlp-1 --range 0.5 --resolution 61 --png
      fourfold landscape digits-mlp-1 --split test --seed 3
      fourfold landscape digits-mlp-1 --path
    """
    if split not in SPLITS:
        raise InputError(f"--split: no split called '{split}'{did_you_mean(split, SPLITS)}")
    if examples < 0:
        raise InputError(f"--examples: expected at least 1, or 0 for all, got {examples}")
    load_parts(use)
    from fourfold.records.folder import RunFolder

    folder = RunFolder.find(workspace_path(workspace), run)
    import torch

    from fourfold import __version__
    from fourfold.report.document import write_document
    from fourfold.report.landscape import draw_landscape, draw_path, landscape_page
    from fourfold.run.run import Run
    from fourfold.study.landscape import path_plane, plane_around, random_plane
    from fourfold.study.objective import Objective, split_batches
    from fourfold.study.sharpness import EPS, largest_curvature, sharpness
    from fourfold.study.trajectory import weights_along

    opened = Run(folder)
    model, parts = opened.model, opened.parts
    batches = split_batches(parts.source, split, examples or None)
    objective = Objective(model, parts.loss, batches)
    with _progress("the plane", resolution) as heard:
        plane = random_plane(objective, resolution, reach, seed, heard)
    few = split_batches(parts.source, split, min(examples or SEARCHED, SEARCHED))
    exact = Objective(model, parts.loss, few, torch.float64)
    sharp, curvature = sharpness(exact), largest_curvature(exact, tolerance=TOLERANCE)
    used = sum(len(batch.inputs[0]) for batch in batches)
    name = "loss" if opened.recipe.loss.name == "usual" else quantity(opened.recipe.loss.name)
    drawn = draw_landscape(plane, name)
    if path:
        with _progress("the way", int(opened.result["steps"])) as heard:
            way = path_plane(weights_along(opened, objective.flat, heard=heard))
        with _progress("its plane", resolution) as heard:
            drawn.append(draw_path(plane_around(objective, way, resolution, heard), way, name))
    searched = sum(len(batch.inputs[0]) for batch in few)
    page = landscape_page(
        opened.run_id,
        drawn,
        tiles=[
            (number(plane.centre), f"{name} on {split}"),
            (f"{sharp.phi:.3g} %", f"sharpness, eps {EPS:g}"),
            (number(curvature), "largest curvature"),
        ],
        facts=[
            ("examples", f"{count(used)} of {count(parts.source.sizes[split])} {split}"),
            ("points", f"{resolution} x {resolution}"),
            ("range", f"-{reach:g} to {reach:g}"),
            ("seed of the directions", str(seed)),
            ("weights", count(objective.size)),
            ("sharpness", f"Keskar et al. 2017, Eq. 4, full space, on {count(searched)} examples"),
            ("largest curvature", f"the Hessian's largest eigenvalue, on {count(searched)} examples"),
        ],
        command=shlex.join(_command(run, resolution, reach, split, examples, seed) + ["--path"] * path),
        version=__version__,
    )
    file = write_document(page, folder.figures / "landscape.html")
    files: list[Path] = [file, *(each.write_png(folder.figures) for each in drawn if png)]
    if json:
        print_json(
            {
                "run_id": opened.run_id,
                "split": split,
                "examples": used,
                "loss": plane.centre,
                "sharpness": sharp.phi,
                "largest_curvature": curvature,
                "alphas": plane.alphas.tolist(),
                "betas": plane.betas.tolist(),
                "losses": plane.losses.tolist(),
                "files": [str(each.resolve()) for each in files],
            }
        )
    note(
        f"loss {number(plane.centre)} on {split} · sharpness {sharp.phi:.3g} % · largest curvature {number(curvature)}"
    )
    for each in files:
        note(f"landscape: {each}")


def _command(run: str, resolution: int, reach: float, split: str, examples: int, seed: int) -> list[str]:
    words = ["fourfold", "landscape", run, "--resolution", str(resolution), "--range", f"{reach:g}"]
    return [*words, "--split", split, "--examples", str(examples), "--seed", str(seed)]


@contextmanager
def _progress(words: str, total: int) -> Iterator[Callable[[int], None]]:
    """Give what is told how much is done, and show it where stderr is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task(words, total=total)
        yield lambda done: bar.update(task, completed=done)
