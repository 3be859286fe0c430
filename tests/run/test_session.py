"""A session that goes on: what each process of several takes out of a checkpoint."""

from pathlib import Path
from typing import Any

import pytest
import torch
from stopping import start_and_stop

from fourfold.run.build import build_parts
from fourfold.run.checkpoint import Checkpoint, load_newest
from fourfold.run.parts import load_recipe
from fourfold.run.processes import SingleProcess
from fourfold.run.session import Session
from fourfold.run.watch import Watcher

RECIPE: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60},
    "model": {"name": "mlp", "widths": [6], "dropout": 0.2},
    "loss": "cross_entropy",
    "algorithm": "supervised",
    "budget": {"steps": 6, "batch_size": 12},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}
CPU = torch.device("cpu")


class OfThree(SingleProcess):
    """A process of three, to which the first one has sent a checkpoint."""

    count = 3

    def __init__(self, rank: int, checkpoint: Checkpoint) -> None:
        self.rank, self.checkpoint = rank, checkpoint

    def share(self, value: Any) -> Any:
        return self.checkpoint, []


@pytest.mark.promise("R1")
def test_each_process_goes_on_with_its_own_random_stream(tmp_path: Path) -> None:
    recipe = load_recipe(RECIPE)[1]
    checkpoint = load_newest(start_and_stop(recipe, tmp_path, 3).checkpoints)[0]
    streams = [torch.Generator().manual_seed(rank) for rank in range(3)]
    checkpoint.state["random"] = [{"cpu": stream.get_state()} for stream in streams]
    for rank, stream in enumerate(streams):
        session = Session("run", recipe, build_parts(recipe), CPU, OfThree(rank, checkpoint), Watcher())
        session.restore(tmp_path / "read by the first process only")
        assert torch.equal(torch.rand(5), torch.rand(5, generator=stream))
        assert session.progress.step == 3
