"""Pictures that are not held in memory: `fourfold run`, killed after any step, and resumed."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import stopping
import torch
from pictures import folder
from stopping import differences, remains

from fourfold.cli import main
from fourfold.records.folder import RunFolder
from fourfold.run.checkpoint import has_checkpoint, load_newest
from fourfold.run.run import Run

STEPS = 6
MEMORY: dict[str, Any] = {}
WAYS: dict[str, tuple[dict[str, Any], list[int]]] = {  # and after which steps the run is killed
    "mapped": ({"memory_gb": 0.0}, [1, 2, 3, 4, 5]),
    "decoded by a worker": ({"memory_gb": 0.0, "cache_gb": 0.0, "workers": 1}, [3, 5]),
}

# 23 training pictures in batches of 7: an epoch is 4 steps, its last batch 2 pictures.
RECIPE: dict[str, Any] = {
    "model": {"name": "mlp", "widths": [6], "dropout": 0.3},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "optimizer": "adam", "schedule": "cosine"},
    "budget": {"steps": STEPS, "batch_size": 7, "validate_every": 4, "log_every": 3, "checkpoint_every": 2},
    "runtime": {"device": "cpu", "threads": 1},
}
AUGMENT = [{"name": "pad_crop", "pad": 2}, "horizontal_flip", "pca_jitter"]

# Run after run, each in a process of its own that kills itself right after making step number k.
KILLED = """
import os, signal, sys
import fourfold.run.run
from fourfold.cli import main
from stopping import around_steps

recipe, workspace, *steps = sys.argv[1:]
for k in map(int, steps):
    def die(_, calls, step):
        value = step()
        if calls == k:
            os.kill(os.getpid(), signal.SIGKILL)
        return value

    child = os.fork()
    if child == 0:
        with around_steps(die):
            main(["run", recipe, "--workspace", f"{workspace}/{k}", "--quiet"])
        os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, k
"""


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("FOURFOLD_DATA", str(tmp_path / "cache"))
    root = folder(tmp_path / "photos", {"a": 14, "b": 12, "c": 7})

    def write(way: dict[str, Any]) -> Path:
        data = {"name": "image_folder", "path": str(root), "augment": AUGMENT, **way}
        file = tmp_path / "streamed.yaml"
        file.write_text(json.dumps({**RECIPE, "data": data}), encoding="utf-8")
        return file

    return write


def run(recipe: Path, workspace: Path) -> dict[str, Any]:
    assert main(["run", str(recipe), "--workspace", str(workspace), "--quiet"]) == 0
    return remains(Run(RunFolder.open(workspace / "streamed-1")))


@pytest.mark.promise("R1")
@pytest.mark.parametrize("way", ["mapped", pytest.param("decoded by a worker", marks=pytest.mark.slow)])
def test_killed_after_any_step_and_resumed(way: str, written: Any, tmp_path: Path) -> None:
    held = run(written(MEMORY), tmp_path / "held")
    data, steps = WAYS[way]
    recipe = written(data)
    whole = run(recipe, tmp_path / "whole")
    assert differences(whole["model"], held["model"]) == []
    assert whole["points"] == held["points"]
    assert any("not held in memory" in note or "not kept" in note for note in whole["result"]["notes"])
    command = [sys.executable, "-c", KILLED, str(recipe), str(tmp_path), *map(str, steps)]
    support = os.pathsep.join([str(Path(stopping.__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": support})
    assert (done.returncode, done.stderr) == (0, "")
    for k in steps:
        stopped = RunFolder.open(tmp_path / str(k) / "streamed-1")
        assert stopped.status == "interrupted"
        assert not has_checkpoint(stopped.checkpoints) or load_newest(stopped.checkpoints)[0].step < k
        torch.rand(k)  # whatever happens in between, the run must not notice
        assert main(["resume", "streamed-1", "--workspace", str(tmp_path / str(k)), "--quiet"]) == 0
        assert differences(remains(Run(RunFolder.open(stopped.path))), whole) == [], f"killed after {k}"
