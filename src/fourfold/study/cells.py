"""Cells: one arm at one seed, a whole run that is known by what it computes.

A cell's key is the digest of its resolved recipe and of what may be read. Its run is an ordinary run folder in
`<workspace>/cells`, whose name ends in the key: a cell that any study has finished is never run again, and
`fourfold show`, `report` and `predict` read it like any other run. A folder that turns out to be damaged, or whose run
failed, is put aside under another name when the cell is run again, so that the cell always has the same one.

Checked by: the same cell from two studies; a cell killed at random times against an undisturbed one; folders damaged
in several ways.
"""

import hashlib
import json
import os
import platform
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import fourfold
from fourfold.core.errors import DivergedError, InputError
from fourfold.core.recipe import WORDS
from fourfold.records.atomic import write_atomically
from fourfold.records.folder import RunFolder, Status, cannot_write
from fourfold.records.strict_json import encode, read_mapping

_NAME = re.compile(r".*-([0-9a-f]{16})-[0-9]{1,9}")
WAIT_SECONDS = 20.0  # for another process that runs the cell, such as the last of a killed study
ATTEMPTS = 3  # of a cell whose process dies


class Stack(NamedTuple):
    """Cells that may be trained as one model.

    Attributes:
        name: what they have in common.
        most: how many may be trained at once, for their data to fit into memory.
    """

    name: str
    most: int


