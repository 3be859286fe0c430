"""One run in several processes on this machine: as one process gives it, and however they end."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from living import lives
from stopping import differences, remains
from torch import Tensor, nn

import fourfold as ff
from fourfold.algorithms.regularizers.input_noise import InputNoise
from fourfold.cli import main
from fourfold.core.errors import FAILED, INTERRUPTED, FourfoldError, InputError, LostProcessError
from fourfold.records.folder import RunFolder
from fourfold.run.build import batch_size_of, build_parts
from fourfold.run.checkpoint import load_newest
from fourfold.run.parts import load_recipe, use_file
from fourfold.run.processes import device_of, lost_is_told
from fourfold.run.run import Run, start
from fourfold.tasks.processes import OneProcess
from fourfold.tasks.seam import Batch, Plan

RECIPE: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60},  # 42 of them to train on
    "model": {"name": "mlp", "widths": [6]},
    "loss": "cross_entropy",
    # Adam would not notice a gradient that is twice what it should be
    "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": 0.1}},
    "budget": {"steps": 12, "batch_size": 9, "validate_every": 5, "log_every": 3},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}
NOISY = {
    "model.dropout": 0.2,
    "algorithm.regularizers": [{"name": "input_noise", "deviation": 0.3}],
    "runtime.processes": 2,
    "budget.steps": 1500,
    "budget.checkpoint_every": 70,
    "budget.validate_every": 100,
}
ENDLESS = {"runtime.processes": 2, "budget.steps": 10_000_000, "budget.log_every": 50, "budget.validate_every": 50}


def weights(run: Run) -> dict[str, Tensor]:
    return load_newest(run.folder.checkpoints)[0].model


def assert_same_run(one: Run, other: Run) -> None:
    for name, weight in weights(one).items():
        torch.testing.assert_close(weights(other)[name], weight, rtol=0, atol=1e-6)
    for split, scores in one.metrics.items():
        assert other.metrics[split] == pytest.approx(scores, abs=1e-6)
    assert other.curve("train.loss") == [(s, pytest.approx(v, abs=1e-6)) for s, v in one.curve("train.loss")]


class Family:
    """`fourfold run` in several processes, and all of them by rank."""

    def __init__(self, workspace: Path, overrides: dict[str, Any], *options: str) -> None:
        recipe = workspace / "run.yaml"
        recipe.write_text(load_recipe(RECIPE, overrides)[1].to_yaml(), encoding="utf-8")
        self.folder = workspace / "run-1"
        command = [sys.executable, "-m", "fourfold", "run", str(recipe), "--workspace", str(workspace), "--quiet"]
        self.launcher = subprocess.Popen(
            [*command, "--json", *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, encoding="utf-8"
        )
        self.ranks: dict[int, int] = {}

    def wait_for(self, path: Path) -> None:
        deadline = time.monotonic() + 90
        while not path.exists():
            assert self.launcher.poll() is None, self.launcher.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        self.ranks = {rank: pid for pid, rank in children(self.launcher.pid)}
        assert sorted(self.ranks) == [0, 1]

    def end(self) -> tuple[str, str]:
        """Wait for the launcher, and then for every process."""
        said = self.launcher.communicate(timeout=90)
        deadline = time.monotonic() + 30
        while any(lives(pid) for pid in self.ranks.values()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [pid for pid in self.ranks.values() if lives(pid)] == []
        return said

    def run(self) -> Run:
        return Run(RunFolder.open(self.folder))


def children(parent: int) -> Iterator[tuple[int, int]]:
    """Every (process, rank) that `parent` started."""
    for path in Path("/proc").iterdir():
        try:
            if int((path / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()[1]) == parent:
                environment = dict(each.split(b"=", 1) for each in (path / "environ").read_bytes().split(b"\0") if each)
                yield int(path.name), int(environment[b"RANK"])
        except (OSError, IndexError, ValueError):
            continue


@pytest.mark.promise("R13")
def test_shares_may_be_unequal_and_even_empty(tmp_path: Path) -> None:
    """42 examples in batches of 41: shares of 21 and 20 in two pieces each, then of 1 and 0."""
    ragged = {"budget.batch_size": 41, "runtime.accumulate": 2}
    alone = ff.run(RECIPE, ragged, workspace=tmp_path / "one")
    together = ff.run(RECIPE, {**ragged, "runtime.processes": 2}, workspace=tmp_path / "two")
    assert_same_run(alone, together)
    costs = "2 processes on this machine's CPU exchange all gradients at every step"
    assert [costs in " ".join(run.result["notes"]) for run in (alone, together)] == [False, True]


@pytest.mark.promise("R9")
def test_more_processes_than_examples_to_share_are_one_line(tmp_path: Path) -> None:
    line = r"^runtime\.processes: 4 processes cannot share batches of 3; the nearest valid number is 3$"
    with pytest.raises(InputError, match=line):
        ff.run(RECIPE, {"runtime.processes": 4, "budget.batch_size": 3}, workspace=tmp_path)
    few = load_recipe("xor-mlp", {"runtime.processes": 5, "budget.batch_size": "full"})[1]
    with pytest.raises(InputError, match=r"^runtime\.processes: 5 processes cannot share batches of 4; "):
        batch_size_of(few, build_parts(few).source)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("R9")
def test_another_number_of_processes_than_were_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes without runtime.processes=2 would be two runs."""
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("WORLD_SIZE", "2")
    for processes, asked in ((1, "1 process"), (3, "3 processes")):
        recipe = load_recipe(RECIPE, {"runtime.processes": processes})[1]
        with pytest.raises(
            InputError, match=rf"^runtime\.processes: the recipe asks for {asked}, the launcher started 2"
        ):
            start("run", recipe, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.promise("R9")
def test_more_processes_than_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch.cuda, "set_device", lambda _: None)
    with pytest.raises(InputError, match=r"^runtime\.processes: 2 processes on this machine, which has 1 GPU"):
        device_of("cuda")


