"""A study that has been answered, read back without torch.

Checked by: a question asked again; one whose data file has changed since, or whose runs are gone.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.records.naming import is_plain_name, to_file_name, to_text
from fourfold.records.strict_json import read_mapping
from fourfold.study.files import digest
from fourfold.study.question import Question

FORMAT = 2


def read_answer(question: Question, workspace: Path) -> dict[str, Any] | None:
    """Return study.json's content if the question was answered and nothing has changed since; None if not.

    A cell that failed for want of a disk, say, is worth another attempt, so its study is not answered yet.
    """
    path = question.folder(workspace) / "study.json"
    if not os.path.exists(path):  # which says no where nobody may look
        return None
    from fourfold.study.content import read_study  # it is of this module's format

    try:
        study, _ = read_study(path.parent)
    except InputError:
        return None  # damaged, or of another format: it is made again from the cells
    if study.get("format") != FORMAT or study.get("asked") != question.to_mapping() or not study.get("complete"):
        return None
    return study if _stands(study, workspace / "cells") else None


def find_study(workspace: Path, name: str) -> Path | None:
    """Return the folder of a study, by its name in `workspace` or by its path; None if there is none."""
    file_name = to_file_name(to_text(name))
    places = [workspace / "studies" / file_name] if is_plain_name(name) else []
    places += [Path(file_name)] if name else []
    # os.path says no, and does not raise, where a name is too long for a file
    return next((place for place in places if os.path.isfile(place / "study.json")), None)


def study_names(workspace: Path) -> list[str]:
    """Return the names of the studies in a workspace, sorted."""
    return sorted(to_text(path.parent.name) for path in (workspace / "studies").glob("*/study.json"))


def asked_of(folder: Path) -> str:
    """Return what a study compared, in a line, `digits-mlp: sgd, adam; 10 seeds`; of a damaged one, what is wrong."""
    from fourfold.study.content import read_study

    try:
        asked = read_study(folder)[0]["asked"]
    except InputError as error:
        return str(error)
    arms = ", ".join(arm["name"] for arm in asked["arms"])
    return f"{', '.join(asked['problems'])}: {arms}; {counted(len(asked['seeds']), 'seed')}"


def _stands(study: Mapping[str, Any], cells: Path) -> bool:
    """Return whether every run of a study is where it was, and the files they were trained on hold the same."""
    known: dict[str, str] = {}
    for problem in study["problems"]:
        for arm in problem["arms"]:  # each may read a file of its own
            folders = [cells / cell["folder"] for cell in arm["cells"] if cell["folder"] is not None]
            if not all((folder / "result.json").exists() for folder in folders):
                return False
            if folders:
                known |= _files(folders[0])
    try:
        return all(digest(Path(file)) == before for file, before in known.items())
    except InputError:
        return False  # it is gone


def _files(folder: Path) -> dict[str, str]:
    """Return SHA-256 of the user's own files that a run was trained on."""
    try:
        files = read_mapping(folder / "inputs.json").get("files")
    except InputError:
        return {}
    return {str(file): str(held) for file, held in files.items()} if isinstance(files, dict) else {}
