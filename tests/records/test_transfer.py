"""Bringing a run from elsewhere."""

import errno
import os
from pathlib import Path

import pytest

from fourfold.core.errors import InputError, RecordError
from fourfold.records.folder import RunFolder
from fourfold.records.metrics import MetricWriter
from fourfold.records.transfer import import_folder


@pytest.fixture
def finished(make) -> RunFolder:
    run = make("손글씨")
    writer = MetricWriter(run)
    writer.add(1, {"train.loss": 0.5})
    writer.finish("done", {"steps": 1})
    (run.checkpoints / "step-1").mkdir()
    (run.checkpoints / "step-1" / "model.safetensors").write_bytes(bytes(range(256)))
    (run.checkpoints / "last").symlink_to("step-1")
    (run.checkpoints / ".step-2.abcd.tmp").mkdir()
    return run


def files(folder: Path) -> dict[str, bytes]:
    found = {
        str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file() and ".tmp" not in str(p)
    }
    return {name: data for name, data in found.items() if not name.startswith("checkpoints/last")}


def test_an_imported_run_is_the_same_run(finished: RunFolder, tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    copy = import_folder(elsewhere, finished.path)
    assert copy == RunFolder.open(elsewhere / "손글씨-1")
    assert copy.identity == finished.identity
    assert files(copy.path) == files(finished.path)
    assert (copy.checkpoints / "last" / "model.safetensors").read_bytes() == bytes(range(256))
    assert not (copy.checkpoints / ".step-2.abcd.tmp").exists()
    with pytest.raises(InputError, match=r"in .* already, as 손글씨-1"):
        import_folder(elsewhere, finished.path)


def test_a_renamed_and_moved_folder_is_the_same_run(finished: RunFolder, tmp_path: Path):
    moved = finished.path.rename(tmp_path / "best")
    run = RunFolder.open(moved)
    assert (run.run_id, run.identity, run.curve("train.loss")) == ("best", finished.identity, [(1, 0.5)])


@pytest.mark.promise("R7")
@pytest.mark.parametrize("goal", ["/etc/passwd", "../../secret", "..", "last", "absent"])
def test_a_link_out_of_the_folder_is_refused(finished: RunFolder, tmp_path: Path, goal: str):
    (tmp_path / "secret").write_text("secret", encoding="utf-8")
    (finished.checkpoints / "evil").symlink_to(goal)
    with pytest.raises(InputError, match="evil: a run folder from elsewhere may not hold a link"):
        import_folder(tmp_path / "elsewhere", finished.path)
    assert not list((tmp_path / "elsewhere").iterdir())


def test_a_running_or_damaged_run_is_refused(make, finished: RunFolder, tmp_path: Path):
    with pytest.raises(InputError, match="still running"):
        import_folder(tmp_path / "elsewhere", make().path)
    finished.metrics_file.write_bytes(b"x\n")
    with pytest.raises(InputError, match=r"metrics\.jsonl: line 1: damaged"):
        import_folder(tmp_path / "elsewhere", finished.path)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.promise("R3")
@pytest.mark.parametrize("call", ["fsync", "mkdir", "replace"])
def test_a_copy_that_cannot_be_written_leaves_nothing(finished: RunFolder, tmp_path: Path, monkeypatch, call: str):
    def fail(*args, **kwargs):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    (elsewhere := tmp_path / "elsewhere").mkdir()
    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(RecordError, match="elsewhere: no space left"):
            import_folder(elsewhere, finished.path)
    assert not list(elsewhere.iterdir())
