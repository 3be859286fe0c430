"""Copies of a run: complete, and never in the way of the run."""

import os
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest

from fourfold.core.errors import InputError, RecordError
from fourfold.records import index as index_module
from fourfold.records import metrics, mirror, trackers
from fourfold.records.index import Index, open_index
from fourfold.records.metrics import MetricWriter
from fourfold.records.trackers import TrackerEntry


class Recorder:
    """A tracker that remembers, and fails where it is told to."""

    calls: ClassVar[list[tuple]] = []
    fails_at = ""

    def __init__(self, folder: Path) -> None:
        Recorder.calls = [("open", folder)]

    def _heard(self, *call: object) -> None:
        Recorder.calls.append(call)
        if call[0] == Recorder.fails_at:
            raise ConnectionError("the server is away\nsecond line")

    def start(self, run_id: str, recipe: object) -> None:
        self._heard("start", run_id, recipe)

    def log(self, step: int, values: object) -> None:
        self._heard("log", step, values)

    def finish(self, status: str) -> None:
        self._heard("finish", status)


@pytest.fixture(autouse=True)
def recorder(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"recorder": TrackerEntry("test_mirror:Recorder", "json", "json", "for tests")}
    monkeypatch.setattr(trackers, "TRACKERS", table)
    monkeypatch.setattr(mirror, "TRACKERS", table)
    monkeypatch.setattr(TrackerEntry, "open", lambda self, folder: Recorder(folder))
    monkeypatch.setattr(Recorder, "fails_at", "")


def test_a_tracker_hears_everything_in_order(make):
    run = make()
    writer = MetricWriter(run, ["recorder"])
    writer.add(1, {"train.loss": 0.5, "train.accuracy": 0.1})
    writer.add(2, {"train.loss": 0.25})
    writer.finish("done", {})
    assert Recorder.calls == [
        ("open", run.path),
        ("start", "digits-mlp-1", run.recipe()),
        ("log", 1, {"train.loss": 0.5, "train.accuracy": 0.1}),
        ("log", 2, {"train.loss": 0.25}),
        ("finish", "done"),
    ]


@pytest.mark.parametrize("call", ["start", "log", "finish"])
def test_a_tracker_that_fails_is_reported_once_and_left_alone(make, monkeypatch, caplog, call: str):
    monkeypatch.setattr(Recorder, "fails_at", call)
    writer = MetricWriter(run := make(), ["recorder"])
    for step in range(5):
        writer.add(step, {"train.loss": 0.5})
    writer.finish("done", {})
    assert run.status == "done"
    assert len(run.points()) == 5
    assert len(caplog.messages) == 1
    assert "recorder failed and is left alone (the server is away" in caplog.messages[0]
    assert "\n" not in caplog.messages[0]
    assert [each[0] for each in Recorder.calls].count(call) == 1


def test_unknown_trackers_are_refused(make):
    with pytest.raises(InputError, match="no tracker called 'recordr'; did you mean 'recorder'"):
        MetricWriter(make(), ["recordr"])


def test_a_short_run_is_in_the_index_when_it_ends(make, workspace: Path):
    writer = MetricWriter(make())
    writer.add(1, {"train.loss": 0.5})
    writer.finish("done", {"steps": 1})
    with closing(sqlite3.connect(workspace / "fourfold.db")) as file:
        assert file.execute("SELECT run_id, status, steps FROM runs").fetchall() == [("digits-mlp-1", "done", 1)]
        assert file.execute("SELECT name, step, value FROM metrics").fetchall() == [("train.loss", 1, 0.5)]
        assert file.execute("SELECT count(*) FROM heartbeats").fetchone() == (1,)


