"""`--on ray` of every command that runs cells. Ray itself is tested in tests/study/test_ray_cluster.py."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import pytest

from fourfold.claims.base import Size, TrainedClaim
from fourfold.claims.measures import metric
from fourfold.claims.rules import every
from fourfold.cli import main
from fourfold.study.cells import Cell, run_together
from fourfold.study.execute import Ended

CLAIM = TrainedClaim(
    id="weight-decay",
    says="One layer does not learn XOR.",
    source="a test",
    recipe="xor-mlp",
    arms={"linear": {"model.widths": []}, "hidden": {"model.widths": [4]}},
    shared={"budget.steps": 3},
    measure=metric("train.accuracy"),
    rule=every("linear", at_most=0.75),
    quick=Size(seeds=1),
    full=Size(seeds=1),
)
COMMANDS = {
    "compare": ["iris-softmax", "budget.steps=2", "--vary", "algorithm.optimizer=sgd,adam", "--seeds", "1"],
    "claim": ["weight-decay"],
    "history": ["--data", "iris", "budget.epochs=1", "--seeds", "1"],
    "decompose": ["curve-mlp", "budget.steps=2", "--replicates", "3"],
}


class Cluster:
    """Stands where the cluster does; runs cells here."""

    ran: ClassVar[list[str]] = []

    def __init__(self, workspace: Path, threads: int, gpus: int, use: Sequence[Path]) -> None:
        self.workspace, self.ended = workspace, list[Ended]()

    def room(self) -> int:
        return 1

    def begin(self, cells: Sequence[Cell]) -> None:
        run_together(cells, self.workspace)
        self.ran.extend(cell.key for cell in cells)
        self.ended += [Ended(cell) for cell in cells]

    def wait(self, seconds: float) -> list[Ended]:
        ended, self.ended = self.ended, []
        return ended

    def stop(self) -> None:
        pass


@pytest.mark.parametrize("command", COMMANDS)
def test_cells_run_where_they_are_sent(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fourfold.claims.weight_decay.CLAIM", CLAIM)
    monkeypatch.setattr("fourfold.study.ray_cluster.check_installed", lambda: None)
    monkeypatch.setattr("fourfold.study.ray_cluster.RayCluster", Cluster)
    monkeypatch.setattr(Cluster, "ran", [])
    assert main([command, *COMMANDS[command], "--on", "ray", "--workspace", str(tmp_path), "--quiet"]) == 0
    cells = [path.name for path in (tmp_path / "cells").iterdir() if path.is_dir()]
    assert cells
    assert len(Cluster.ran) == len(cells)


@pytest.mark.promise("R9")
@pytest.mark.parametrize("command", COMMANDS)
def test_without_ray_nothing_is_run(command: str, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr("fourfold.study.ray_cluster.find_spec", lambda _: None)
    assert main([command, *COMMANDS[command], "--on", "ray", "--workspace", str(tmp_path), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert error == 'error: --on ray: needs Ray: pip install -e ".[ray]" in your clone of Fourfold\n'
    assert list(tmp_path.iterdir()) == []
