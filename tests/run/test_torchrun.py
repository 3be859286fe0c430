"""The command that docs/architecture.md gives for several machines, with two of them played by this one."""

import os
import re
import shlex
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import fourfold as ff
from fourfold.records.folder import RunFolder
from fourfold.run.checkpoint import load_newest
from fourfold.run.run import Run

ARCHITECTURE = Path(__file__).parents[2] / "docs" / "architecture.md"
# Adam would not notice a gradient that is twice what it should be
CHANGES = {
    "algorithm.optimizer": "sgd",
    "algorithm.optimizer.lr": 0.1,
    "budget.steps": 20,
    "runtime.device": "cpu",
    "runtime.precision": "fp32",
    "runtime.threads": 1,
}


def command(nodes: int, a_node: int, address: str, rest: list[str]) -> list[str]:
    """Return the documented command with other numbers, another address, and `rest` for what is run."""
    found = re.search(r"^    (torchrun .*) -m fourfold run RECIPE runtime\.processes=8$", _text(), re.MULTILINE)
    assert found, "the command is no longer in the document"
    text = found[1]
    for documented, ours in (("--nnodes 2", f"--nnodes {nodes}"), ("--nproc-per-node 4", f"--nproc-per-node {a_node}")):
        assert documented in text
        text = text.replace(documented, ours)
    assert "HOST:29500" in text
    words = shlex.split(text.replace("HOST:29500", address))
    return [sys.executable, "-m", "torch.distributed.run", *words[1:], "-m", "fourfold", *rest]


def _text() -> str:
    return ARCHITECTURE.read_text(encoding="utf-8").replace("\\\n      ", "")


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


@pytest.mark.slow
@pytest.mark.promise("R13")
def test_two_machines_give_the_run_of_one_process(tmp_path: Path) -> None:
    changes = [f"{key}={value}" for key, value in {**CHANGES, "runtime.processes": 2}.items()]
    rest = ["run", "digits-mlp", *changes, "--workspace", str(tmp_path / "two"), "--quiet"]
    started = command(2, 1, f"127.0.0.1:{free_port()}", rest)
    nodes = [
        subprocess.Popen(
            started,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
        for _ in range(2)
    ]
    try:
        said = [node.communicate(timeout=180)[0] for node in nodes]
    finally:
        for node in nodes:
            node.kill()
    assert [node.returncode for node in nodes] == [0, 0], said
    assert [path.name for path in (tmp_path / "two").iterdir() if path.is_dir()] == ["digits-mlp-1"]
    together = Run(RunFolder.open(tmp_path / "two" / "digits-mlp-1"))
    alone = ff.run("digits-mlp", CHANGES, workspace=tmp_path / "one")
    assert (together.status, together.result["steps"]) == ("done", 20)
    weights = load_newest(together.folder.checkpoints)[0].model
    for name, weight in load_newest(alone.folder.checkpoints)[0].model.items():
        torch.testing.assert_close(weights[name], weight, rtol=0, atol=1e-6)
    for split, scores in alone.metrics.items():
        assert together.metrics[split] == pytest.approx(scores, abs=1e-6)
