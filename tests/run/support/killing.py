"""`fourfold run`, killed by SIGKILL right after some step, and what `fourfold resume` makes of it."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from stopping import differences, remains

from fourfold.cli import main
from fourfold.records.folder import RunFolder
from fourfold.run.checkpoint import has_checkpoint, load_newest
from fourfold.run.run import Run

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


def run(recipe: Path, workspace: Path) -> dict[str, Any]:
    """Return what remains of a run that nothing stops."""
    assert main(["run", str(recipe), "--workspace", str(workspace), "--quiet"]) == 0
    return remains(Run(RunFolder.open(workspace / f"{recipe.stem}-1")))


def killed_and_resumed(recipe: Path, steps: Sequence[int], whole: dict[str, Any], workspace: Path) -> None:
    """Kill a run after each of `steps`, resume it, and hold what remains of it equal to `whole`."""
    command = [sys.executable, "-c", KILLED, str(recipe), str(workspace), *map(str, steps)]
    support = os.pathsep.join([str(Path(__file__).parent), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": support})
    assert (done.returncode, done.stderr) == (0, "")
    name = f"{recipe.stem}-1"
    for k in steps:
        stopped = RunFolder.open(workspace / str(k) / name)
        assert stopped.status == "interrupted"
        assert not has_checkpoint(stopped.checkpoints) or load_newest(stopped.checkpoints)[0].step < k
        torch.rand(k)  # whatever happens in between, the run must not notice
        assert main(["resume", name, "--workspace", str(workspace / str(k)), "--quiet"]) == 0
        assert differences(remains(Run(RunFolder.open(stopped.path))), whole) == [], f"killed after {k}"
