"""The metric writer: nothing lost, nothing claimed that was not saved, nothing on the step path."""

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from fourfold.core.errors import RecordError
from fourfold.records import metrics
from fourfold.records.folder import RunFolder
from fourfold.records.metrics import MetricWriter


def curves(run: RunFolder) -> list[tuple[int, str, float]]:
    return [(point.step, point.name, point.value) for point in run.points()]


def no_space(*_: object) -> int:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_every_point_is_saved_in_order(make):
    run = make()
    with MetricWriter(run) as writer:
        for step in range(100):
            writer.add(step, {"train.loss": 1 / (step + 1), "train.accuracy": step / 100})
    expected = [(s, n, v) for s in range(100) for n, v in (("train.loss", 1 / (s + 1)), ("train.accuracy", s / 100))]
    assert curves(run) == expected
    assert run.curve("train.loss")[:2] == [(0, 1.0), (1, 0.5)]


def test_the_caller_may_reuse_its_mapping(make):
    values = {"a": 1.0}
    with MetricWriter(run := make()) as writer:
        writer.add(0, values)
        values["a"] = 2.0
        writer.add(1, values)
    assert curves(run) == [(0, "a", 1.0), (1, "a", 2.0)]


def test_the_thread_writes_by_itself(make, monkeypatch):
    monkeypatch.setattr(metrics, "FLUSH_SECONDS", 0.01)
    writer = MetricWriter(run := make())
    writer.add(1, {"a": 1.0})
    deadline = time.monotonic() + 10
    while not run.points() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert curves(run) == [(1, "a", 1.0)]
    writer.close()


def test_no_point_is_lost_while_the_thread_empties_the_queue(make, monkeypatch):
    monkeypatch.setattr(metrics, "FLUSH_SECONDS", 0.0)
    with MetricWriter(run := make()) as writer:
        for step in range(20_000):
            writer.add(step, {"a": 0.0})
            if step % 5000 == 0:
                writer.flush()
    assert [point.step for point in run.points()] == list(range(20_000))


@pytest.mark.promise("R1")
def test_a_resumed_run_has_the_points_of_an_uninterrupted_one(make):
    def train(run: RunFolder, start: int, stop: int) -> None:
        with MetricWriter(run) as writer:
            writer.truncate_after(start)
            for step in range(start + 1, stop + 1):
                writer.add(step, {"train.loss": 1 / step})

    train(whole := make(), 0, 12)
    for checkpoint in range(0, 11):
        train(run := make(), 0, 10)
        train(run, checkpoint, 12)  # it had gone on to step 10 after its last checkpoint
        assert curves(run) == curves(whole)