def test_only_the_loss_of_another_process_is_called_that() -> None:
    reset = "[gloo/transport/tcp/pair.cc:545] Read error [127.0.0.1]:22952: Connection reset by peer"
    longer = "[/pytorch/third_party/gloo/gloo/transport/tcp/unbound_buffer.cc:81] Timed out waiting 1800000ms"
    for said in (reset, longer):
        with pytest.raises(LostProcessError), lost_is_told(2):
            raise RuntimeError(said)
        with pytest.raises(RuntimeError, match="gloo"), lost_is_told(1):  # there is no other
            raise RuntimeError(said)
    with pytest.raises(LostProcessError), lost_is_told(2):
        raise torch.distributed.DistNetworkError("the server socket has failed")
    for said in ("size mismatch", "/data/igloo.csv is torn", "/data/igloo/a.csv is torn"):
        with pytest.raises(RuntimeError, match=said), lost_is_told(2):
            raise RuntimeError(said)


@pytest.mark.promise("R12")
def test_every_process_draws_noise_of_its_own() -> None:
    def noise(rank: int, step: int) -> Tensor:
        processes = OneProcess()
        processes.rank = rank
        plan = Plan(seed=1, steps=9, batch_size=4, processes=processes)
        noisy = InputNoise(nn.Linear(2, 2), plan, 1.0).on_batch(Batch((torch.zeros(4, 2),), torch.zeros(4)), step)
        return noisy.inputs[0]

    assert torch.equal(noise(1, 3), noise(1, 3))
    drawn = [noise(rank, step) for rank in range(3) for step in range(3)]
    assert len({tuple(each.flatten().tolist()) for each in drawn}) == len(drawn)


@pytest.mark.slow
@pytest.mark.promise("R1")
@pytest.mark.promise("R12")
@pytest.mark.promise("R19")
def test_all_killed_and_resumed_is_the_uninterrupted_run(tmp_path: Path) -> None:
    """With dropout and noise on the inputs, of which every process has its own."""
    (tmp_path / "killed").mkdir()
    family = Family(tmp_path / "killed", NOISY)
    family.wait_for(family.folder / "checkpoints" / "step-000000280")
    for pid in (family.launcher.pid, *family.ranks.values()):
        os.kill(pid, signal.SIGKILL)
    family.end()
    stopped = family.run()
    assert stopped.status == "interrupted"
    checkpoint = load_newest(stopped.folder.checkpoints)[0]
    assert 280 <= checkpoint.step < 1500, "the kill came too late to mean anything"
    first, second = checkpoint.state["random"]
    assert not torch.equal(first["cpu"], second["cpu"])
    again = ff.resume("run-1", workspace=tmp_path / "killed")
    assert again.status == "done"
    (tmp_path / "run.yaml").write_text(load_recipe(RECIPE, NOISY)[1].to_yaml(), encoding="utf-8")
    whole = ff.run(tmp_path / "run.yaml", workspace=tmp_path / "whole")
    assert differences(remains(again), remains(whole)) == []


HASTY = """
from datetime import timedelta
import fourfold.run.launch, fourfold.run.processes
fourfold.run.processes.TIMEOUT = timedelta(seconds=15)
fourfold.run.launch.GRACE_SECONDS = 15.0
PARTS = {}
"""


@pytest.mark.slow
@pytest.mark.promise("R19")
@pytest.mark.parametrize(
    ("rank", "number", "line", "status"),
    [
        (0, signal.SIGKILL, "process 0 (of 0 to 1) was ended by SIGKILL; the others ended with it", "interrupted"),
        (1, signal.SIGKILL, "process 1 (of 0 to 1) was ended by SIGKILL; the others ended with it", "failed"),
        (1, signal.SIGSTOP, "process 1 (of 0 to 1) did not answer and was ended; so were the others", "failed"),
    ],
)
def test_a_process_that_is_lost_ends_the_run(
    rank: int, number: signal.Signals, line: str, status: str, tmp_path: Path
) -> None:
    (tmp_path / "hasty.py").write_text(HASTY, encoding="utf-8")
    family = Family(tmp_path, {**ENDLESS, "budget.checkpoint_every": 50}, "--use", str(tmp_path / "hasty.py"))
    family.wait_for(family.folder / "checkpoints" / "last")
    os.kill(family.ranks[rank], number)
    out, err = family.end()
    assert (family.launcher.returncode, err) == (FAILED, f"error: {line}\n")
    assert json.loads(out) == {"status": "failed", "error": line}
    run = family.run()
    assert run.status == status
    lost = ["LostProcessError: another process of this run ended or cannot be reached"]
    assert run.findings == (lost if rank else [])
    assert load_newest(run.folder.checkpoints)[1] == []


