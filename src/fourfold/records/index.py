"""The index of runs: one database that answers questions about many runs, on one machine or several.

It is a copy. The run folders have everything, so an index that is deleted, damaged or behind is brought up to date
from them (`refresh`), and a run whose writer was killed between its file and the database loses nothing.

Checked by: the same tests on SQLite and PostgreSQL; ten writers at once, one killed; 10,000 runs.
"""

import contextlib
import math
import os
import platform
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, delete, select
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from fourfold.core.errors import InputError, RecordError, did_you_mean
from fourfold.records import rows
from fourfold.records.database import connect, explained, is_damage, replace_damaged, sqlite_file, writing
from fourfold.records.folder import RunFolder, run_paths
from fourfold.records.identity import read_identity
from fourfold.records.listing import RunRow, in_order
from fourfold.records.location import FILE, VARIABLE, database_address
from fourfold.records.naming import path_to_text, to_file_name, to_text
from fourfold.records.points import Point
from fourfold.records.schema import METRICS, RUNS
from fourfold.records.transfer import import_folder

_RUNS_A_TRANSACTION = 100  # other writers get their turn in between
_BAD_VALUES = (DataError, IntegrityError, OverflowError, UnicodeError)


def open_index(workspace: Path) -> "Index":
    """Connect to the index of `workspace`: `FOURFOLD_DB`, or `fourfold.db` in it; made if it is not there.

    Raises:
        InputError: `FOURFOLD_DB` is not usable.
        RecordError: the database cannot be reached or written.
    """
    return Index(connect(workspace), workspace)


class Index:
    """The index of one workspace, or of all that share `FOURFOLD_DB`.

    Every method raises RecordError when the database cannot be reached or written.
    """

    def __init__(self, engine: Engine, workspace: Path) -> None:
        self._engine = engine
        self._workspace = workspace.resolve()
        self._fed = database_address() is not None  # runs write their own points while they live
        file = sqlite_file(engine)
        self._is_own = file is not None and file.parent.resolve() / file.name == self._workspace / FILE

    def close(self) -> None:
        """Let the database go."""
        self._engine.dispose()

    def record(self, run: RunFolder) -> None:
        """Write the run's row as its folder has it now; call it when the run starts and when it ends."""
        with self._explaining(), writing(self._engine) as connection:
            result = run.result()
            numbers = rows.write_runs(connection, [rows.row_of(run, result, run.status_by(result))])
            rows.write_heartbeat(connection, numbers[run.identity.uid])

    def replace_points(self, run: RunFolder, points: Iterable[Point]) -> None:
        """Make `points` all that is known of the curves of a recorded run."""
        with self._explaining(), writing(self._engine) as connection:
            number = rows.number_of(connection, run)
            rows.forget_points(connection, [number])
            rows.write_points(connection, ((number, point) for point in points))

    def add_points(self, run: RunFolder, points: Iterable[Point]) -> None:
        """Add points to a recorded run; one that is there already is replaced."""
        with self._explaining(), writing(self._engine) as connection:
            number = rows.number_of(connection, run)
            rows.write_points(connection, ((number, point) for point in points))

    def heartbeat(self, run: RunFolder) -> None:
        """Say that a recorded run lives."""
        with self._explaining(), writing(self._engine) as connection:
            rows.write_heartbeat(connection, rows.number_of(connection, run))

    def import_folder(self, source: Path) -> RunFolder:
        """Copy a run folder from elsewhere into the workspace and record it.

        Raises:
            InputError: it is damaged, still running, or here already.
        """
        run = import_folder(self._workspace, source)
        with self._explaining(), writing(self._engine) as connection:
            _copy(connection, [_read(run, with_live_points=False)])
        return run

    def runs(self) -> list[RunRow]:
        """Bring the index up to date with the workspace and return every run in it, oldest first.

        A run whose folder was in another workspace of this machine and is there no more stays, with that as its
        problem: another machine of the same name may have it.
        """
        listed = self.refresh()
        damaged = {row.folder for row in listed}
        with self._explaining(), self._engine.connect() as connection:
            found = rows.read_rows(connection)
        host = platform.node()
        for row in found:
            if row.host != host:
                listed.append(row)
            elif not os.path.isdir(row.folder):
                listed.append(replace(row, problem=f"{row.folder}: no such folder any more"))
            elif row.folder not in damaged:  # it was sound when its row was written
                listed.append(row)
        return in_order(listed)

    def curve(self, run: str, name: str) -> list[tuple[int, float]]:
        """Return one curve as (step, value) pairs in step order.

        Args:
            run: a run's id or its uid.
            name: the metric, such as `train.loss`.

        Raises:
            InputError: no such run or metric (the nearest is offered), or several machines have a run of that id.
        """
        with self._explaining(), self._engine.connect() as connection:
            number = self._find(connection, run)
            points = connection.execute(rows.select_points(number, name))
            curve = [(row.step, math.nan if row.value is None else row.value) for row in points]
            if not curve:
                known = connection.scalars(select(METRICS.c.name).where(METRICS.c.run == number).distinct()).all()
                raise InputError(f"{run}: no metric '{name}'{did_you_mean(name, known)}")
        return curve

    def refresh(self) -> list[RunRow]:
        """Bring the index up to date with the run folders of the workspace, and return those that are damaged.

        A SQLite file found to be damaged is replaced by one made from the folders.
        """
        try:
            with self._explaining(let_damage_through=True):
                return self._refresh()
        except DBAPIError:
            replace_damaged(self._engine)
        with self._explaining():
            return self._refresh()

    def rebuild(self) -> list[RunRow]:
        """Forget what is known of the workspace's runs, read every folder again, and return the damaged ones."""
        with self._explaining(), writing(self._engine) as connection:
            for row in self._of_workspace(_places(connection)):
                connection.execute(delete(RUNS).where(RUNS.c.id == row.id))
        return self.refresh()

    def _refresh(self) -> list[RunRow]:
        folders = {to_text(str(path)): path for path in run_paths(self._workspace)}  # resolved: their path_to_text
        with self._engine.connect() as connection:
            everywhere = _places(connection)
        here = {row.folder: row for row in self._of_workspace(everywhere)}
        place_of = {row.uid: row.folder for row in everywhere}
        unchanged = {t for t, row in here.items() if t in folders and row.signature == rows.signature(folders[t])}
        changed = [folders[text] for text in sorted(folders.keys() - unchanged)]
        damaged: list[RunRow] = []
        for start in range(0, len(changed), _RUNS_A_TRANSACTION):
            batch: list[_Contents] = []
            for path in changed[start : start + _RUNS_A_TRANSACTION]:
                try:
                    run = RunFolder(path, read_identity(path / "run.json"))
                    original = place_of.setdefault(run.identity.uid, path_to_text(path))
                    _refuse_copy(run, folders.get(original))
                    batch.append(_read(run, with_live_points=not self._fed))
                except InputError as error:
                    damaged.append(RunRow(to_text(path.name), path, "damaged", problem=str(error)))
            damaged += self._copy_batch(batch)
        if gone := [row for text, row in here.items() if text not in folders]:
            with writing(self._engine) as connection:
                for row in gone:  # deleted; a run that was only renamed has another folder by now
                    connection.execute(delete(RUNS).where(RUNS.c.id == row.id, RUNS.c.folder == row.folder))
        return damaged

    def _copy_batch(self, batch: list["_Contents"]) -> list[RunRow]:
        """Copy runs in one transaction; where that fails for what one of them holds, one by one, and return it."""
        if not batch:
            return []
        try:
            with writing(self._engine) as connection:
                _copy(connection, batch)
            return []
        except _BAD_VALUES as error:
            if len(batch) > 1:
                return [row for contents in batch for row in self._copy_batch([contents])]
            path, words = batch[0].run.path, str(getattr(error, "orig", error)).split()
            return [RunRow(to_text(path.name), path, "damaged", problem=f"{path}: damaged: {' '.join(words)}")]

    def _of_workspace(self, everywhere: Sequence[Any]) -> list[Any]:
        """Return the rows of runs in this workspace; in its own file, every row."""
        if self._is_own:
            return list(everywhere)
        host, workspace = platform.node(), to_text(str(self._workspace))
        return [row for row in everywhere if row.host == host and os.path.dirname(row.folder) == workspace]

    def _find(self, connection: Connection, run: str) -> int:
        known = connection.execute(select(RUNS.c.id, RUNS.c.uid, RUNS.c.run_id, RUNS.c.folder, RUNS.c.host)).all()
        found = [row for row in known if run in (row.run_id, row.uid)]
        mine = [
            row
            for row in found
            if row.folder == path_to_text(self._workspace / to_file_name(run)) and row.host == platform.node()
        ]
        if len(mine or found) > 1:
            raise InputError(
                f"several machines have a run '{run}'; give its uid: {', '.join(row.uid for row in found)}"
            )
        if not found:
            raise InputError(f"no run '{run}' in the index{did_you_mean(run, [row.run_id for row in known])}")
        return (mine or found)[0].id

    @contextlib.contextmanager
    def _explaining(self, let_damage_through: bool = False) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if let_damage_through and is_damage(error):
                raise
            raise explained(error, str(sqlite_file(self._engine) or VARIABLE)) from None
        except OSError as error:
            if isinstance(error, RecordError):
                raise
            raise RecordError(f"{self._workspace}: {(error.strerror or str(error)).lower()}") from None


