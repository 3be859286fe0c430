"""The statements of the index: how a run folder becomes rows, and rows a `RunRow`.

Checked by: the tests of the index, on SQLite and PostgreSQL.
"""

import json
import math
import os
import platform
from collections.abc import Iterable, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, extract, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from fourfold.core.errors import InputError
from fourfold.records import strict_json
from fourfold.records.folder import RunFolder
from fourfold.records.listing import RunRow
from fourfold.records.naming import path_to_text, text_to_path
from fourfold.records.points import Point
from fourfold.records.process import is_alive
from fourfold.records.schema import HEARTBEATS, METRICS, RUNS

_POINTS_A_STATEMENT = 5000
_LISTED = [column for column in RUNS.c if column.name not in ("id", "uid", "signature")]


def row_of(run: RunFolder, result: Mapping[str, Any] | None, status: str) -> dict[str, Any]:
    """Return the row of `run` as its folder has it now."""
    found = result or {}
    return {
        "uid": run.identity.uid,
        "run_id": run.run_id,
        "folder": path_to_text(run.path),
        "host": platform.node(),
        "recipe": run.identity.recipe,
        "seed": run.identity.seed,
        "status": status,
        "created": run.identity.created,
        "ended": found.get("ended"),
        "steps": found.get("steps"),
        "metrics": strict_json.encode(found.get("metrics", {})).decode("utf-8"),
        "headline": found.get("headline"),
        "process": strict_json.encode(dict(run.identity.process)).decode("utf-8"),
        "signature": "" if status == "running" else signature(run.path),
    }


def write_runs(connection: Connection, new: list[dict[str, Any]]) -> dict[str, int]:
    """Insert rows, or replace those of the same uid; return the number of each uid."""
    insert = _insert(connection)(RUNS)
    columns = {column.name: insert.excluded[column.name] for column in RUNS.c if column.name not in ("id", "uid")}
    connection.execute(insert.on_conflict_do_update(index_elements=["uid"], set_=columns), new)
    uids = [row["uid"] for row in new]
    found = connection.execute(select(RUNS.c.uid, RUNS.c.id).where(RUNS.c.uid.in_(uids)))
    return {row.uid: row.id for row in found}


def number_of(connection: Connection, run: RunFolder) -> int:
    """Return the number of a run that is known to have a row.

    Raises:
        InputError: it has none.
    """
    number = connection.scalar(select(RUNS.c.id).where(RUNS.c.uid == run.identity.uid))
    if number is None:
        raise InputError(f"{run.run_id} is not in the index")
    return number


def write_points(connection: Connection, points: Iterable[tuple[int, Point]]) -> None:
    """Insert points of numbered runs, or replace those of the same run, name and step; SQLite turns NaN into null."""
    insert = _insert(connection)(METRICS)
    new = {"value": insert.excluded.value, "time": insert.excluded.time}
    upsert = insert.on_conflict_do_update(index_elements=["run", "name", "step"], set_=new)
    rest = iter(points)
    while some := list(islice(rest, _POINTS_A_STATEMENT)):
        rows = [{"run": n, "name": p.name, "step": p.step, "value": p.value, "time": p.time} for n, p in some]
        connection.execute(upsert, rows)


def forget_points(connection: Connection, numbers: list[int]) -> None:
    """Delete every point of some runs."""
    connection.execute(delete(METRICS).where(METRICS.c.run.in_(numbers)))


def write_heartbeat(connection: Connection, number: int) -> None:
    """Write the time by the database's clock, which all its machines share."""
    row = {"run": number, "time": _now(connection)}
    upsert = _insert(connection)(HEARTBEATS).values(row)
    connection.execute(upsert.on_conflict_do_update(index_elements=["run"], set_=row))


def read_rows(connection: Connection) -> list[RunRow]:
    """Return every run; one that says it runs, but whose process is gone, is interrupted."""
    silence = (_now(connection) - HEARTBEATS.c.time).label("silence")
    joined = select(*_LISTED, silence).outerjoin(HEARTBEATS, HEARTBEATS.c.run == RUNS.c.id)
    return [_row(row) for row in connection.execute(joined)]


def select_points(number: int, name: str) -> Any:
    """Return the query for one curve, (step, value) in step order."""
    where = (METRICS.c.run == number) & (METRICS.c.name == name)
    return select(METRICS.c.step, METRICS.c.value).where(where).order_by(METRICS.c.step)


def signature(path: Path) -> str:
    """Return a text that changes when the run's files do; a heartbeat does not change it, a resume does.

    run.json is replaced by a resume, so its inode tells; its time of change is the heartbeat.
    """
    folder = os.path.join(path, "")
    run, result, metrics = (_stat(folder + name) for name in ("run.json", "result.json", "metrics.jsonl"))
    who = f"{run.st_ino}:{run.st_size}" if run else "-"
    ended = f"{result.st_ino}:{result.st_size}:{result.st_mtime_ns}" if result else "-"
    curves = f"{metrics.st_ino}:{metrics.st_size}:{metrics.st_mtime_ns}" if metrics else "-"
    return f"{who};{ended};{curves}"


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except OSError:
        return None


def _row(row: Any) -> RunRow:
    status = row.status
    if status == "running" and not is_alive(
        json.loads(row.process), math.inf if row.silence is None else float(row.silence)
    ):
        status = "interrupted"
    return RunRow(
        run_id=row.run_id,
        folder=text_to_path(row.folder),
        status=status,
        recipe=row.recipe,
        seed=row.seed,
        created=row.created,
        ended=row.ended,
        host=row.host,
        steps=row.steps,
        metrics=strict_json.numbers(json.loads(row.metrics)),
        headline=row.headline,
    )


def _insert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def _now(connection: Connection) -> Any:
    if connection.dialect.name == "postgresql":
        return extract("epoch", literal_column("clock_timestamp()"))
    return literal_column("(julianday('now') - 2440587.5) * 86400.0")
