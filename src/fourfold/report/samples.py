"""What a generator makes, drawn: beside given examples, and how it came to that as training went on.

Checked by: a sheet's pixels; the steps that are shown.
"""

import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.sampled import evenly_spaced
from fourfold.records.atomic import write_atomically
from fourfold.report.drawing import Drawn, write_png
from fourfold.report.numbers import number
from fourfold.run.run import Run
from fourfold.run.sample import STRIDE, sample
from fourfold.run.snapshots import kept, to_png
from fourfold.tasks.figure import BLUE, ORANGE, WIDTH, blank, new_figure, style, thousands
from fourfold.tasks.seam import Batch
from fourfold.tasks.synthesis_drawing import MOST, draw_points, sheet, to_bytes

MOMENTS, POINTS = 8, 1000  # pictures of training, and points, that are drawn


def write_samples(run: Run, made: Tensor, path: Path, in_legs: bool = False) -> Path:
    """Write examples that were made as a PNG: pictures side by side, or points in the plane.

    Args:
        run: whose they are.
        made: from `run.sample`.
        path: the file.
        in_legs: put as many in a row as a leg of a walk has.

    Raises:
        InputError: the file cannot be written.
    """
    if made.dim() == 2:
        return write_png(draw_points(made), path)
    encoding: Any = run.encoding
    _write(to_png(sheet(made, encoding.maximum, STRIDE if in_legs else None)), path)
    return path


def write_each(run: Run, made: Tensor, folder: Path) -> None:
    """Write pictures that were made as a PNG each, named by their place: `0001.png`, ….

    Args:
        run: whose they are.
        made: from `run.sample`, `[pictures, channels, height, width]`.
        folder: where they go; it is made, and what else is in it stays.

    Raises:
        InputError: a file cannot be written.
    """
    encoding: Any = run.encoding
    for place, picture in enumerate(to_bytes(made, encoding.maximum), start=1):
        _write(to_png(picture), folder / f"{place:04d}.png")


def _write(content: bytes, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, content)
    except OSError as error:
        raise InputError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def draw_synthesis(run: Run) -> list[Drawn]:
    """Draw what a run's generator makes beside examples of the test split.

    Raises:
        InputError: the data cannot be read any more.
        CheckpointError: the run has no weights, or they are damaged.
    """
    source, spec = run.parts.source, run.spec
    split = "test" if source.sizes.get("test") else "train"
    count = MOST if len(tuple(spec.input)) == 3 else POINTS
    indices = evenly_spaced(min(source.sizes[split], 10 * count), count).tolist()
    given = source.raw(split, indices)
    made = sample(run, len(given))
    figure = spec.draw(Batch((), torch.empty(0)), made, given)
    words = f"Made by the trained generator, and given ones of the {split} split; neither were chosen."
    return [Drawn("samples", figure, words)]


def draw_moments(run: Run) -> list[Drawn]:
    """Draw the pictures kept as training went on, of the same latents each time; none where there are none."""
    import PIL.Image

    found = kept(run.folder.path)
    if not found:
        return []
    chosen = [found[i] for i in evenly_spaced(len(found), MOMENTS).tolist()]
    chosen[-1] = found[-1]
    columns = min(4, len(chosen))
    rows = math.ceil(len(chosen) / columns)
    with style():
        figure = new_figure(8.8, 2.35 * rows)
        grid = figure.subplots(rows, columns, squeeze=False)
        for axes in grid.flat:
            blank(axes)
        for axes, (step, path) in zip(grid.flat, chosen, strict=False):
            try:
                with PIL.Image.open(path, formats=["PNG"]) as picture:
                    axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="antialiased")
            except (OSError, ValueError, SyntaxError):  # what cannot be read is left out, and the page stands
                continue
            axes.set_title(f"step {step:,}", fontsize=9)
    return [Drawn("moments", figure, "What was made of the same random numbers, as training went on.")]


def draw_players(curves: dict[str, list[tuple[int, float]]]) -> list[Drawn]:
    """Draw both players' losses and how often the discriminator is right, which ends at one half where it cannot tell.

    Args:
        curves: each metric's points in step order; those of other runs have none of these.
    """
    losses = {name: curves.get(f"train.{name}_loss", []) for name in ("discriminator", "generator")}
    right = curves.get("train.discriminator_accuracy", [])
    if min(map(len, losses.values())) < 2 or len(right) < 2:
        return []
    with style():
        figure = new_figure(2 * WIDTH, 3.0)
        left, other = figure.subplots(1, 2)
        for (name, curve), colour in zip(losses.items(), (BLUE, ORANGE), strict=True):
            left.plot(*zip(*curve, strict=True), color=colour, label=name)
        left.set_title("Both players' losses")
        left.legend(loc="best")
        other.plot(*zip(*[(step, 100 * value) for step, value in right], strict=True), color=BLUE)
        other.axhline(50, color=ORANGE, linewidth=1.0, linestyle=(0, (4, 3)))
        other.set_title("The discriminator is right")
        other.set_ylabel("% of given and made")
        other.set_ylim(0, 100)
        for axes in (left, other):
            axes.set_xlabel("step")
            thousands(axes.xaxis)
    last = ", ".join(f"{name} {number(curve[-1][1])}" for name, curve in losses.items())
    says = f"Losses end at: {last}. The discriminator is right of {100 * right[-1][1]:.0f} % at the end; who cannot "
    return [Drawn("players", figure, says + "tell given from made is right of 50 %.")]