def _places(connection: Connection) -> Sequence[Any]:
    """Return where every run is, and the state of the files that its row was read from."""
    return connection.execute(select(RUNS.c.id, RUNS.c.uid, RUNS.c.folder, RUNS.c.host, RUNS.c.signature)).all()


class _Contents(NamedTuple):
    """What a run folder holds; no points where the run lives and writes them itself."""

    run: RunFolder
    row: dict[str, Any]
    points: list[Point] | None


def _read(run: RunFolder, with_live_points: bool) -> _Contents:
    result = run.result()
    status = run.status_by(result)
    points = run.points() if status != "running" or with_live_points else None
    return _Contents(run, rows.row_of(run, result, status), points)


def _copy(connection: Connection, batch: list[_Contents]) -> None:
    numbers = rows.write_runs(connection, [contents.row for contents in batch])
    known = [(numbers[each.run.identity.uid], each.points) for each in batch if each.points is not None]
    rows.forget_points(connection, [number for number, _ in known])
    rows.write_points(connection, ((number, point) for number, points in known for point in points))
    for each in batch:
        if each.row["status"] == "running":  # its folder says that it lives
            rows.write_heartbeat(connection, numbers[each.run.identity.uid])


def _refuse_copy(run: RunFolder, original: Path | None) -> None:
    """Raise InputError if `run` has the uid of another folder in the workspace: someone copied that one."""
    if original is None or original == run.path:
        return
    try:
        same = read_identity(original / "run.json").uid == run.identity.uid
    except InputError:
        return
    if same:
        raise InputError(f"{run.path}: a copy of {to_text(original.name)}, which has the same uid in its run.json")
