"""Bringing a run folder from elsewhere into a workspace.

Checked by: a copy equal file by file, links that leave the folder, a full disk, the same run twice.
"""

import os
import shutil
from pathlib import Path

from fourfold.core.errors import InputError
from fourfold.records.atomic import fsync_directory, is_temporary, remove, temporary_beside
from fourfold.records.folder import RunFolder, cannot_write, run_paths
from fourfold.records.identity import read_identity
from fourfold.records.naming import slug, to_text
from fourfold.records.numbered import place


def import_folder(workspace: Path, source: Path) -> RunFolder:
    """Copy a run folder from elsewhere into `workspace`, complete or not at all; it keeps its uid.

    Raises:
        InputError: not a sound run folder, still running, holding links out of itself, or in the workspace already.
        RecordError: the copy cannot be written; nothing is left of it.
    """
    run = RunFolder.open(source)
    run.points()
    if run.status == "running":
        raise InputError(f"{source}: this run is still running")
    for path in run_paths(workspace):
        try:
            known = read_identity(path / "run.json").uid
        except InputError:  # a damaged run says nothing about this one
            continue
        if known == run.identity.uid:
            raise InputError(f"{source}: this run is in {workspace} already, as {to_text(path.name)}")
    try:
        workspace.mkdir(parents=True, exist_ok=True)
        draft = temporary_beside(workspace / "run")
        try:
            _copy_durably(source, draft)
            return RunFolder(place(draft, workspace, slug(run.identity.recipe)), run.identity)
        except BaseException:
            remove(draft)
            raise
    except OSError as error:
        raise cannot_write(error, workspace) from None


def _copy_durably(source: Path, target: Path) -> None:
    target.mkdir()
    for path in sorted(source.iterdir()):
        if is_temporary(path):
            continue
        if path.is_symlink():
            _copy_link(path, target / path.name)
        elif path.is_dir():
            _copy_durably(path, target / path.name)
        elif path.is_file():
            with open(path, "rb") as old, open(target / path.name, "xb") as new:
                shutil.copyfileobj(old, new, 1 << 20)
                new.flush()
                os.fsync(new.fileno())
    fsync_directory(target)


def _copy_link(link: Path, target: Path) -> None:
    """Copy a link such as `checkpoints/last`, which names its neighbour; any other could point anywhere here."""
    goal = os.readlink(link)
    neighbour = link.parent / goal
    if Path(goal).name != goal or goal in (".", "..") or neighbour.is_symlink() or not neighbour.exists():
        raise InputError(f"{link}: a run folder from elsewhere may not hold a link to '{goal}'")
    os.symlink(goal, target, target_is_directory=neighbour.is_dir())