@pytest.mark.promise("R2")
def test_what_was_flushed_survives_a_kill(workspace: Path):
    script = (
        "import sys, time, pathlib; from fourfold.records.folder import RunFolder\n"
        "from fourfold.records.metrics import MetricWriter\n"
        "writer = MetricWriter(RunFolder.create(pathlib.Path(sys.argv[1]), 'a', {'seed': 0}, {}))\n"
        "for step in range(100): writer.add(step, {'loss': 0.5})\n"
        "writer.flush(); print('flushed', flush=True)\n"
        "while True: writer.add(100, {'loss': 0.5}); time.sleep(0.001)"
    )
    child = subprocess.Popen([sys.executable, "-X", "utf8", "-c", script, str(workspace)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"flushed\n"
    os.kill(child.pid, signal.SIGKILL)
    child.communicate()
    run = RunFolder.find(workspace, "a-1")
    assert [point.step for point in run.points()][:100] == list(range(100))
    with MetricWriter(run.claim()) as writer:
        writer.truncate_after(49)
    assert [point.step for point in run.points()] == list(range(50))


@pytest.mark.promise("R2")
def test_flush_makes_points_durable(make, monkeypatch):
    with MetricWriter(run := make()) as writer:
        synced: list[bytes] = []
        real = os.fsync
        monkeypatch.setattr(os, "fsync", lambda d: (synced.append(run.metrics_file.read_bytes()), real(d)))
        writer.add(1, {"a": 1.0})
        writer.flush()
    assert b'"a"' in synced[0]


@pytest.mark.promise("R3")
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk_is_loud_and_nothing_is_claimed(make, monkeypatch, call: str):
    run = make()
    writer = MetricWriter(run)
    writer.add(1, {"a": 1.0})
    writer.flush()
    with monkeypatch.context() as patch:
        patch.setattr(os, call, no_space)
        writer.add(2, {"a": 2.0})
        with pytest.raises(RecordError, match=r"metrics\.jsonl: no space left on device; nothing was saved there"):
            writer.flush()
    with pytest.raises(RecordError):  # there is space again, but a point may be missing
        writer.add(3, {"a": 3.0})
    with pytest.raises(RecordError):
        writer.finish("done", {})
    writer.close()
    assert run.status == "failed"
    assert curves(run)[0] == (1, "a", 1.0)
    assert (3, "a", 3.0) not in curves(run)


@pytest.mark.promise("R3")
@pytest.mark.parametrize("status", ["done", "interrupted", "diverged"])
@pytest.mark.parametrize("call", ["write", "fsync", "close", "replace"])
def test_a_disk_full_at_the_last_write_leaves_failed(make, monkeypatch, status, call: str):
    """Once: what was full has room again for a small file, as when a write of many points failed."""
    writer = MetricWriter(run := make())
    writer.add(1, {"a": 1.0})
    real = getattr(os, call)

    def fail_once(*_: object) -> int:
        monkeypatch.setattr(os, call, real)
        return no_space()

    monkeypatch.setattr(os, call, fail_once)
    with pytest.raises(RecordError, match="no space left on device"):
        writer.finish(status, {"steps": 1, "findings": ["one more thing"]})
    result = run.result()
    assert result is not None
    assert (result["status"], result["steps"]) == ("failed", 1)
    assert result["findings"][0] == "one more thing"
    assert "no space left on device" in result["findings"][1]
    assert not [thread for thread in threading.enumerate() if thread.name == "metrics"]
    writer.close()


@pytest.mark.promise("R3")
def test_a_disk_that_takes_nothing_more_leaves_no_result(make, monkeypatch):
    writer = MetricWriter(run := make())
    writer.add(1, {"a": 1.0})
    with monkeypatch.context() as patch:
        patch.setattr(os, "write", no_space)
        with pytest.raises(RecordError, match=r"metrics\.jsonl: no space left on device"):
            writer.finish("done", {"steps": 1})
    assert run.result() is None


def test_a_result_that_is_no_plain_data_leaves_failed_and_why(make):
    writer = MetricWriter(run := make())
    writer.add(1, {"a": 1.0})
    with pytest.raises(TypeError, match="not JSON serializable"):
        writer.finish("done", {"steps": 1, "notes": [object()]})
    result = run.result()
    assert result is not None
    assert result["status"] == "failed"
    assert result["findings"][0].startswith("TypeError: Object of type object is not JSON serializable")
    assert not [thread for thread in threading.enumerate() if thread.name == "metrics"]


@pytest.mark.promise("R3")
def test_a_point_added_while_the_disk_refuses_leaves_no_hole(make, monkeypatch):
    run = make()
    writer = MetricWriter(run)

    def refuse_once(*_: object) -> int:
        monkeypatch.undo()
        writer.add(3, {"a": 3.0})  # as the training thread would, before it has heard of the failure
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    writer.add(2, {"a": 2.0})
    monkeypatch.setattr(os, "write", refuse_once)
    with pytest.raises(RecordError):
        writer.flush()
    writer.close()
    assert curves(run) == []


@pytest.mark.promise("R3")
def test_a_full_disk_met_by_the_thread_reaches_the_training_loop(make, monkeypatch):
    monkeypatch.setattr(metrics, "FLUSH_SECONDS", 0.01)
    writer = MetricWriter(make())
    monkeypatch.setattr(os, "write", no_space)

    def train() -> None:
        for step in range(1000):
            writer.add(step, {"a": 1.0})
            time.sleep(0.01)

    with pytest.raises(RecordError, match="no space left"):
        train()
    writer.close()  # said once, not again


@pytest.mark.promise("R3")
def test_closing_is_loud_if_nothing_was_said_before(make, monkeypatch):
    writer = MetricWriter(make())
    writer.add(1, {"a": 1.0})
    monkeypatch.setattr(os, "write", no_space)
    with pytest.raises(RecordError, match="no space left"):
        writer.close()
    writer.close()


@pytest.mark.promise("R3")
@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting a tiny disk takes root")
def test_a_disk_that_is_really_full(tmp_path: Path):
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)], capture_output=True).returncode:
        pytest.skip("this machine does not let us mount a tiny disk")
    try:
        run = RunFolder.create(disk, "a", {"seed": 0}, {})
        run.write_result("interrupted", {"steps": 0})
        writer = MetricWriter(run)

        def train() -> None:
            for step in range(100):
                writer.add(step, {f"metric{i}": 0.0 for i in range(100)})
                writer.flush()

        with pytest.raises(RecordError, match="no space left on device"):
            train()
        writer.close()
        steps = [point.step for point in run.points()]  # readable to the last whole line
        assert steps == sorted(steps)
        with pytest.raises(RecordError, match=r"result\.json: no space left"):
            run.write_result("done", {"filler": "x" * 300_000})
        assert run.status == "interrupted"
        with pytest.raises(RecordError, match="no space left"):
            RunFolder.create(disk, "b", {"seed": 0, "filler": "x" * 300_000}, {})
        assert [path.name for path in disk.iterdir() if not path.name.startswith("fourfold.db")] == ["a-1"]
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_rewrite_that_fails_keeps_the_points(make, monkeypatch):
    run = make()
    writer = MetricWriter(run)
    writer.add(1, {"a": 1.0})
    writer.add(2, {"a": 2.0})
    writer.flush()
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", no_space)
        with pytest.raises(RecordError):
            writer.truncate_after(1)
    writer.close()
    assert len(run.points()) == 2


