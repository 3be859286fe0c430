"""The run folder: complete or absent, self-describing, and honest about its status."""

import errno
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fourfold.core.errors import InputError, RecordError
from fourfold.records import process
from fourfold.records.folder import RunFolder, run_paths

RECIPE = {"data": {"name": "digits"}, "model": {"name": "mlp", "widths": [8]}, "seed": 3}  # what `make` uses
ENVIRONMENT = {"python": "3.11.7", "device": "cpu"}


def test_a_new_folder_describes_itself(make, workspace: Path):
    run = make()
    assert run.path == workspace / "digits-mlp-1"
    assert sorted(p.name for p in run.path.iterdir()) == [
        "checkpoints",
        "environment.json",
        "figures",
        "recipe.yaml",
        "run.json",
    ]
    opened = RunFolder.open(run.path)
    assert opened == run
    assert (opened.recipe(), opened.environment(), opened.result()) == (RECIPE, ENVIRONMENT, None)
    assert (opened.identity.recipe, opened.identity.seed, opened.status) == ("digits-mlp", 3, "running")


def test_numbers_follow_the_highest_in_use(make, workspace: Path):
    assert [make().run_id for _ in range(3)] == ["digits-mlp-1", "digits-mlp-2", "digits-mlp-3"]
    shutil.rmtree(workspace / "digits-mlp-1")
    assert make("digits").run_id == "digits-1"
    assert make().run_id == "digits-mlp-4"  # a deleted run's id is not given to another


@pytest.mark.promise("R17")
def test_many_processes_create_at_once(workspace: Path):
    script = (
        "import sys, pathlib; from fourfold.records.folder import RunFolder; sys.stdin.readline()\n"
        "for _ in range(5): print(RunFolder.create(pathlib.Path(sys.argv[1]), 'a', {'seed': 0}, {}).run_id)"
    )
    command = [sys.executable, "-X", "utf8", "-c", script, str(workspace)]
    children = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(10)]
    for child in children:  # all have imported and wait: let them go together
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    ids = [line for child in children for line in child.communicate()[0].split()]
    assert sorted(ids) == sorted(f"a-{n}" for n in range(1, 51))
    assert sorted(path.name for path in workspace.iterdir()) == sorted(ids)
    assert len({RunFolder.open(path).identity.uid for path in run_paths(workspace)}) == 50


def test_a_result_is_read_back_with_nan(make):
    run = make()
    run.write_result("diverged", {"steps": 7, "metrics": {"train": {"loss": math.nan, "a": -math.inf, "b": 1}}})
    result = RunFolder.open(run.path).result()
    assert result is not None
    assert math.isnan(result["metrics"]["train"].pop("loss"))
    assert result["metrics"] == {"train": {"a": -math.inf, "b": 1.0}}
    assert (result["steps"], run.status) == (7, "diverged")
    json.loads((run.path / "result.json").read_bytes(), parse_constant=pytest.fail)