@pytest.mark.slow
@pytest.mark.promise("R4")
@pytest.mark.promise("R19")
@pytest.mark.parametrize(("number", "heard"), [(signal.SIGINT, "SIGINT"), (signal.SIGKILL, "SIGTERM")])
def test_when_the_launcher_is_stopped_all_stop_and_save_once(
    number: signal.Signals, heard: str, tmp_path: Path
) -> None:
    """Killed, it cannot tell them; they notice that it is gone."""
    family = Family(tmp_path, {**ENDLESS, "budget.checkpoint_every": 10_000_000})
    family.wait_for(family.folder / "metrics.jsonl")
    while not (family.folder / "metrics.jsonl").stat().st_size:
        time.sleep(0.02)
    os.kill(family.launcher.pid, number)
    out, err = family.end()
    assert err == ""
    assert family.launcher.returncode == (INTERRUPTED if number == signal.SIGINT else -number)
    run = family.run()
    assert json.loads(out)["status"] == run.status == "interrupted"
    assert run.result["stopped_because"] == heard
    assert [path.name for path in sorted(run.folder.checkpoints.iterdir())] == [
        "last",
        f"step-{run.result['steps']:09d}",
    ]


OWN = """
import os, time
from typing import Literal
from fourfold.models.mlp import MLPConfig
from fourfold.records.folder import RunFolder

class OwnConfig(MLPConfig):
    "A model of my own."
    name: Literal["{name}"] = "{name}"

PARTS = {{"model": {{"{name}": OwnConfig}}}}
write = RunFolder.write_result
RunFolder.write_result = lambda *a: (time.sleep(1), write(*a)) if "RANK" in os.environ else write(*a)
"""


@pytest.fixture
def own_parts(tmp_path: Path, added_parts: None, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Two files of a user's own. Their runs in several processes write results slowly."""
    monkeypatch.setattr(RunFolder, "write_result", RunFolder.write_result)  # which the files change, and this restores
    files = [tmp_path / "first.py", tmp_path / "second.py"]
    for file in files:
        file.write_text(OWN.format(name=file.stem), encoding="utf-8")
        use_file(file)
    return files


@pytest.mark.slow
@pytest.mark.promise("R13")
def test_folds_in_several_processes_are_those_of_one(own_parts: list[Path], tmp_path: Path) -> None:
    """The parts are the user's own, and a fold's result is written long after the other process came to its end."""
    own = {"model": {"name": "second", "widths": [6]}}
    data = {"data": "iris", "budget.batch_size": 16}
    alone = ff.cross_validate({**RECIPE, **own}, 3, data, workspace=tmp_path / "one")
    together = ff.cross_validate({**RECIPE, **own}, 3, {**data, "runtime.processes": 2}, workspace=tmp_path / "two")
    assert len([path for path in (tmp_path / "two").iterdir() if path.is_dir()]) == 3
    for one, two in zip(alone.runs, together.runs, strict=True):
        assert two.status == "done"
        assert_same_run(one, two)
    for split, scores in alone.mean.items():
        assert together.mean[split] == pytest.approx(scores, abs=1e-6)
        assert together.spread[split] == pytest.approx(alone.spread[split], abs=1e-6)


def test_files_of_parts_are_named_to_every_process(
    own_parts: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[list[str]] = []

    def launch(arguments: list[str], count: int, *_: object) -> int:
        given.append(arguments)
        return 0

    monkeypatch.setattr("fourfold.run.launch.launch", launch)
    monkeypatch.setattr("fourfold.run.api.launch", launch)
    monkeypatch.setattr("fourfold.cli.training.load_parts", lambda _: None)  # they are there already
    with pytest.raises(FourfoldError):  # nothing ran
        ff.run(RECIPE, {"model": "second", "runtime.processes": 2}, workspace=tmp_path)
    first, second = map(str, own_parts)
    options = ["--use", first, "--use", second]
    assert main(["run", "digits-mlp", "model=first", "runtime.processes=2", *options]) == 0
    for arguments in given:
        places = [i for i, argument in enumerate(arguments) if argument == "--use"]
        assert [arguments[i + 1] for i in places] == [first, second]
    assert len(given) == 2


def test_an_error_of_all_is_raised_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    changes = {"algorithm": "perceptron_rule", "model": "perceptron", "runtime.processes": 2}
    with pytest.raises(InputError, match=r"^perceptron_rule takes one example at a time, which 2 processes cannot"):
        ff.run(RECIPE, changes, workspace=tmp_path)
    assert capfd.readouterr() == ("", "")  # it is raised, and not printed too
    assert list(tmp_path.iterdir()) == []
