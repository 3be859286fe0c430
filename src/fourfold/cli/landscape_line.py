"""The line between two runs: what `fourfold landscape RUN RUN` draws."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from fourfold.cli.output import note, print_json
from fourfold.cli.waiting import waiting
from fourfold.core.errors import InputError
from fourfold.records.folder import RunFolder
from fourfold.report.numbers import count, number, quantity

PAST = 0.25  # of the line, before its start and after its end


def line_between(
    folders: Sequence[RunFolder], resolution: int, split: str, examples: int, png: bool, json: bool
) -> None:
    """Draw the loss on the line from the first run's network to the second's; the page goes into the first's folder.

    Raises:
        InputError: the networks are of different shapes, or the first run's data cannot be read.
    """
    import torch

    from fourfold import __version__
    from fourfold.report.document import write_document
    from fourfold.report.landscape import LINE, draw_line
    from fourfold.report.view_page import view_page
    from fourfold.run.run import Run
    from fourfold.study.landscape import barrier, loss_line
    from fourfold.study.objective import split_batches

    if resolution < 2:
        raise InputError(f"--resolution: a line has at least 2 points, and not {resolution}")
    first, second = (Run(folder) for folder in folders)
    parts = first.parts
    batches = split_batches(parts.source, split, examples or None)
    between = torch.linspace(0, 1, resolution, dtype=torch.float64)
    step = 1 / (resolution - 1)
    past = torch.arange(1, int(PAST / step) + 1, dtype=torch.float64) * step
    alphas = torch.cat([-past.flip(0), between, 1 + past])
    with waiting("points of the line", len(alphas)) as heard:
        losses = loss_line(first.model, second.model, parts.loss, batches, alphas, heard)
    ends = [float(losses[alphas == at]) for at in (0, 1)]
    climb = barrier(losses, alphas)
    name = "loss" if first.recipe.loss.name == "usual" else quantity(first.recipe.loss.name)
    names = (first.run_id, second.run_id)
    drawn = draw_line(losses, alphas, names, name)
    used = sum(len(batch.inputs[0]) for batch in batches)
    words = ["fourfold", "landscape", *names, "--resolution", str(resolution), "--split", split]
    page = view_page(
        "loss between two networks",
        " – ".join(names),
        "From one to the other",
        [drawn],
        tiles=[(number(climb), "barrier: the rise above the higher end")]
        + [(number(end), f"{name} of {run} on {split}") for end, run in zip(ends, names, strict=True)],
        made=LINE,
        facts=[
            ("examples", f"{count(used)} of {count(parts.source.sizes[split])} {split}, of {names[0]}'s data"),
            ("points", f"{resolution} from one to the other, and some past each"),
        ],
        command=shlex.join([*words, "--examples", str(examples)]),
        version=__version__,
    )
    figures = folders[0].figures
    files: list[Path] = [write_document(page, figures / f"line-to-{folders[1].path.name}.html")]
    files += [drawn.write_png(figures)] if png else []
    if json:
        print_json(
            {
                "runs": list(names),
                "split": split,
                "examples": used,
                "barrier": climb,
                "alphas": alphas.tolist(),
                "losses": losses.tolist(),
                "files": [str(each.resolve()) for each in files],
            }
        )
    note(f"loss {number(ends[0])} and {number(ends[1])} on {split} · barrier {number(climb)}")
    for each in files:
        note(f"landscape: {each}")