@pytest.mark.parametrize("truncated", [False, True])
def test_a_long_run_is_in_a_shared_index_while_it_runs(make, workspace: Path, tmp_path, monkeypatch, truncated: bool):
    monkeypatch.setenv("FOURFOLD_DB", f"sqlite:///{tmp_path}/shared.db")
    monkeypatch.setattr(mirror, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(metrics, "FLUSH_SECONDS", 0.01)
    writer = MetricWriter(make())
    index = open_index(workspace)
    for step in range(30):
        writer.add(step, {"train.loss": step / 10})
        time.sleep(0.005)
    deadline = time.monotonic() + 20
    expected = [(step, step / 10) for step in range(30)]
    while time.monotonic() < deadline:
        try:
            if index.curve("digits-mlp-1", "train.loss") == expected:
                break
        except InputError:
            pass
        time.sleep(0.02)
    assert index.curve("digits-mlp-1", "train.loss") == expected
    assert [row.status for row in index.runs()] == ["running"]
    if truncated:
        writer.truncate_after(9)  # after the index had them all
    writer.finish("done", {"steps": 9})
    assert index.curve("digits-mlp-1", "train.loss") == (expected[:10] if truncated else expected)
    index.close()
    with closing(sqlite3.connect(tmp_path / "shared.db")) as file:
        assert file.execute("SELECT status, steps FROM runs").fetchall() == [("done", 9)]


def test_a_run_of_its_own_index_imports_no_database_library_before_its_end(tmp_path: Path):
    """The import would hold up the training thread for a third of a second."""
    script = """
import pathlib, sys, time
from fourfold.records import metrics, mirror
from fourfold.records.folder import RunFolder
metrics.FLUSH_SECONDS = mirror.EVERY_SECONDS = 0.01
def loaded():
    return sorted({"sqlalchemy", "psycopg", "alembic"} & set(sys.modules))
writer = metrics.MetricWriter(RunFolder.create(pathlib.Path("runs"), "a", {"seed": 0}, {}))
before = loaded()
for step in range(20):
    writer.add(step, {"train.loss": 0.5})
    time.sleep(0.01)
print(before, loaded())
writer.finish("done", {})
print("sqlalchemy" in loaded())
"""
    environment = {key: value for key, value in os.environ.items() if key != "FOURFOLD_DB"}

    def told(**more: str) -> list[str]:
        command = [sys.executable, "-c", script]
        done = subprocess.run(
            command, cwd=tmp_path, env={**environment, **more}, capture_output=True, text=True, check=True
        )
        assert done.stderr == ""
        return done.stdout.splitlines()

    assert told() == ["[] []", "True"]
    assert told(FOURFOLD_DB="sqlite:///shared.db")[0].startswith("['sqlalchemy'] ")  # before the first step


def test_a_shared_database_that_nobody_can_use_does_not_stop_the_run(make, monkeypatch, caplog):
    run = make()
    monkeypatch.setenv("FOURFOLD_DB", "postgresql://host:no-port/name")
    writer = MetricWriter(run)
    writer.add(1, {"train.loss": 0.5})
    writer.finish("done", {})
    assert run.status == "done"
    assert len(caplog.messages) == 1
    assert "the index lags behind" in caplog.messages[0]


def test_whoever_reads_the_workspaces_own_index_sees_a_run_that_lives(make, workspace: Path):
    with MetricWriter(make()) as writer:
        writer.add(3, {"train.loss": 0.5})
        writer.flush()
        index = open_index(workspace)
        assert [row.status for row in index.runs()] == ["running"]
        assert index.curve("digits-mlp-1", "train.loss") == [(3, 0.5)]
        index.close()


@pytest.mark.promise("R3")
@pytest.mark.parametrize("method", ["record", "replace_points", "add_points", "heartbeat"])
def test_an_index_that_fails_for_a_while_catches_up(make, workspace: Path, tmp_path, monkeypatch, caplog, method: str):
    monkeypatch.setenv("FOURFOLD_DB", f"sqlite:///{tmp_path}/shared.db")
    monkeypatch.setattr(mirror, "RETRY_SECONDS", 0.0)
    monkeypatch.setattr(mirror, "HEARTBEAT_SECONDS", 0.0)
    monkeypatch.setattr(mirror, "EVERY_SECONDS", 0.01)
    monkeypatch.setattr(metrics, "FLUSH_SECONDS", 0.01)
    real, failures = getattr(Index, method), [0]

    def fail_three_times(self: Index, *arguments: object) -> None:
        if failures[0] < 3:
            failures[0] += 1
            raise RecordError("FOURFOLD_DB: the server is away")
        real(self, *arguments)

    monkeypatch.setattr(Index, method, fail_three_times)
    writer = MetricWriter(run := make())
    step, deadline = 0, time.monotonic() + 20
    while failures[0] < 3 and time.monotonic() < deadline:
        writer.add(step, {"train.loss": 0.5})
        step += 1
        time.sleep(0.01)
    writer.finish("done", {"steps": step})
    assert failures[0] == 3
    assert sum("the index lags behind" in message for message in caplog.messages) == 1
    monkeypatch.setattr(Index, method, real)
    index = Index(index_module.connect(workspace), workspace)  # without a refresh, which would hide a gap
    assert index.curve("digits-mlp-1", "train.loss") == run.curve("train.loss")
    index.close()


def test_a_database_that_cannot_be_opened_does_not_stop_the_run(make, workspace: Path, caplog):
    run = make()
    (workspace / "fourfold.db").mkdir()
    writer = MetricWriter(run)
    writer.add(1, {"train.loss": 0.5})
    writer.finish("done", {})
    assert run.status == "done"
    assert len(caplog.messages) == 1
    assert "the index lags behind" in caplog.messages[0]


def test_a_copy_that_hangs_does_not_hold_the_end_up_for_ever(make, monkeypatch, caplog):
    monkeypatch.setattr(mirror, "FINISH_SECONDS", 0.05)
    monkeypatch.setattr(Recorder, "finish", lambda self, status: time.sleep(0.5))
    writer = MetricWriter(run := make(), ["recorder"])
    writer.finish("done", {})
    assert run.status == "done"
    assert "did not end within" in caplog.text
    writer._mirror._thread.join()


def test_a_resumed_run_replaces_its_points_in_the_index(make, workspace: Path):
    run = make()
    for start, stop in ((0, 10), (4, 8)):
        with MetricWriter(run) as writer:
            writer.truncate_after(start)
            for step in range(start + 1, stop + 1):
                writer.add(step, {"train.loss": float(stop)})
    index = Index(index_module.connect(workspace), workspace)
    assert index.curve("digits-mlp-1", "train.loss") == [(s, 10.0) for s in range(1, 5)] + [
        (s, 8.0) for s in range(5, 9)
    ]
    index.close()
