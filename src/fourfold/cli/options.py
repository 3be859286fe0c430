"""Options that several commands share, and where they lead."""

from pathlib import Path
from typing import Annotated

import typer

from fourfold.core.errors import InputError, did_you_mean

PLACES = ("local", "ray")


def _folder(name: str) -> Path:
    if not name:  # `--workspace "$RUNS"` where RUNS is not set; Path("") would be the folder one stands in
        raise typer.BadParameter("an empty name; . is the folder you are in")
    return Path(name)


WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace",
        metavar="DIR",
        parser=_folder,
        help="Where run folders are. Default: FOURFOLD_WORKSPACE, else ./runs.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object as the last line of stdout.")]
UseOption = Annotated[
    list[Path] | None,
    typer.Option("--use", metavar="FILE.py", help="Add the parts of your own Python file; this runs it. Repeatable."),
]
TrackOption = Annotated[
    str | None, typer.Option("--track", metavar="TRACKER", help="Also send curves to tensorboard, mlflow or wandb.")
]
OnOption = Annotated[str, typer.Option("--on", metavar="WHERE", help="local: this machine. ray: a Ray cluster.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
RunArgument = Annotated[str, typer.Argument(metavar="RUN", help="A run's name, such as digits-mlp-1, or its folder.")]


def check_place(on: str) -> None:
    """Refuse a place where cells cannot run.

    Raises:
        InputError: there is none of that name; the nearest is offered.
    """
    if on not in PLACES:
        raise InputError(f"--on: no choice called '{on}'{did_you_mean(on, PLACES)}")


def load_parts(use: list[Path] | None) -> None:
    """Add the parts of installed packages and of the user's own files to the tables."""
    from fourfold.run.parts import use_entry_points, use_file

    use_entry_points()
    for file in use or []:
        use_file(file)
