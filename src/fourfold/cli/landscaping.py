"""`fourfold landscape`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fourfold.cli.opening import find_runs
from fourfold.cli.options import JsonOption, UseOption, WorkspaceOption
from fourfold.cli.output import note, print_json
from fourfold.cli.waiting import waiting
from fourfold.core.errors import InputError, did_you_mean
from fourfold.core.seeds import check_seed
from fourfold.report.numbers import count, number, quantity

REACH = 1.0
SPLITS = ("train", "validation", "test")
EXAMPLES = 2000
SEARCHED = 200  # examples that sharpness and curvature are taken on, in float64: many times a plane's point each
TOLERANCE = 1e-3  # relative, of the curvature that is shown


def landscape(
    runs: Annotated[
        list[str], typer.Argument(metavar="RUN [RUN]", help="Names, such as digits-mlp-1, or folders; one, or two.")
    ],
    resolution: Annotated[
        int, typer.Option("--resolution", metavar="N", help="Points along each direction, odd.")
    ] = 41,
    reach: Annotated[
        float, typer.Option("--range", metavar="X", help="How far it goes; 1 is as far as the weights are from zero.")
    ] = REACH,
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
    """Draw the loss around a run's trained weights and measure how sharp the minimum is, or the loss between two runs.

    The plane is spanned by two random directions whose filters are as long as the network's own; between two runs of
    the same network it is the straight line. The page goes into the first run's figures folder; its data are needed.

    \b
    Examples:
      fourfold landscape digits-mlp-1
      fourfold landscape digits-mlp-1 --range 0.5 --resolution 61 --png
      fourfold landscape digits-mlp-1 --split test --seed 3
      fourfold landscape digits-mlp-1 --path
      fourfold landscape digits-mlp-1 digits-mlp-2    the line between them
    """
    if split not in SPLITS:
        raise InputError(f"--split: no split called '{split}'{did_you_mean(split, SPLITS)}")
    if examples < 0:
        raise InputError(f"--examples: expected at least 1, or 0 for all, got {examples}")
    check_seed(seed)
    if len(runs) > 2:
        raise InputError(f"one run, or two for the line between them, and not {len(runs)}")
    folders = find_runs(runs, workspace, use)
    if len(folders) == 2:
        given = (("--range", reach != REACH), ("--seed", seed != 0), ("--path", path))
        if wrong := [option for option, is_given in given if is_given]:
            raise InputError(f"{wrong[0]}: for the plane around one run; between two there is a line")
        from fourfold.cli.landscape_line import line_between

        return line_between(folders, resolution, split, examples, png, json)
    ((run,), (folder,)) = runs, folders
    import torch

    from fourfold import __version__
    from fourfold.report.document import write_document
    from fourfold.report.landscape import PLANE, draw_landscape, draw_path
    from fourfold.report.view_page import view_page
    from fourfold.run.run import Run
    from fourfold.study.landscape import path_plane, plane_around, random_plane
    from fourfold.study.objective import Objective, split_batches
    from fourfold.study.sharpness import EPS, largest_curvature, sharpness
    from fourfold.study.trajectory import weights_along

    opened = Run(folder)
    model, parts = opened.model, opened.parts
    batches = split_batches(parts.source, split, examples or None)
    objective = Objective(model, parts.loss, batches)
    with waiting("points of the plane", resolution**2) as heard:
        plane = random_plane(objective, resolution, reach, seed, heard)
    few = split_batches(parts.source, split, min(examples or SEARCHED, SEARCHED))
    exact = Objective(model, parts.loss, few, torch.float64)
    with waiting("gradients for the sharpness", None) as heard:
        sharp = sharpness(exact, heard=heard)
    with waiting("products for the largest curvature", None) as heard:
        curvature = largest_curvature(exact, tolerance=TOLERANCE, heard=heard)
    used = sum(len(batch.inputs[0]) for batch in batches)
    name = "loss" if opened.recipe.loss.name == "usual" else quantity(opened.recipe.loss.name)
    drawn = draw_landscape(plane, name)
    if path:
        with waiting("steps of the way", int(opened.result["steps"])) as heard:
            way = path_plane(weights_along(opened, objective.flat, heard=heard))
        with waiting("points of its plane", resolution**2) as heard:
            drawn.append(draw_path(plane_around(objective, way, resolution, heard), way, name))
    searched = sum(len(batch.inputs[0]) for batch in few)
    page = view_page(
        "loss landscape",
        opened.run_id,
        "The loss around it",
        drawn,
        tiles=[
            (number(plane.centre), f"{name} on {split}"),
            (f"{sharp.phi:.3g} %", f"sharpness, eps {EPS:g}"),
            (number(curvature), "largest curvature"),
        ],
        made=PLANE,
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
