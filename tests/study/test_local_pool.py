"""Workers that run one cell after another: none can tell which was before it, and none is kept that might."""

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from fourfold.records.folder import RunFolder
from fourfold.records.strict_json import read_mapping
from fourfold.run.parts import recipe_fields
from fourfold.study.cells import Cell, Store
from fourfold.study.execute import Ended
from fourfold.study.local_pool import LocalPool

REMEMBERS = """
from typing import Literal
from fourfold.models.mlp import MLPConfig

class Remembers(MLPConfig):
    name: Literal["remembers"] = "remembers"

    def build(self, spec):
        built.append(spec)
        return MLPConfig(widths=[len(built)]).build(spec)

built = []
PARTS = {"model": {"remembers": Remembers}}
"""


def cell(recipe: str = "iris-softmax", seed: int = 0, runtime: dict[str, Any] | None = None, **more: Any) -> Cell:
    name, fields = recipe_fields(recipe)
    budget = {"steps": 12, "batch_size": 16}
    machine = {"threads": 1, "device": "cpu", **(runtime or {})}
    return Cell(name, {**fields, "budget": budget, "seed": seed, "runtime": machine, **more})


def run(cells: list[Cell], workspace: Path, workers: int = 1, use: tuple[Path, ...] = ()) -> list[Ended]:
    """Run cells in this order, and return how each ended."""
    pool, waiting, ended = LocalPool(workspace, workers, use=use), list(cells), list[Ended]()
    try:
        while len(ended) < len(cells):
            while waiting and pool.room():
                pool.begin([waiting.pop(0)])
            ended += pool.wait(1.0)
    finally:
        pool.stop()
    return ended


def left(each: Cell, workspace: Path) -> tuple[bytes, object, list[Any]]:
    """Return all that a cell computed: its weights, scores and curves."""
    result = Store(workspace).result(each.key)
    assert result is not None
    assert result.status == "done"
    folder = RunFolder.open(result.folder)
    weights = (folder.checkpoints / "last" / "model.safetensors").read_bytes()
    return weights, result.metrics, [(point.step, point.name, point.value) for point in folder.points()]


def process_of(each: Cell, workspace: Path) -> int:
    result = Store(workspace).result(each.key)
    assert result is not None
    return int(RunFolder.open(result.folder).identity.process["pid"])


@pytest.mark.promise("R12")
def test_a_cell_leaves_the_same_bits_whatever_its_worker_ran_before(tmp_path: Path) -> None:
    cells = [
        cell("digits-mlp", model={"name": "mlp", "widths": [64], "dropout": 0.5}),
        cell("digits-mlp", seed=1, runtime={"threads": 2, "deterministic": True}),
        cell("digits-mlp", seed=1, runtime={"precision": "bf16"}),
        cell(seed=2, runtime={"threads": 2}),
        cell("digits-mlp", seed=1, model={"name": "mlp", "dropout": 0.2}, runtime={"deterministic": True}),
    ]
    run(cells, tmp_path / "one")
    run(cells[::-1], tmp_path / "turned")
    run(cells, tmp_path / "two", workers=2)
    for number, each in enumerate(cells):
        run([each], tmp_path / "alone")
        expected = left(each, tmp_path / "alone")
        for place in ("one", "turned", "two"):
            assert left(each, tmp_path / place) == expected, f"cell {number}, {place}"
    assert len({process_of(each, tmp_path / "one") for each in cells}) == 1, "each had a process, so nothing was shown"
    assert len({process_of(each, tmp_path / "alone") for each in cells}) == len(cells)


@pytest.mark.promise("R12")
def test_code_that_is_not_ours_may_remember_so_each_cell_has_a_process(tmp_path: Path) -> None:
    part = tmp_path / "remembers.py"
    part.write_text(REMEMBERS, encoding="utf-8")
    cells = [cell(seed=seed, model="remembers") for seed in range(3)]
    assert [ended.problem for ended in run(cells, tmp_path, use=(part,))] == [None] * 3
    assert len({process_of(each, tmp_path) for each in cells}) == 3
    params = {read_mapping(path)["params"] for path in (tmp_path / "cells").glob("*/result.json")}
    assert len(params) == 1, "a cell knew of another"


