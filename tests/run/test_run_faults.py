"""A run whose folder cannot be written ends loudly, claims nothing, and keeps what it had."""

import errno
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from stopping import differences, remains, resumed, start_and_stop
from system_calls import disk

from fourfold.core.errors import DONE, CheckpointError, FourfoldError, InputError
from fourfold.records.folder import RunFolder, run_paths
from fourfold.records.metrics import MetricWriter
from fourfold.run import session
from fourfold.run.checkpoint import load_newest
from fourfold.run.parts import load_recipe
from fourfold.run.run import resume, start
from fourfold.run.watch import Setup, Watcher

RECIPE: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60},
    "model": {"name": "mlp", "widths": [4]},
    "loss": "cross_entropy",
    "algorithm": "supervised",
    "budget": {"steps": 4, "batch_size": 12, "validate_every": 4, "checkpoint_every": 2, "log_every": 4},
    "runtime": {"device": "cpu", "threads": 1},
}


def status(workspace: Path) -> str | None:
    paths = run_paths(workspace)
    return RunFolder.open(paths[0]).status if paths else None


def full(name: str, real: Any, args: tuple[Any, ...]) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.promise("R3")
def test_a_disk_that_fails_at_any_call_of_a_run_never_ends_as_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fourfold.records.metrics.FLUSH_SECONDS", 1e9)  # all writes in this thread, in one order
    _, recipe = load_recipe(RECIPE)
    start("run", recipe, tmp_path / "first")  # imports what is imported late
    with disk(None) as watched:
        whole = remains(start("run", recipe, tmp_path / "whole"))
    opened = min(n for n, (name, path) in enumerate(watched.calls) if "inputs.json" in path)
    failed = saved = 0
    for n, (name, path) in enumerate(watched.calls):
        if name in ("unlink", "rmdir", "rename", "utime", "remove", "mkdir"):
            continue  # what is only tidied up may fail, and a folder may be there already
        if "fourfold.db" in path:
            continue  # the index is a copy, which catches up later
        workspace = tmp_path / f"failed at {n}"
        heard: list[str] = []
        watcher = Watcher()
        watcher.ended = heard.append  # type: ignore[method-assign]
        with disk(n, full), pytest.raises(FourfoldError) as caught:
            start("run", recipe, workspace, watcher)
        assert caught.value.exit_code != DONE
        assert "\n" not in str(caught.value)
        assert "no space left" in str(caught.value).lower()
        failed += 1
        ended = status(workspace)
        folders = run_paths(workspace)
        assert ended != "done", f"call {n}, {name} {path}"
        if n >= opened:
            assert (ended, heard) == ("failed", ["failed"]), f"call {n}, {name} {path}"
        if folders and list((folders[0] / "checkpoints").glob("step-*")):
            assert load_newest(folders[0] / "checkpoints")[1] == []
            if ended != "done" and n % 3 == 0:
                assert differences(remains(resumed(RunFolder.open(folders[0]))), whole) == []
                saved += 1
    assert failed > 40
    assert saved > 5


@pytest.mark.promise("R3")
def test_a_final_checkpoint_that_cannot_be_written_is_no_finished_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = session.save_checkpoint

    def fail(folder: Path, step: int, *rest: Any) -> Path:
        if step == 4:
            raise CheckpointError("full")
        return save(folder, step, *rest)

    monkeypatch.setattr(session, "save_checkpoint", fail)
    with pytest.raises(CheckpointError, match="full"):
        start("run", load_recipe(RECIPE)[1], tmp_path)
    assert status(tmp_path) == "failed"
    assert json.loads((tmp_path / "run-1" / "result.json").read_text(encoding="utf-8"))["metrics"] == {}


def test_a_watcher_that_fails_at_once_is_recorded(tmp_path: Path) -> None:
    heard: list[str] = []

    class Failing(Watcher):
        def started(self, setup: Setup) -> None:
            raise RuntimeError("no display")

        def ended(self, status: str) -> None:
            heard.append(status)

    with pytest.raises(RuntimeError, match="no display"):
        start("run", load_recipe(RECIPE)[1], tmp_path, Failing())
    run = RunFolder.open(tmp_path / "run-1")
    assert (run.status, heard) == ("failed", ["failed"])
    assert (run.result() or {})["findings"] == ["RuntimeError: no display"]


@pytest.mark.parametrize("moment", ["started", "inputs"])
def test_ctrl_c_before_the_first_step_is_an_interruption(
    moment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = session.write_atomically

    class Impatient(Watcher):
        def started(self, setup: Setup) -> None:
            if moment == "started":
                signal.raise_signal(signal.SIGINT)

    def slowly(*args: Any) -> None:
        if moment == "inputs":
            signal.raise_signal(signal.SIGINT)
        write(*args)

    _, recipe = load_recipe(RECIPE)
    whole = remains(start("run", recipe, tmp_path / "whole"))
    with monkeypatch.context() as patched:
        patched.setattr(session, "write_atomically", slowly)
        run = start("run", recipe, tmp_path / "stopped", Impatient())
    assert (run.status, run.result["stopped_because"], run.findings) == ("interrupted", "SIGINT", [])
    assert differences(remains(resumed(run.folder)), whole) == []


@pytest.mark.parametrize("error", [TypeError("no plain data"), KeyboardInterrupt()])
def test_whatever_keeps_the_result_from_being_written_nobody_hears_done(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    watcher = Watcher()
    watcher.ended = heard.append  # type: ignore[method-assign]

    def fail(writer: MetricWriter, *_: Any) -> None:
        writer.close()
        raise error

    monkeypatch.setattr(MetricWriter, "finish", fail)
    with pytest.raises(type(error)):
        start("run", load_recipe(RECIPE)[1], tmp_path, watcher)
    assert heard == ["failed"]


@pytest.mark.promise("R6")
def test_a_run_that_cannot_go_on_says_failed_and_goes_on_once_its_files_are_back(tmp_path: Path) -> None:
    _, recipe = load_recipe(RECIPE)
    whole = remains(start("run", recipe, tmp_path / "whole"))
    folder = start_and_stop(recipe, tmp_path / "stopped", 3, "run")
    states = {path: path.read_bytes() for path in folder.checkpoints.glob("step-*/state.json")}
    for path in states:
        path.write_bytes(b"{}")
    with pytest.raises(CheckpointError, match=r"state\.json: damaged"):
        resume(folder)
    run = RunFolder.open(folder.path)
    assert run.status == "failed"
    assert "state.json: damaged" in (run.result() or {})["findings"][0]
    for path, data in states.items():
        path.write_bytes(data)
    assert differences(remains(resumed(run)), whole) == []


@pytest.mark.promise("R3")
@pytest.mark.skipif(os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_workspace_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(FourfoldError, match="permission denied"):
        start("run", load_recipe(RECIPE)[1], tmp_path / "workspace")


@pytest.mark.promise("R9")
@pytest.mark.parametrize(
    "changes",
    [
        {"algorithm": {"name": "supervised", "optimizer": {"name": "adam", "lr": -1}}},
        {"model": "nothing"},
        {"loss": "mse"},
        {"model": "lenet5"},
        {"runtime": {"device": "mps"}},
    ],
)
def test_a_recipe_that_cannot_run_creates_nothing(changes: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        start("run", load_recipe({**RECIPE, **changes})[1], tmp_path / "workspace")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "workspace").exists()
