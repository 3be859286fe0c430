"""Which command a run is used with, by its task: the hint after training, and where `predict` refuses.

Checked by: the tables of tasks and of commands; a state of CartPole predicted as a row.
"""

from typing import TYPE_CHECKING

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


def hint(task: str, run: str) -> str:
    """Return the command line, without `fourfold`, to use a run of a task with."""
    command, taken = USED.get(task, ("predict", " FILE"))
    return f"{command} {run}{taken}"


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