@pytest.mark.promise("R17")
def test_a_run_whose_process_was_killed_is_interrupted(workspace: Path):
    script = (
        "import sys, time, pathlib; from fourfold.records.folder import RunFolder\n"
        "RunFolder.create(pathlib.Path(sys.argv[1]), 'a', {'seed': 0}, {}); print('made', flush=True); time.sleep(60)"
    )
    child = subprocess.Popen([sys.executable, "-X", "utf8", "-c", script, str(workspace)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    child.stdout.readline()
    run = RunFolder.find(workspace, "a-1")
    assert run.status == "running"
    with pytest.raises(InputError, match=f"a-1 is running already \\(process {child.pid} on"):
        run.claim()
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    assert run.status == "interrupted"
    mine = run.claim()
    assert mine.status == RunFolder.open(run.path).status == "running"
    assert (mine.identity.uid, mine.identity.created) == (run.identity.uid, run.identity.created)


def test_a_claimed_run_loses_its_old_result(make):
    run = make()
    run.write_result("interrupted", {})
    assert run.claim().status == "running"
    assert run.result() is None


def test_elsewhere_the_heartbeat_decides(make, monkeypatch):
    run = make()
    monkeypatch.setattr(process.platform, "node", lambda: "another-machine")
    assert RunFolder.open(run.path).status == "running"
    os.utime(run.path / "run.json", (0, 0))
    assert run.status == "interrupted"
    run.heartbeat()
    assert run.status == "running"


@pytest.mark.parametrize("file", ["run.json", "recipe.yaml", "environment.json", "result.json"])
@pytest.mark.parametrize("damage", ["cut", "empty", "garbage", "folder"])
def test_a_damaged_file_is_named(make, file: str, damage: str):
    run = make()
    run.write_result("done", {"metrics": {"train": {"loss": 0.5}}})
    path = run.path / file
    data = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes({"cut": data[: len(data) // 2] + b"\x80", "empty": b"", "garbage": b"\0\xff" * 50}[damage])
    with pytest.raises(InputError, match=file.replace(".", r"\.")) as caught:
        RunFolder.open(run.path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("run.json", {"uid": "../x"}, "'uid' is not 32 hex digits"),
        ("run.json", {"seed": "1"}, "'seed' is missing or not int"),
        ("run.json", {"process": None}, "'process' is missing or not dict"),
        ("run.json", {"format": 99}, "written by a newer Fourfold"),
        ("result.json", {"status": "perfect"}, "status 'perfect' is not one of"),
        ("result.json", {"metrics": {"train": {"loss": "small"}}}, "'small' is not a number"),
        ("result.json", {"metrics": [1]}, "metrics"),
    ],
)
def test_wrong_fields_are_named(make, file: str, change: dict, message: str):
    run = make()
    run.write_result("done", {})
    path = run.path / file
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}), encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        RunFolder.open(run.path)
    assert str(path) in str(caught.value)


def test_find_offers_the_nearest(make, workspace: Path):
    run = make()
    assert RunFolder.find(workspace, "digits-mlp-1") == run
    assert RunFolder.find(workspace / "elsewhere", str(run.path)) == run
    with pytest.raises(InputError, match=r"no run 'digit-mlp-1' in .*did you mean 'digits-mlp-1'"):
        RunFolder.find(workspace, "digit-mlp-1")
    with pytest.raises(InputError, match="it has no runs"):
        RunFolder.find(workspace / "empty", "a-1")
    for name in ("..", "../" + workspace.name, ".", ""):
        with pytest.raises(InputError):
            RunFolder.find(workspace, name)


@pytest.mark.promise("R3")
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace", "mkdir"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
@pytest.mark.parametrize("nth", [0, 1, 2])
def test_a_fault_while_creating_leaves_nothing(make, workspace: Path, monkeypatch, call: str, code: int, nth: int):
    make()
    real = getattr(os, call)
    count = iter(range(1000))

    def sometimes(*args, **kwargs):
        reads = call == "open" and not args[1] & os.O_CREAT  # the clean-up reads directories
        if not reads and next(count) >= nth:
            raise OSError(code, os.strerror(code))
        return real(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, sometimes)
        if call == "replace" and nth > 0:
            return  # creating renames once
        with pytest.raises(RecordError, match=os.strerror(code)[1:]):
            make()
    assert [path.name for path in workspace.iterdir()] == ["digits-mlp-1"]
    assert make().run_id == "digits-mlp-2"


@pytest.mark.promise("R3")
@pytest.mark.parametrize("call", ["open", "write", "fsync", "replace"])
def test_a_result_that_cannot_be_written_is_not_claimed(make, monkeypatch, call: str):
    run = make()
    run.write_result("interrupted", {"steps": 1})

    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(RecordError, match=r"result\.json: no space left"):
            run.write_result("done", {"steps": 2})
    assert run.status == "interrupted"


def test_a_workspace_that_is_a_file_is_named(tmp_path: Path):
    (tmp_path / "runs").write_text("", encoding="utf-8")
    with pytest.raises(RecordError, match="runs: "):
        RunFolder.create(tmp_path / "runs", "a", RECIPE, ENVIRONMENT)


def test_only_run_folders_count(make, workspace: Path):
    make()
    (workspace / "datasets").mkdir()
    (workspace / ".run.0123.tmp").mkdir()
    (workspace / "notes.txt").write_text("", encoding="utf-8")
    assert [path.name for path in run_paths(workspace)] == ["digits-mlp-1"]
    assert run_paths(workspace / "absent") == []