def test_damage_is_named_on_resume(make):
    run = make()
    run.metrics_file.write_bytes(b"garbage\n" * 2)
    with MetricWriter(run) as writer, pytest.raises(RecordError, match=r"metrics\.jsonl: line 1: damaged"):
        writer.truncate_after(0)


def test_a_value_that_is_no_number_is_an_error_not_a_dead_thread(make):
    writer = MetricWriter(make())
    writer.add(1, {"a": "many"})  # type: ignore[dict-item]
    with pytest.raises(RecordError, match="ValueError: could not convert string to float"):
        writer.flush()
    writer.close()


def test_finish_writes_the_result_last(make):
    run = make()
    writer = MetricWriter(run)
    writer.add(1, {"a": 1.0})
    writer.finish("done", {"steps": 1})
    result = run.result()
    assert result is not None
    assert (result["status"], result["steps"], curves(run)) == ("done", 1, [(1, "a", 1.0)])
    assert not [thread for thread in threading.enumerate() if thread.name == "metrics"]


def test_the_heartbeat_is_given(make, monkeypatch):
    monkeypatch.setattr(metrics, "FLUSH_SECONDS", 0.01)
    run = make()
    os.utime(run.path / "run.json", (0, 0))
    with MetricWriter(run) as writer:
        writer.add(1, {"a": 1.0})
        deadline = time.monotonic() + 10
        while run.silence() > 100 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert run.silence() < 100


def test_starting_a_run_imports_neither_torch_nor_a_database():
    script = (
        "import sys, fourfold.records.folder, fourfold.records.metrics, fourfold.records.environment\n"
        "print(sorted({'torch', 'sqlalchemy', 'alembic', 'sqlite3', 'filelock'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], capture_output=True, text=True).stdout.strip() == "[]"
