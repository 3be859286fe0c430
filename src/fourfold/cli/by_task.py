"""Which command a run is used with, by its task: the hint after training, and where `predict` refuses.

Checked by: the tables of tasks and of commands; a state of CartPole predicted as a row.
"""

import shlex
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fourfold.run.run import Run

USED = {  # the command, and what it takes after the run; runs of other tasks predict rows
    "contrastive": ("probe", ""),
    "control": ("play", ""),
    "image_synthesis": ("sample", ""),
    "language_modelling": ("generate", ""),
    "point_synthesis": ("sample", ""),
    "tagging": ("tag", " TEXT"),
    "translation": ("translate", " TEXT"),
}


GIVEN = {  # what predict takes, by the name of a run's encoding; a FILE else
    "image": "PICTURE",
    "text": "TEXT",
    "masked_text": "TEXT",
}
FEW = 4  # numbers, which are given on the command line rather than in a file


def hint(task: str, run: str, encoding: Mapping[str, Any] | None = None) -> str:
    """Return the command line, without `fourfold`, to use a run of a task with.

    Args:
        task: its name.
        run: as the command line has it.
        encoding: how an example reaches the model, as the run's folder has it; None: not known.
    """
    if task in USED:
        command, taken = USED[task]
        return f"{command} {run}{taken}"
    known = encoding or {}
    if known.get("name") == "features" and len(known["names"]) <= FEW:
        row = (shlex.quote(f"{name}={mean:.2g}") for name, mean in zip(known["names"], known["mean"], strict=True))
        return f"predict {run} {' '.join(row)}"
    if known.get("name") == "text" and len(known.get("columns", ())) > 1:
        return f"predict {run} {' '.join(['TEXT'] * len(known['columns']))}"
    return f"predict {run} {GIVEN.get(str(known.get('name')), 'FILE')}"


def instead_of_predict(run: "Run") -> str | None:
    """Return which command to ask of a run to which no row can be given, or None: `predict` can."""
    from fourfold.tasks.inputs import Image

    task = run.spec.task
    refused = {
        "control": isinstance(run.spec.input, Image),  # a state of a few numbers can be given as a row
        "language_modelling": True,
        "tagging": task == "tagging" and run.encoding.name == "tagged_text",
        "translation": True,
    }
    return USED[task][0] if refused.get(task) else None
