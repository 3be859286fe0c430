"""The index, on SQLite and PostgreSQL alike: it says what the folders say, whatever happened to it or to them."""

import dataclasses
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from fourfold.core.errors import InputError, RecordError
from fourfold.records import process, rows
from fourfold.records.database import writing
from fourfold.records.folder import RunFolder
from fourfold.records.index import Index, open_index
from fourfold.records.listing import list_runs
from fourfold.records.metrics import MetricWriter
from fourfold.records.points import Point, append_points, open_for_append

METRICS = {"train": {"loss": math.inf, "accuracy": 0.9}, "test": {"accuracy": 0.5}}


@pytest.fixture
def index(database: str, workspace: Path) -> Iterator[Index]:
    index = open_index(workspace)
    yield index
    index.close()


def finish(run: RunFolder, status: str = "done") -> RunFolder:
    """End a run as its writer would, without telling the index."""
    descriptor = open_for_append(run.metrics_file)
    append_points(descriptor, [Point(s, "train.loss", 1 / (s + 1), 5.0) for s in range(10)])
    append_points(descriptor, [Point(10, "train.loss", math.nan, 5.0), Point(11, "train.loss", -math.inf, 5.0)])
    os.close(descriptor)
    run.write_result(status, {"steps": 10, "metrics": METRICS})  # type: ignore[arg-type]
    return run


def summary(index: Index) -> dict[str, str]:
    return {row.run_id: row.status for row in index.runs()}


def test_a_run_from_start_to_end(index: Index, make):
    run = make()
    index.record(run)
    index.add_points(run, [Point(s, "train.loss", float(s), 1.0) for s in range(5)])
    index.heartbeat(run)
    assert index.curve("digits-mlp-1", "train.loss") == [(s, float(s)) for s in range(5)]
    index.add_points(run, [Point(4, "train.loss", 40.0, 2.0), Point(4, "train.loss", 41.0, 2.0)])  # the last one counts
    assert index.curve(run.identity.uid, "train.loss")[4] == (4, 41.0)
    index.replace_points(run, [Point(0, "train.loss", 9.0, 1.0)])
    assert index.curve("digits-mlp-1", "train.loss") == [(0, 9.0)]
    assert summary(index) == {"digits-mlp-1": "running"}
    finish(run)
    index.record(run)
    assert summary(index) == {"digits-mlp-1": "done"}


def test_its_rows_are_those_of_the_folders(index: Index, make, workspace: Path, monkeypatch):
    for status in ("done", "diverged", "failed", "interrupted"):
        finish(make(f"실험 {status}"), status)
    make("running")
    rows_of_index = index.runs()
    monkeypatch.delenv("FOURFOLD_DB", raising=False)
    assert rows_of_index == list_runs(workspace)
    assert rows_of_index[0].metrics == METRICS


def test_floats_that_are_not_finite_survive(index: Index, make):
    finish(make())
    index.refresh()
    curve = index.curve("digits-mlp-1", "train.loss")
    assert curve[:10] == [(s, 1 / (s + 1)) for s in range(10)]
    assert math.isnan(curve[10][1])
    assert curve[11] == (11, -math.inf)


def test_unknown_names_offer_the_nearest(index: Index, make):
    finish(make())
    index.refresh()
    with pytest.raises(InputError, match="no run 'digits-mlp-2' in the index; did you mean 'digits-mlp-1'"):
        index.curve("digits-mlp-2", "train.loss")
    with pytest.raises(InputError, match=r"no metric 'train\.los'; did you mean 'train\.loss'"):
        index.curve("digits-mlp-1", "train.los")
    with pytest.raises(InputError, match="digits-mlp-2 is not in the index"):
        index.add_points(make(), [])


@pytest.mark.promise("R17")
def test_a_lost_index_is_rebuilt_from_the_folders(index: Index, make, workspace: Path, database: str):
    for _ in range(3):
        finish(make())
    before = index.runs()
    if database == "sqlite":
        index.close()
        for file in workspace.glob("fourfold.db*"):
            file.unlink()
        index = open_index(workspace)
    else:
        with writing(index._engine) as connection:
            connection.execute(text("DELETE FROM runs"))
    assert index.runs() == before
    assert len(index.curve("digits-mlp-3", "train.loss")) == 12
    assert index.rebuild() == []
    assert index.runs() == before
    index.close()


