"""Listing runs from their folders."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

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