def test_a_worker_whose_cell_went_wrong_ends_with_it(tmp_path: Path) -> None:
    wrong = Cell("iris-softmax", {**cell().fields, "model": "lenet5"})
    pool = LocalPool(tmp_path, 1)
    try:
        pool.begin([cell()])
        assert until_ended(pool)[0].problem is None
        pool.begin([wrong])
        (ended,) = until_ended(pool)
        assert ended.is_input
        assert "lenet5 needs pictures" in (ended.problem or "")
        pool.begin([cell(seed=1)])
        assert until_ended(pool)[0].problem is None
    finally:
        pool.stop()
    assert process_of(cell(), tmp_path) != process_of(cell(seed=1), tmp_path)


def test_a_worker_that_is_killed_costs_its_cell_or_while_it_waits_nothing(tmp_path: Path) -> None:
    pool = LocalPool(tmp_path, 1)
    try:
        pool.begin([cell()])
        until_ended(pool)
        waiting = process_of(cell(), tmp_path)
        os.kill(waiting, signal.SIGKILL)
        time.sleep(0.2)
        pool.begin([cell(seed=1)])
        assert until_ended(pool)[0].problem is None
        endless = Cell("iris-softmax", {**cell(seed=2).fields, "budget": {"steps": 10**7, "batch_size": 16}})
        pool.begin([endless])
        os.kill(process_of(cell(seed=1), tmp_path), signal.SIGKILL)
        (ended,) = until_ended(pool)
        assert (ended.cell, ended.died, ended.problem) == (endless, True, "its process ended (SIGKILL)")
    finally:
        pool.stop()


def test_a_stopped_pool_leaves_cells_that_can_go_on_and_no_process(tmp_path: Path) -> None:
    endless = Cell("iris-softmax", {**cell().fields, "budget": {"steps": 10**7, "batch_size": 16, "log_every": 10}})
    pool = LocalPool(tmp_path, 2)
    pool.begin([cell(seed=1)])
    until_ended(pool)
    waiting = process_of(cell(seed=1), tmp_path)
    pool.begin([endless])
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not any(tmp_path.glob(f"cells/*{endless.key}*/inputs.json")):
        time.sleep(0.02)
    pool.stop()
    (path,) = tmp_path.glob(f"cells/*{endless.key}*")
    assert RunFolder.open(path).status == "interrupted"
    for pid in (waiting, int(json.loads((path / "run.json").read_text(encoding="utf-8"))["process"]["pid"])):
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_cells_peak_of_memory_is_its_own(tmp_path: Path) -> None:
    if not Path("/proc/self/clear_refs").exists():
        pytest.skip("only Linux can count anew")
    large = cell(model={"name": "mlp", "widths": [6000, 6000]}, budget={"steps": 1, "batch_size": 16})
    run([large, cell()], tmp_path)
    assert process_of(large, tmp_path) == process_of(cell(), tmp_path)
    peaks = []
    for each in (large, cell()):
        result = Store(tmp_path).result(each.key)
        assert result is not None
        peaks.append(result.cost["peak_memory_bytes"])
    assert peaks[0] - peaks[1] > 300e6, peaks  # weights, gradients and moments: 36 M numbers each


def until_ended(pool: LocalPool) -> list[Ended]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if ended := pool.wait(1.0):
            return ended
    raise AssertionError("nothing ended")


def test_a_worker_that_is_told_to_end_while_it_makes_a_folder_leaves_no_half_of_one(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    pool = LocalPool(tmp_path, 1)
    for seed in range(4):
        pool.begin([cell(seed=seed)])
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not any((tmp_path / "cells").iterdir()):
            time.sleep(0.0002)
        pool.stop()
        left_over = {path.name for path in (tmp_path / "cells").iterdir()}
        assert not any(name.startswith(".") for name in left_over), left_over
        for path in (tmp_path / "cells").iterdir():
            path.rename(tmp_path / path.name)
