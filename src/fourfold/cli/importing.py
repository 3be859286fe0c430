"""`fourfold import`."""

from pathlib import Path
from typing import Annotated

import typer

from fourfold.cli.options import JsonOption, WorkspaceOption
from fourfold.cli.output import note, print_json
from fourfold.records.location import workspace_path


def import_run(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="A run's folder, copied from another machine.")],
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Copy a run folder from elsewhere into the workspace, so that it can be listed, reported, resumed, used.

    \b
    Examples:
      fourfold import /mnt/usb/runs/digits-mlp-3
      fourfold import ~/Downloads/digits-mlp-3 --workspace runs
    """
    from fourfold.records.transfer import import_folder

    run = import_folder(workspace_path(workspace), folder)
    note(f"{run.run_id}: {run.status}, in {run.path}")
    if json:
        print_json({"run_id": run.run_id, "folder": str(run.path.resolve()), "status": run.status})