@dataclass(frozen=True)
class Cell:
    """One arm at one seed.

    Attributes:
        recipe: the recipe's name, for the record.
        fields: the whole recipe as plain data, its seed included.
        reads: SHA-256 of the user's own files that its result depends on, by path.
        blind: whether it is a trial of a tuning, which cannot read the test split.
        stack: cells of the same stack may be trained together; None: it runs alone.
    """

    recipe: str
    fields: Mapping[str, Any]
    reads: Mapping[str, str] = field(default_factory=dict)
    blind: bool = False
    stack: Stack | None = None

    @cached_property
    def key(self) -> str:
        """16 hex digits that name everything the result depends on."""
        settings = {name: value for name, value in self.fields.items() if name not in WORDS}
        known = {"recipe": settings, "blind": self.blind, "fourfold": fourfold.__version__}
        if self.reads:  # wherever they are: what counts is what they hold
            known["reads"] = sorted(self.reads.values())
        if self.stack:  # whose results differ by rounding
            known["stacked"] = True
        return hashlib.sha256(json.dumps(known, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def seed(self) -> int:
        """The seed that all its random streams are derived from."""
        return int(self.fields.get("seed", 0))


class CellResult(NamedTuple):
    """How a cell ended."""

    status: Status
    metrics: Mapping[str, Mapping[str, float]]  # split -> metric -> value; empty unless done
    folder: Path
    result: Mapping[str, Any]  # all of result.json
    cost: Mapping[str, Any]  # cost.json: what the process took

    @property
    def is_final(self) -> bool:
        """Whether it need not run again: a diverged run diverges again, a failed one may have found a full disk."""
        return self.status in ("done", "diverged")


class Store:
    """The cells of a workspace."""

    def __init__(self, workspace: Path) -> None:
        self.path = workspace / "cells"
        self._known: dict[str, CellResult] = {}
        self._folders: dict[str, list[Path]] | None = None

    def result(self, key: str) -> CellResult | None:
        """Return how a cell ended, None if it has not begun or has not ended."""
        if key in self._known:
            return self._known[key]
        best: CellResult | None = None
        for path in self._all().get(key, []):
            try:
                ended = _ended(RunFolder.open(path))
            except InputError:
                continue  # damaged: it is run again
            if ended is None:
                continue
            found = CellResult(ended["status"], ended["metrics"], path, ended, _cost(path / "cost.json"))
            if best is None or found.is_final > best.is_final:
                best = found
        if best is not None and best.is_final:
            self._known[key] = best
        return best

    def forget(self) -> None:
        """Look at the disk again: a cell has ended."""
        self._folders = None

    def _all(self) -> dict[str, list[Path]]:
        if self._folders is None:
            self._folders = {}
            for path in folders(self.path):
                match = _NAME.fullmatch(path.name)
                if match:
                    self._folders.setdefault(match[1], []).append(path)
        return self._folders


def folders(cells: Path) -> list[Path]:
    """Return the folders in `cells`, by name; none if it is not there."""
    try:
        with os.scandir(cells) as entries:
            return sorted(Path(entry.path) for entry in entries if entry.is_dir() and entry.name[0] != ".")
    except OSError:
        return []


def run_together(cells: Sequence[Cell], workspace: Path) -> None:
    """Run a cell, or several as one stack; see `run_cell`."""
    if len(cells) == 1 and not cells[0].stack:
        run_cell(cells[0], workspace)
    else:
        from fourfold.study.stacked import run_stack

        run_stack(cells, workspace, threads=int(cells[0].fields["runtime"]["threads"]))


def run_cell(cell: Cell, workspace: Path) -> None:
    """Run a cell to its end, from where an earlier attempt left it; a finished one is left as it is.

    A run that diverges has ended: its folder says so.

    Raises:
        InputError: its parts do not fit each other; nothing was created.
        FourfoldError: it cannot be recorded, say.
    """
    from fourfold.run.parts import with_parts
    from fourfold.run.run import resume, start

    began, cells = time.monotonic(), workspace / "cells"
    splits = ("train", "validation") if cell.blind else ("train", "validation", "test")
    earlier = earlier_attempt(cell, folders(cells))
    if earlier is not None and earlier.status != "interrupted":
        return
    try:
        if earlier is not None:
            run = resume(earlier, splits=splits, indexed=False)
        else:
            recipe, label = with_parts(cell.fields), f"{cell.recipe}-{cell.key}"
            run = start(cell.recipe, recipe, cells, splits=splits, label=label, indexed=False)
    except DivergedError:
        return
    cost = {"process_seconds": round(time.monotonic() - began, 3), "host": platform.node(), **peak_memory()}
    write_atomically(run.folder.path / "cost.json", encode(cost, indent=1))


def earlier_attempt(cell: Cell, paths: Iterable[Path]) -> RunFolder | None:
    """Return the folder that an attempt at a cell left, finished if there is such a one, else interrupted.

    Another process that runs the cell is waited for. What is damaged or has failed is put aside: the cell begins anew.

    Args:
        cell: which.
        paths: all folders of cells.

    Raises:
        RecordError: a folder cannot be renamed.
    """
    found: dict[str, RunFolder] = {}
    for path in paths:
        match = _NAME.fullmatch(path.name)
        if match is None or match[1] != cell.key:
            continue
        try:
            folder = RunFolder.open(path)
            _await_other(folder)
            ended = _ended(folder)
            status = folder.status_by(ended)
        except InputError:
            _put_aside(path, "damaged")
            continue
        if status == "failed":
            _put_aside(path, "failed")
        else:
            found.setdefault(status, folder)
    return next((found[status] for status in ("done", "diverged", "interrupted") if status in found), None)


def _ended(folder: RunFolder) -> dict[str, Any] | None:
    """Return how a run ended, None while it has not.

    Raises:
        InputError: damaged; a run that is done has scores on every split that it had.
    """
    result = folder.result()
    if result is None or result["status"] != "done":
        return result
    sizes, metrics = result.get("sizes", {}), result["metrics"]
    splits = [*metrics, *sizes] if isinstance(metrics, dict) and isinstance(sizes, dict) else []
    scored = [metrics.get(split) for split in splits if sizes.get(split, 1)]
    if not scored or not all(isinstance(scores, dict) and scores for scores in scored):
        raise InputError(f"{folder.path / 'result.json'}: damaged: it says done, and scores are missing")
    return result


def _put_aside(path: Path, why: str) -> None:
    """Rename a folder to `<name>.<why>`: it stays to be looked at, and is a cell no more."""
    number, target = 1, path.with_name(f"{path.name}.{why}")
    while os.path.lexists(target):
        number += 1
        target = path.with_name(f"{path.name}.{why}-{number}")
    try:
        path.rename(target)
    except FileNotFoundError:
        pass  # another process was quicker
    except OSError as error:
        raise cannot_write(error, path) from None


def _cost(file: Path) -> dict[str, Any]:
    """Read what a run took; a missing or damaged file costs that knowledge, and not the run."""
    try:
        return read_mapping(file) if file.exists() else {}
    except InputError:
        return {}


def _await_other(folder: RunFolder) -> None:
    """Wait for another process that runs this cell, for a while."""
    until = time.monotonic() + WAIT_SECONDS
    while folder.status == "running" and time.monotonic() < until:
        time.sleep(0.05)


def peak_memory() -> dict[str, int]:
    """Return the most memory this process has had, in bytes, where the system tells."""
    try:
        import resource
        import sys
    except ImportError:
        return {}
    unit = 1 if sys.platform == "darwin" else 1024
    return {"peak_memory_bytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit}