def test_refreshing_reads_only_what_changed(index: Index, make, monkeypatch):
    runs = [finish(make()) for _ in range(3)]
    index.refresh()
    read: list[str] = []
    real = RunFolder.points
    monkeypatch.setattr(RunFolder, "points", lambda self: (read.append(self.run_id), real(self))[1])
    index.refresh()
    assert read == []
    runs[1].write_result("done", {"steps": 99, "metrics": {}})
    assert [row.steps for row in index.runs()] == [10, 99, 10]
    assert read == ["digits-mlp-2"]


def test_deleted_renamed_and_resumed_folders_are_noticed(index: Index, make, workspace: Path):
    runs = [finish(make()) for _ in range(3)]
    index.refresh()
    shutil.rmtree(runs[0].path)
    runs[1].path.rename(workspace / "좋은 것")
    runs[2].claim()
    assert summary(index) == {"좋은 것": "done", "digits-mlp-3": "running"}
    assert len(index.curve("좋은 것", "train.loss")) == 12


def test_a_moved_workspace_is_the_same_workspace(make, workspace: Path, tmp_path: Path):
    finish(make())
    finish(make())
    index = open_index(workspace)
    assert len(index.runs()) == 2
    index.close()
    shutil.rmtree(workspace / "digits-mlp-1")
    workspace.rename(tmp_path / "moved")
    index = open_index(tmp_path / "moved")
    assert [row.folder for row in index.runs()] == [(tmp_path / "moved").resolve() / "digits-mlp-2"]
    index.close()


def test_a_relative_workspace_has_an_index_of_its_own_too(make, workspace: Path, monkeypatch):
    monkeypatch.chdir(workspace.parent)
    finish(make())
    finish(make("deleted"))
    index = open_index(Path(workspace.name))
    assert len(index.runs()) == 2
    index.close()
    shutil.rmtree(workspace / "deleted-1")
    workspace.rename("moved")
    index = open_index(Path("moved"))
    assert [row.folder for row in index.runs()] == [workspace.parent.resolve() / "moved" / "digits-mlp-1"]
    index.close()


def test_an_index_of_an_earlier_fourfold_reads_its_folders_again(index: Index, make, workspace: Path):
    from alembic import command
    from alembic.config import Config

    make().write_result("done", {"headline": "loss", "metrics": {"test": {"loss": 0.5}}})
    assert index.runs()[0].score == 0.5
    config = Config()
    config.set_main_option("script_location", "fourfold.records:migrations")
    with writing(index._engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")
    again = open_index(workspace)
    assert again.runs()[0].score == 0.5
    again.close()


def test_a_run_that_was_indexed_and_then_damaged_has_one_row(index: Index, make):
    bad = finish(make())
    assert summary(index) == {"digits-mlp-1": "done"}
    (bad.path / "result.json").write_bytes(b"{")
    assert [(row.run_id, row.status) for row in index.runs()] == [("digits-mlp-1", "damaged")]


@pytest.mark.promise("R17")
@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("run.json", b"{"),
        ("run.json", None),
        ("result.json", b"\0\0\0"),
        ("result.json", b'{"status": "done", "steps": "many"}'),
        ("result.json", b'{"status": "done", "ended": ["x"]}'),
        ("metrics.jsonl", b"garbage\n"),
        ("metrics.jsonl", b'{"step": 99999999999999999999999, "name": "a", "value": 1, "time": 1}\n'),
        ("metrics.jsonl", b'{"step": 1, "name": "\\ud800", "value": 1, "time": 1}\n'),
    ],
)
def test_one_damaged_run_hides_no_other(index: Index, make, file: str, content: bytes | None):
    sound = [finish(make("a")), finish(make("b"))]
    bad = finish(make("bad"))
    if content is None:
        (bad.path / file).unlink()
    else:
        (bad.path / file).write_bytes(content)
    listed = {row.run_id: row for row in index.runs()}
    assert {name for name, row in listed.items() if row.status == "done"} == {run.run_id for run in sound}
    assert listed["bad-1"].status == "damaged"
    assert "bad-1" in str(listed["bad-1"].problem)
    assert "\n" not in str(listed["bad-1"].problem)
    assert len(index.curve("a-1", "train.loss")) == len(index.curve("b-1", "train.loss")) == 12


@pytest.mark.parametrize("change", [{"recipe": "a\0b"}, {"recipe": "\ud800"}, {"seed": 2**70}, {"created": "9" * 99}])
def test_hostile_identities_are_damaged_runs(index: Index, make, change: dict):
    finish(make("a"))
    bad = finish(make("bad"))
    file = bad.path / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    assert summary(index) == {"a-1": "done", "bad-1": "damaged"}


