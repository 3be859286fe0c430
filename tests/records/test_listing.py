"""Listing runs from their folders."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fourfold.core.errors import InputError
from fourfold.records import folder, listing
from fourfold.records.listing import list_runs


def test_rows_say_what_the_folders_say(make, workspace: Path):
    make().write_result("done", {"steps": 7, "metrics": {"test": {"accuracy": 0.5}}})
    make("손글씨")
    done, running = list_runs(workspace)
    assert (done.run_id, done.status, done.recipe, done.seed, done.steps) == (
        "digits-mlp-1",
        "done",
        "digits-mlp",
        3,
        7,
    )
    assert (done.metrics, done.folder, done.problem) == ({"test": {"accuracy": 0.5}}, workspace / "digits-mlp-1", None)
    assert (running.run_id, running.status, running.steps, running.ended) == ("손글씨-1", "running", None, None)
    assert list_runs(workspace / "absent") == []


def test_the_score_is_the_headline_of_the_test_split(make, workspace: Path):
    make().write_result("done", {"headline": "accuracy", "metrics": {"test": {"loss": 1.0, "accuracy": 0.5}}})
    make("b").write_result("done", {"headline": "accuracy", "metrics": {"train": {"accuracy": 0.5}}})
    make("c").write_result("done", {"headline": ["accuracy"]})
    assert [(row.headline, row.score) for row in list_runs(workspace)][:2] == [("accuracy", 0.5), ("accuracy", None)]
    assert "headline must be the name of a metric" in str(list_runs(workspace)[2].problem)


def test_rows_are_json(make, workspace: Path):
    make().write_result("done", {})
    assert json.loads(json.dumps(list_runs(workspace)[0].to_mapping()))["folder"] == str(workspace / "digits-mlp-1")


@pytest.mark.promise("R17")
@pytest.mark.parametrize("damage", [b"", b"{", b"\xff" * 99, b"[]", None])
@pytest.mark.parametrize("file", ["run.json", "result.json"])
def test_one_damaged_run_hides_no_other(make, workspace: Path, file: str, damage: bytes | None):
    make("a").write_result("done", {})
    bad = make("bad")
    bad.write_result("done", {})
    if damage is not None:
        (bad.path / file).write_bytes(damage)
    elif file == "run.json":
        (bad.path / file).unlink()
    else:
        (bad.path / file).unlink()
        (bad.path / file).mkdir()
    rows = {row.run_id: row for row in list_runs(workspace)}
    assert (rows["a-1"].status, rows["bad-1"].status) == ("done", "damaged")
    assert file in str(rows["bad-1"].problem)


def test_oldest_first(make, workspace: Path, monkeypatch):
    times = iter(["2026-01-02", "2026-01-01", "2026-01-03"])
    monkeypatch.setattr(folder, "_now", lambda: next(times))
    for name in ("a", "b", "c"):
        make(name)
    assert [row.run_id for row in list_runs(workspace)] == ["b-1", "a-1", "c-1"]


@pytest.mark.promise("R17")
def test_a_long_list_reads_two_small_files_a_run(make, workspace: Path, monkeypatch):
    """What keeps 10,000 runs under 2 s: no recipe, metrics or environment is read, and nothing twice."""
    for _ in range(5):
        make().write_result("done", {})
    read: list[str] = []
    real = listing.read_identity
    monkeypatch.setattr(listing, "read_identity", lambda path: (read.append(path.name), real(path))[1])
    mapping = folder.strict_json.read_mapping
    monkeypatch.setattr(folder.strict_json, "read_mapping", lambda path: (read.append(path.name), mapping(path))[1])
    list_runs(workspace)
    assert (
        sorted(read) == ["result.json"] * 5 + ["run.json"] * 10
    )  # run.json once by each of the two names it is read by


def test_listing_imports_no_database_and_no_torch(workspace: Path):
    script = (
        "import sys, pathlib; from fourfold.records.listing import list_runs; list_runs(pathlib.Path('.'))\n"
        "print(sorted({'torch', 'numpy', 'sqlalchemy', 'alembic', 'sqlite3', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=workspace.parent)
    assert (done.stdout.strip(), done.stderr) == ("['pydantic']", "") or done.stdout.strip() == "[]"


def test_a_shared_database_lists_every_machine(database: str, make, workspace: Path, tmp_path: Path, monkeypatch):
    if database == "sqlite":
        monkeypatch.setenv("FOURFOLD_DB", f"sqlite:///{tmp_path}/shared.db")
    make().write_result("done", {})
    make("other", tmp_path / "other").write_result("done", {})
    assert [row.run_id for row in list_runs(workspace)] == ["digits-mlp-1"]
    assert [row.run_id for row in list_runs(tmp_path / "other")] == ["digits-mlp-1", "other-1"]


@pytest.mark.promise("R17")
def test_deleted_and_moved_folders(database: str, make, workspace: Path, tmp_path: Path, monkeypatch):
    if database == "sqlite":
        monkeypatch.setenv("FOURFOLD_DB", f"sqlite:///{tmp_path}/shared.db")
    deleted, moved, kept = (make(name) for name in ("deleted", "moved", "kept"))
    for run in (deleted, moved, kept):
        run.write_result("done", {})
    assert len(list_runs(workspace)) == 3
    shutil.rmtree(deleted.path)
    (tmp_path / "other").mkdir()
    shutil.move(moved.path, tmp_path / "other" / "moved-1")
    assert {row.run_id: row.folder.parent for row in list_runs(tmp_path / "other")} == {
        "deleted-1": workspace,  # until its own workspace is listed
        "moved-1": tmp_path / "other",
        "kept-1": workspace,
    }
    problems = {row.run_id: row.problem for row in list_runs(tmp_path / "other")}
    assert "no such folder any more" in str(problems.pop("deleted-1"))
    assert set(problems.values()) == {None}
    assert {row.run_id: row.folder.parent for row in list_runs(workspace)} == {
        "moved-1": tmp_path / "other",
        "kept-1": workspace,
    }


@pytest.mark.promise("R17")
@pytest.mark.parametrize("address", ["postgresql://me:s3cret@127.0.0.1:1/none", "sqlite:///{here}/file/shared.db"])
def test_a_database_out_of_reach_is_one_warning(make, workspace: Path, tmp_path: Path, monkeypatch, caplog, address):
    if address.startswith("postgresql"):
        pytest.importorskip("psycopg")
    (tmp_path / "file").touch()
    monkeypatch.setenv("FOURFOLD_DB", address.format(here=tmp_path))
    make().write_result("done", {})
    assert [row.run_id for row in list_runs(workspace)] == ["digits-mlp-1"]
    assert len(caplog.messages) == 1
    assert f"only the runs in {workspace} are listed" in caplog.messages[0]
    assert "\n" not in caplog.messages[0]
    assert "s3cret" not in caplog.messages[0]


def test_an_address_that_is_none_is_an_error(make, workspace: Path, monkeypatch):
    make()
    monkeypatch.setenv("FOURFOLD_DB", "mysql://host/name")
    with pytest.raises(InputError, match="FOURFOLD_DB"):
        list_runs(workspace)
