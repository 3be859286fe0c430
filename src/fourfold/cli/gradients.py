"""`fourfold gradients`."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

from fourfold.cli.opening import find_runs
from fourfold.cli.options import JsonOption, UseOption, WorkspaceOption
from fourfold.cli.output import note, print_json
from fourfold.cli.waiting import waiting
from fourfold.core.errors import InputError
from fourfold.report.numbers import count, number

EXAMPLES = 1000  # of the training split, on which the gradient before and after training is taken
MADE = (
    "Each run was trained again on the CPU, step by step. A layer is a module with parameters of its own; its weights "
    "and biases count together. Gradients are those that the optimizer was given; the effective learning rate is how "
    "far a step goes over the size of its gradient. "
    "(Glorot and Bengio 2010, Understanding the difficulty of training deep feedforward neural networks.)"
)


def gradients(
    runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Names, such as digits-mlp-1, or folders.")],
    png: Annotated[bool, typer.Option("--png", help="Also write each figure as a PNG.")] = False,
    workspace: WorkspaceOption = None,
    use: UseOption = None,
    json: JsonOption = False,
) -> None:
    """Train runs again, and draw the gradient of each layer, the size of each step, and the effective learning rate.

    With several runs their steps are drawn together. The page goes into the first run's figures folder.

    \b
    Examples:
      fourfold gradients digits-mlp-1
      fourfold gradients digits-mlp-1 digits-mlp-2 --png
    """
    if len(set(runs)) < len(runs):
        raise InputError("the same run is given twice")
    folders = find_runs(runs, workspace, use)

    from fourfold import __version__
    from fourfold.report.document import write_document
    from fourfold.report.gradients import draw_effective_rates, draw_layers, draw_layers_over_time, draw_steps
    from fourfold.report.view_page import view_page
    from fourfold.run.run import Run
    from fourfold.study.gradients import Trace, gradient_norms, trace
    from fourfold.study.objective import split_batches
    from fourfold.study.trajectory import trained_again

    traces: dict[str, Trace] = {}
    norms: dict[str, dict[str, float]] = {}
    for opened in map(Run, folders):
        steps, parts = int(opened.result["steps"]), opened.parts
        batches = split_batches(parts.source, "train", min(EXAMPLES, parts.source.sizes["train"]))
        mark = f"{opened.run_id} " if len(runs) > 1 else ""
        with trained_again(opened) as training, waiting(f"steps of {opened.run_id}", steps) as heard:
            norms[f"{mark}before"] = gradient_norms(training.model, parts.loss, batches)
            traces[opened.run_id] = trace(training, steps, heard)
            norms[f"{mark}after"] = gradient_norms(training.model, parts.loss, batches)
    several = len(traces) > 1
    over_time = [
        draw_layers_over_time(each, run if several else None, f"-{i}" if several else "")
        for i, (run, each) in enumerate(traces.items(), start=1)
    ]
    drawn = [draw_layers(norms), *over_time, draw_steps(traces), draw_effective_rates(traces)]
    page = view_page(
        "gradients",
        ", ".join(traces),
        "Gradients and steps",
        drawn,
        tiles=[
            (number(float(each.effective_rates.median())), f"effective learning rate of {run}, the median step's")
            for run, each in traces.items()
        ],
        made=MADE,
        facts=[
            ("steps", ", ".join(count(len(each.losses)) for each in traces.values())),
            ("before and after", f"the gradient of the loss on the first {count(EXAMPLES)} training examples, at most"),
        ],
        command=shlex.join(["fourfold", "gradients", *runs]),
        version=__version__,
    )
    figures = folders[0].figures
    files: list[Path] = [write_document(page, figures / "gradients.html")]
    files += [each.write_png(figures) for each in drawn if png]
    if json:
        print_json(
            {
                "runs": {
                    run: {
                        "losses": each.losses.tolist(),
                        "step_sizes": each.step_sizes.tolist(),
                        "effective_rates": each.effective_rates.tolist(),
                        "layers": {name: sizes.tolist() for name, sizes in each.layer_gradients.items()},
                    }
                    for run, each in traces.items()
                },
                "files": [str(each.resolve()) for each in files],
            }
        )
    for each in files:
        note(f"gradients: {each}")