def test_a_copied_folder_is_named_as_a_copy(index: Index, make, workspace: Path):
    run = finish(make())
    index.refresh()
    shutil.copytree(run.path, workspace / "0-copy")
    for _ in range(2):
        listed = {row.run_id: row for row in index.runs()}
        assert listed["digits-mlp-1"].status == "done"
        assert "a copy of digits-mlp-1" in str(listed["0-copy"].problem)


def test_an_imported_run_is_listed(index: Index, make, tmp_path: Path, workspace: Path):
    elsewhere = finish(make("손글씨", tmp_path / "elsewhere"))
    finish(make("손글씨"))
    copy = index.import_folder(elsewhere.path)
    assert copy.path == workspace.resolve() / "손글씨-2"
    assert summary(index) == {"손글씨-1": "done", "손글씨-2": "done"}
    assert len(index.curve("손글씨-2", "train.loss")) == 12
    with pytest.raises(InputError, match="already, as 손글씨-2"):
        index.import_folder(elsewhere.path)


@pytest.mark.promise("R17")
def test_a_running_row_whose_process_is_gone_is_interrupted(index: Index, make, monkeypatch):
    run = make()
    index.record(run)
    shutil.move(run.path, run.path.with_name(".gone"))  # only the database knows of it, as on another machine
    monkeypatch.setattr(index, "refresh", list)
    assert summary(index) == {"digits-mlp-1": "running"}
    dead = {**process.this_process(), "started": "1"}
    with writing(index._engine) as connection:
        connection.execute(text("UPDATE runs SET process = :p"), {"p": json.dumps(dead)})
    assert summary(index) == {"digits-mlp-1": "interrupted"}
    with writing(index._engine) as connection:
        connection.execute(text("UPDATE runs SET process = :p"), {"p": json.dumps({**dead, "host": "another"})})
    assert summary(index) == {"digits-mlp-1": "running"}  # its heartbeat is seconds old
    with writing(index._engine) as connection:
        connection.execute(text("UPDATE heartbeats SET time = time - 61"))
    assert summary(index) == {"digits-mlp-1": "interrupted"}


def test_machines_that_share_a_database_keep_their_own_runs(
    database: str, make, workspace: Path, tmp_path: Path, monkeypatch
):
    if database == "sqlite":
        monkeypatch.setenv("FOURFOLD_DB", f"sqlite:///{tmp_path}/shared.db")
    index = open_index(workspace)
    finish(make())
    here = index.runs()[0]
    with monkeypatch.context() as patch:
        patch.setattr(rows.platform, "node", lambda: "another-machine")
        there = open_index(tmp_path / "there")
        finish(make(where=tmp_path / "there"))
        listed = there.runs()
        there.close()
    assert [(row.host, row.folder.parent.name) for row in listed] == [
        (here.host, here.folder.parent.name),
        ("another-machine", "there"),
    ]
    shutil.rmtree(tmp_path / "there")  # this machine cannot see that folder, which says nothing about it
    assert len(index.runs()) == 2
    with pytest.raises(InputError, match="no metric 'x'"):
        index.curve("digits-mlp-1", "x")  # one's own workspace comes first
    elsewhere = open_index(tmp_path / "third")
    with pytest.raises(InputError, match="several machines have a run 'digits-mlp-1'; give its uid"):
        elsewhere.curve("digits-mlp-1", "x")
    elsewhere.close()
    index.close()
    index.close()


def test_two_machines_may_have_a_workspace_of_the_same_path(
    database: str, make, workspace: Path, tmp_path: Path, monkeypatch
):
    if database == "sqlite":
        monkeypatch.setenv("FOURFOLD_DB", f"sqlite:///{tmp_path}/shared.db")
    index = open_index(workspace)
    with monkeypatch.context() as patch:
        patch.setattr(rows.platform, "node", lambda: "another-machine")
        theirs = finish(make())
        index.refresh()
    shutil.rmtree(theirs.path)  # it is not on this machine
    finish(make("mine"))
    assert summary(index) == {"digits-mlp-1": "done", "mine-1": "done"}
    assert len(index.rebuild()) == 0
    assert summary(index) == {"digits-mlp-1": "done", "mine-1": "done"}
    index.close()


@pytest.mark.promise("R17")
def test_a_killed_run_that_never_told_the_index_its_points(index: Index, make, monkeypatch):
    run = make()
    descriptor = open_for_append(run.metrics_file)
    append_points(descriptor, [Point(1, "train.loss", 0.5, 1.0)])
    os.close(descriptor)
    index.record(run)
    monkeypatch.setattr("fourfold.records.folder.is_alive", lambda held, silence: False)
    assert summary(index) == {"digits-mlp-1": "interrupted"}
    assert index.curve("digits-mlp-1", "train.loss") == [(1, 0.5)]


