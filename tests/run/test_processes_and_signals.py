"""Real processes: killed, interrupted, and several at once."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import driver
import pytest
import torch
from stopping import differences, remains

from fourfold.core.errors import INTERRUPTED
from fourfold.records.folder import RunFolder
from fourfold.run.checkpoint import load_newest
from fourfold.run.parts import load_recipe
from fourfold.run.run import Run, resume, start

LONG: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60},
    "model": {"name": "mlp", "widths": [6], "dropout": 0.2},
    "loss": "cross_entropy",
    "algorithm": "supervised",
    "budget": {"steps": 1500, "batch_size": 7, "validate_every": 100, "checkpoint_every": 70, "log_every": 10},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}


def begin(workspace: Path, recipe: dict[str, Any], **environment: str) -> subprocess.Popen[str]:
    command = [sys.executable, driver.__file__, str(workspace), json.dumps(recipe)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **environment}
    )


def wait_for_step(process: subprocess.Popen[str], step: int) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("step") and int(line.split()[1]) >= step:
            return
    pytest.fail(f"ended before step {step}: {process.communicate()[1]}")


@pytest.mark.promise("R1")
@pytest.mark.promise("R2")
def test_killed_in_mid_epoch_and_resumed_is_the_uninterrupted_run(tmp_path: Path) -> None:
    process = begin(tmp_path / "killed", LONG)
    wait_for_step(process, 310)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    folder = RunFolder.open(tmp_path / "killed" / "run-1")
    assert folder.status == "interrupted"
    assert folder.result() is None
    stopped = load_newest(folder.checkpoints)[0].step
    assert stopped % 70 == 0
    assert 280 <= stopped < 1500, "the kill came too late to mean anything"
    again = resume(folder)
    assert again.status == "done"
    whole = start("run", load_recipe(LONG)[1], tmp_path / "whole")
    assert differences(remains(again), remains(whole)) == []


@pytest.mark.promise("R1")
def test_killed_while_averaging_the_best_weights_come_back(tmp_path: Path) -> None:
    """Early stopping watches the average; the largest loss is the first, so the best stand before the kill alone."""
    regularizers = [
        {"name": "ema", "decay": 0.9},
        {"name": "early_stopping", "metric": "loss", "higher_is_better": True, "patience": 9},
    ]
    recipe = {**LONG, "algorithm": {"name": "supervised", "optimizer": "adam", "regularizers": regularizers}}
    process = begin(tmp_path / "killed", recipe)
    wait_for_step(process, 310)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    folder = RunFolder.open(tmp_path / "killed" / "run-1")
    checkpoint = load_newest(folder.checkpoints)[0]
    assert 280 <= checkpoint.step < 1000, "the kill came too late to mean anything"
    best = checkpoint.state["training"]["regularizers"][1]["best_weights"]
    again = resume(folder)
    assert again.result["stopped_because"] == "validation loss did not improve in 9 validations"
    assert "the weights are those after step 100, " in again.findings[0]
    restored = load_newest(folder.checkpoints)[0]
    assert restored.step == 1000
    assert differences(restored.model, best) == []
    assert differences(again.model.state_dict(), best) == []
    whole = start("run", load_recipe(recipe)[1], tmp_path / "whole")
    assert differences(remains(again), remains(whole)) == []


@pytest.mark.promise("R4")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_says_interrupted(number: signal.Signals, tmp_path: Path) -> None:
    endless = {**LONG, "budget": {**LONG["budget"], "steps": 10_000_000, "checkpoint_every": 10_000_000}}
    process = begin(tmp_path, endless)
    wait_for_step(process, 50)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED, errors
    assert errors == ""
    run = Run(RunFolder.open(tmp_path / "run-1"))
    assert run.status == "interrupted"
    assert run.result["stopped_because"] == number.name
    checkpoint, _ = load_newest(run.folder.checkpoints)
    assert checkpoint.step == run.result["steps"] >= 50


STUCK = """
import sys, time
sys.path.insert(0, sys.argv.pop(1))
import fourfold.run.session as session
session.save_checkpoint = lambda *_: (print("saving", flush=True), time.sleep(60))
import driver
sys.exit(driver.main(*sys.argv[1:]))
"""


@pytest.mark.promise("R4")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (signal.SIGINT, signal.SIGINT),  # Ctrl-C twice
        (signal.SIGINT, signal.SIGTERM),
        (signal.SIGTERM, signal.SIGINT),
        (signal.SIGTERM, signal.SIGTERM),
    ],
)
def test_a_second_signal_ends_the_process_at_once(
    first: signal.Signals, second: signal.Signals, tmp_path: Path
) -> None:
    endless = {**LONG, "budget": {**LONG["budget"], "steps": 10_000_000, "checkpoint_every": 10_000_000}}
    with subprocess.Popen(
        [sys.executable, "-c", STUCK, str(Path(driver.__file__).parent), str(tmp_path), json.dumps(endless)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            wait_for_step(process, 20)
            process.send_signal(first)
            assert any(line == "saving\n" for line in process.stdout)
            process.send_signal(second)
            assert process.wait(timeout=20) == -second  # the save would hold it for a minute
        finally:
            process.kill()
    assert RunFolder.open(tmp_path / "run-1").status == "interrupted"


SHARED: dict[str, Any] = {
    **LONG,
    "model": {"name": "mlp", "widths": [6]},
    # Adam would not notice a gradient that is twice what it should be
    "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": 0.1}},
    "budget": {"steps": 12, "batch_size": 9, "validate_every": 5, "log_every": 3},
}


def in_two_processes(workspace: Path, recipe: dict[str, Any], meeting: Path) -> Run:
    shared = {**recipe, "runtime": {**recipe["runtime"], "processes": 2}}
    processes = [
        begin(workspace, shared, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE="2", FOURFOLD_RENDEZVOUS=str(meeting))
        for rank in range(2)
    ]
    ended = [process.communicate(timeout=90) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], ended
    assert sorted(bool(output) for output, _ in ended) == [False, True]  # one of them speaks
    return Run(RunFolder.open(workspace / "run-1"))


@pytest.mark.promise("R13")
def test_two_processes_equal_one_within_rounding(tmp_path: Path) -> None:
    """42 training examples in batches of 9: shares of 5 and 4, and a last batch of 6."""
    together = in_two_processes(tmp_path / "two", SHARED, tmp_path / "meeting")
    alone = start("run", load_recipe(SHARED)[1], tmp_path / "one")
    weights = load_newest(together.folder.checkpoints)[0].model
    for name, weight in load_newest(alone.folder.checkpoints)[0].model.items():
        torch.testing.assert_close(weights[name], weight, rtol=0, atol=1e-6)
    for split, scores in alone.metrics.items():
        assert together.metrics[split] == pytest.approx(scores, abs=1e-6)
    assert together.curve("train.loss") == [(s, pytest.approx(v, abs=1e-6)) for s, v in alone.curve("train.loss")]
    assert together.result["examples_per_second"] > 0
