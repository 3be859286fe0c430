"""Listing runs from their folders: no database, no torch, one damaged run never hides another.

Reading two small files a run is as fast as asking SQLite and saves importing SQLAlchemy, so `list` only turns to the
index where `FOURFOLD_DB` says that it holds the runs of several machines.

Checked by: 10,000 runs, damaged folders of each kind, the index's own listing, a database out of reach.
"""

import contextlib
import logging
import platform
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Mapping

from fourfold.core.errors import InputError, RecordError
from fourfold.records.folder import RunFolder, Status, run_paths
from fourfold.records.identity import read_identity
from fourfold.records.location import database_address
from fourfold.records.naming import to_text

log = logging.getLogger("fourfold.records")


@dataclass(frozen=True)
class RunRow:
    """One run in a list."""

    run_id: str
    folder: Path
    status: Status | Literal["damaged"]
    recipe: str = ""
    seed: int | None = None
    created: str = ""  # UTC, ISO 8601
    ended: str | None = None
    host: str = ""  # the machine that has the folder
    steps: int | None = None
    metrics: Mapping[str, Mapping[str, float]] = field(default_factory=dict)  # by split, then by name
    headline: str | None = None  # the metric to show first
    problem: str | None = None  # why it is damaged, or that its folder is gone

    @property
    def score(self) -> float | None:
        """The headline metric on the test split."""
        return self.metrics.get("test", {}).get(self.headline or "")

    def to_mapping(self) -> dict[str, Any]:
        """Return the row as plain data for `--json`."""
        return {**self.__dict__, "folder": str(self.folder), "metrics": {k: dict(v) for k, v in self.metrics.items()}}


def list_runs(workspace: Path) -> list[RunRow]:
    """Return the runs of `workspace`, and of every machine that shares `FOURFOLD_DB`, oldest first.

    Where that database cannot be reached, a warning says so and the runs of `workspace` are returned.

    Raises:
        InputError: `FOURFOLD_DB` is not usable.
    """
    if database_address() is None:
        return list_folders(workspace)
    from fourfold.records.index import open_index

    try:
        with contextlib.closing(open_index(workspace)) as index:
            return index.runs()
    except RecordError as error:
        log.warning("%s; only the runs in %s are listed", error, workspace)
        return list_folders(workspace)


def list_folders(workspace: Path) -> list[RunRow]:
    """Return the runs whose folders are in `workspace`, oldest first."""
    return in_order([row_of(path) for path in run_paths(workspace)])


def row_of(path: Path) -> RunRow:
    """Return the row of one run folder; a damaged one is a row too, with the reason."""
    try:
        run = RunFolder(path, read_identity(path / "run.json"))
        result = run.result()
        return row_from(run, result, run.status_by(result))
    except InputError as error:
        return RunRow(to_text(path.name), path, "damaged", problem=str(error))


def row_from(run: RunFolder, result: Mapping[str, Any] | None, status: Status) -> RunRow:
    """Return the row of a sound run."""
    identity, found = run.identity, result or {}
    return RunRow(
        run_id=run.run_id,
        folder=run.path,
        status=status,
        recipe=identity.recipe,
        seed=identity.seed,
        created=identity.created,
        ended=found.get("ended"),
        host=platform.node(),
        steps=found.get("steps"),
        metrics=found.get("metrics", {}),
        headline=found.get("headline"),
    )


def in_order(rows: list[RunRow]) -> list[RunRow]:
    """Return rows oldest first, damaged ones without a date at the end."""
    return sorted(rows, key=lambda row: (row.created == "", row.created, row.run_id))
