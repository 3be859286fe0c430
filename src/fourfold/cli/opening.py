"""The runs that a command is about, found by their names: a wrong one is answered at once, before torch is imported."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fourfold.cli.options import load_parts
from fourfold.records.location import workspace_path

if TYPE_CHECKING:
    from fourfold.records.folder import RunFolder
    from fourfold.run.run import Run


def find_runs(runs: Sequence[str], workspace: Path | None, use: list[Path] | None) -> "list[RunFolder]":
    """Return the folders of runs that are given by name or folder, the user's own parts loaded.

    Raises:
        InputError: no such run.
    """
    load_parts(use)
    from fourfold.records.folder import RunFolder

    return [RunFolder.find(workspace_path(workspace), run) for run in runs]


def open_run(run: str, workspace: Path | None, use: list[Path] | None) -> "Run":
    """Open a run by its name or folder, the user's own parts loaded; torch is imported once the name is known.

    Raises:
        InputError: no such run.
    """
    (folder,) = find_runs([run], workspace, use)
    from fourfold.run.run import Run

    return Run(folder)