WRITER = """
import os, pathlib, signal, sys, time
from fourfold.records import metrics, mirror
from fourfold.records.folder import RunFolder
from fourfold.records.metrics import MetricWriter
metrics.FLUSH_SECONDS = mirror.EVERY_SECONDS = 0.02
run = RunFolder.create(pathlib.Path(sys.argv[1]), "writer", {"seed": 0}, {})
writer = MetricWriter(run)
print("ready", flush=True)
sys.stdin.readline()
for step in range(300):
    writer.add(step, {"train.loss": step / 2, "train.accuracy": step / 300})
    time.sleep(0.002)
    if step == 150 and sys.argv[2] == "killed":
        writer.flush()
        os.kill(os.getpid(), signal.SIGKILL)
writer.finish("done", {"steps": 300, "metrics": {"train": {"loss": 1.0}}})
"""


@pytest.mark.promise("R17")
def test_ten_writers_at_once_and_one_of_them_killed(database: str, workspace: Path, tmp_path: Path, monkeypatch):
    if database == "sqlite":
        monkeypatch.setenv("FOURFOLD_DB", f"sqlite:///{tmp_path}/shared.db")

    def start(fate: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-X", "utf8", "-c", WRITER, str(workspace), fate]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen(command, text=True, **pipes)

    children = [start("killed" if i == 4 else "lives") for i in range(10)]
    for child in children:
        assert child.stdout is not None
        child.stdout.readline()
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    errors = [child.communicate()[1] for child in children]
    assert errors == [""] * 10
    assert sorted(child.returncode for child in children) == [-signal.SIGKILL] + [0] * 9
    index = open_index(workspace)
    before = {row.run_id: row.status for row in index.runs()}
    assert sorted(before.values()) == ["done"] * 9 + ["interrupted"]
    killed = next(name for name, status in before.items() if status == "interrupted")
    for name, status in before.items():
        steps = 300 if status == "done" else 151
        assert index.curve(name, "train.loss") == [(s, s / 2) for s in range(steps)]
        assert index.curve(name, "train.accuracy") == RunFolder.find(workspace, name).curve("train.accuracy")
    with MetricWriter(RunFolder.find(workspace, killed).claim()) as writer:  # resumed from a checkpoint at step 99
        writer.truncate_after(99)
        writer.add(100, {"train.loss": 7.0})
    assert index.curve(killed, "train.loss") == [*((s, s / 2) for s in range(100)), (100, 7.0)]
    index.close()


@pytest.mark.promise("R17")
def test_damage_found_while_reading_is_repaired_from_the_folders(make, workspace: Path, caplog):
    for _ in range(40):
        finish(make())
    index = open_index(workspace)
    before = index.runs()
    index.close()
    file = workspace / "fourfold.db"
    data = bytearray(file.read_bytes())
    data[8192:] = os.urandom(len(data) - 8192)  # the schema can still be read
    file.write_bytes(bytes(data))
    index = open_index(workspace)
    assert index.runs() == before
    assert "was damaged; it is rebuilt" in caplog.text
    assert len(index.curve("digits-mlp-40", "train.loss")) == 12
    index.close()


def test_a_database_that_refuses_is_one_line(index: Index, database: str, make):
    with writing(index._engine) as connection:
        connection.execute(text("DROP TABLE heartbeats"))
    with pytest.raises(RecordError, match="heartbeats") as caught:
        index.runs()
    assert "\n" not in str(caught.value)


@pytest.mark.promise("R17")
def test_thousands_of_runs_take_few_statements(index: Index, make, workspace: Path):
    """Ten thousand runs list in under 2 s because the number of statements does not grow with the runs."""
    from sqlalchemy import event

    first = finish(make())
    contents = {p.name: p.read_bytes() for p in first.path.iterdir() if p.is_file()}
    for number in range(2, 401):
        folder = workspace / f"digits-mlp-{number}"
        folder.mkdir()
        for name, data in contents.items():
            (folder / name).write_bytes(data.replace(first.identity.uid.encode(), f"{number:032x}".encode()))
    statements: list[str] = []
    event.listen(index._engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    assert len(index.runs()) == 400
    assert len(statements) < 4 * 12
    statements.clear()
    assert len(index.runs()) == 400
    assert len(statements) < 8
    assert len({dataclasses.astuple(row)[1] for row in index.runs()}) == 400
