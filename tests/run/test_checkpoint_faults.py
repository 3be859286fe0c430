"""Saving while the disk fails, fills up, or the process dies: at every single call."""

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from system_calls import Killed, contents, disk

from fourfold.core.errors import CheckpointError
from fourfold.run.checkpoint import load_checkpoint, load_newest, save_checkpoint

STATE = {"step": 0, "exp_avg": torch.ones(5)}


def save(folder: Path, step: int) -> Path:
    return save_checkpoint(folder, step, {"w": torch.full((3,), float(step))}, {**STATE, "step": step})


def complete(folder: Path) -> list[int]:
    """Steps of the checkpoints under their final names; each of them must load."""
    return [load_checkpoint(path).step for path in sorted(folder.glob("step-*"))]


def calls_of_a_save(tmp_path: Path) -> list[tuple[str, str]]:
    folder = tmp_path / "counted"
    for step in (1, 2):
        save(folder, step)
    with disk(None) as watched:
        save(folder, 3)
    return watched.calls


@pytest.mark.promise("R2")
def test_killed_at_any_call_the_newest_complete_checkpoint_loads(tmp_path: Path) -> None:
    count = len(calls_of_a_save(tmp_path))
    assert count > 25
    became_durable = []
    for n in range(count):
        folder = tmp_path / f"killed-{n}"
        save(folder, 1)
        save(folder, 2)
        with disk(n), pytest.raises(Killed):
            save(folder, 3)
        steps = complete(folder)
        assert 2 in steps, f"call {n}: the previous checkpoint went before the new one stood"
        newest, problems = load_newest(folder)
        assert problems == []
        assert newest.step == steps[-1] == int(newest.model["w"][0])
        assert load_checkpoint(folder / "last").step in (2, 3)
        became_durable.append(newest.step == 3)
        save(folder, 4)  # and the next save works, and sweeps up what was left behind
        assert complete(folder)[-1] == 4
        assert [p.name for p in folder.iterdir() if p.name.startswith(".")] == []
    assert became_durable == sorted(became_durable)
    assert True in became_durable
    assert False in became_durable


@pytest.mark.promise("R2")
def test_the_new_one_is_durable_before_it_is_named_and_before_the_old_one_goes(tmp_path: Path) -> None:
    calls = calls_of_a_save(tmp_path)
    folder = tmp_path / "counted"
    final = str(folder / "step-000000003")
    named = calls.index(("replace", final))
    draft = next(path for name, path in calls if name == "mkdir" and ".tmp" in path)
    for name in ("model.safetensors", "training.safetensors", "state.json", "manifest.json"):
        last_write = max(i for i, call in enumerate(calls) if call == ("write", f"{draft}/{name}"))
        assert last_write < calls.index(("fsync", f"{draft}/{name}")) < named
    assert calls.index(("write", f"{draft}/manifest.json")) > calls.index(("fsync", f"{draft}/state.json"))
    assert calls.index(("fsync", draft)) < named
    pointed = calls.index(("replace", str(folder / "last")))
    removals = [i for i, (name, _) in enumerate(calls) if name in ("unlink", "rmdir", "remove", "rename")]
    assert removals
    assert named < calls.index(("fsync", str(folder)), named) < pointed
    assert pointed < calls.index(("fsync", str(folder)), pointed) < min(removals)


@pytest.mark.promise("R3")
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EACCES])
def test_an_error_at_any_call_is_loud_and_leaves_the_old_ones_intact(tmp_path: Path, code: int) -> None:
    calls = calls_of_a_save(tmp_path)
    folder = tmp_path / "failing"
    save(folder, 1)
    save(folder, 2)
    before = contents(folder)
    until_durable = calls.index(("replace", str(tmp_path / "counted" / "step-000000003")))
    for n in range(1, until_durable + 1):  # 0 makes a folder that is there already

        def fail(name: str, real: Any, args: tuple[Any, ...]) -> None:
            raise OSError(code, os.strerror(code))

        with disk(n, fail), pytest.raises(CheckpointError) as caught:
            save(folder, 3)
        message = str(caught.value)
        assert str(folder) in message
        assert "not saved" in message
        assert os.strerror(code) in message
        assert "\n" not in message
        assert contents(folder) == before, f"call {n}"


@pytest.mark.promise("R3")
def test_a_write_that_takes_only_a_part_is_continued(tmp_path: Path) -> None:
    writes = [i for i, (name, _) in enumerate(calls_of_a_save(tmp_path)) if name == "write"]
    for n in writes:
        folder = tmp_path / f"short-{n}"
        save(folder, 1)
        save(folder, 2)
        with disk(n, lambda name, real, args: real(args[0], bytes(args[1])[:3])):
            save(folder, 3)
        assert load_newest(folder)[0].step == 3


@pytest.mark.promise("R3")
def test_a_disk_that_takes_nothing_more_is_an_error(tmp_path: Path) -> None:
    writes = [i for i, (name, _) in enumerate(calls_of_a_save(tmp_path)) if name == "write"]
    folder = tmp_path / "stuck"
    save(folder, 1)
    for n in writes:
        with disk(n, lambda *_: 0), pytest.raises(CheckpointError):
            save(folder, 2)
        assert complete(folder) == [1]


@pytest.mark.promise("R3")
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    descriptor = os.open("/dev/full", os.O_WRONLY)

    def write_to_full(name: str, real: Any, args: tuple[Any, ...]) -> Any:
        return real(descriptor, args[1])

    save(tmp_path, 1)
    n = next(i for i, (name, _) in enumerate(calls_of_a_save(tmp_path / "other")) if name == "write")
    with disk(n, write_to_full), pytest.raises(CheckpointError, match=r"model\.safetensors: .*[Nn]o space left"):
        save(tmp_path, 2)
    os.close(descriptor)
    assert load_newest(tmp_path)[0].step == 1


KILLER = """
import os, random, signal, sys, time
from pathlib import Path
import torch
from fourfold.run.checkpoint import load_newest, save_checkpoint

folder, moments, announced = Path(sys.argv[1]), random.Random(0), 0

def save_for_ever(step, pipe):
    while True:
        step += 1
        save_checkpoint(folder, step, {"w": torch.full((20000,), float(step))}, {"step": step, "m": torch.ones(30000)})
        os.write(pipe, b"%09d" % step)

for _ in range(10):
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        save_for_ever(announced, writer)
    os.close(writer)
    said = os.read(reader, 9)  # at least one save, then the axe falls anywhere
    time.sleep(moments.uniform(0, 0.03))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    while more := os.read(reader, 1 << 16):
        said += more
    os.close(reader)
    announced = int(said[-9:])
    newest, problems = load_newest(folder)
    assert problems == [], problems
    assert newest.step in (announced, announced + 1), (newest.step, announced)
    assert newest.state["step"] == newest.step == int(newest.model["w"][0])
    announced = newest.step
print(announced)
"""


@pytest.mark.promise("R2")
def test_killed_at_random_moments_nothing_that_was_announced_is_lost(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(tmp_path / "run")], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 10
