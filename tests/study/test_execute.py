"""Chains over an executor that ends cells in any order, kills some, and leaves some without a result."""

import random
import threading
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import pytest

from fourfold.core.errors import FourfoldError, InputError
from fourfold.records.folder import RunFolder
from fourfold.study.cells import Cell, CellResult, Stack, Store
from fourfold.study.execute import Ended, StoppedError, Watcher, execute


class Nobody:
    requested: str | None = None


class Pool:
    """Runs nothing: a cell's score is its seed, and what befalls it is told in advance."""

    def __init__(self, workspace: Path, order: int = 0, fates: dict[str, list[str]] | None = None) -> None:
        self.workspace, self.fates = workspace, {key: list(all_) for key, all_ in (fates or {}).items()}
        self.random, self.running = random.Random(order), list[Cell]()
        self.begun: list[str] = []
        self.stopped = False

    limit = 3

    def room(self) -> int:
        return self.limit - len(self.running)

    def begin(self, cells: Sequence[Cell]) -> None:
        assert len(self.running) < self.limit
        (cell,) = cells
        assert cell.key not in [each.key for each in self.running], "a cell that runs already"
        self.running.append(cell)
        self.begun.append(cell.key)

    def wait(self, seconds: float) -> list[Ended]:
        if not self.running:
            return []
        cell = self.running.pop(self.random.randrange(len(self.running)))
        fate = self.fates.get(cell.key, [])
        fate = fate.pop(0) if fate else "done"
        if fate == "killed":
            return [Ended(cell, "its process ended (SIGKILL)", died=True)]
        if fate == "input":
            return [Ended(cell, "model.widths: wrong", is_input=True)]
        if fate == "nothing":
            return [Ended(cell, "ValueError: a bug")]
        write(self.workspace, cell, fate)
        return [Ended(cell)]

    def stop(self) -> None:
        self.stopped = True


def write(workspace: Path, cell: Cell, status: Any) -> None:
    folder = RunFolder.create(workspace / "cells", cell.recipe, dict(cell.fields), {}, f"{cell.recipe}-{cell.key}")
    folder.write_result(status, {"metrics": {"test": {"accuracy": float(cell.seed)}}} if status == "done" else {})


def cell(seed: int, **more: Any) -> Cell:
    return Cell("digits-mlp", {"model": {"name": "mlp"}, "seed": seed, **more})


def one(each: Cell) -> Generator[Cell, CellResult, str]:
    result = yield each
    return f"{result.status} {result.metrics.get('test', {}).get('accuracy')}"


def climbing(start: int) -> Generator[Cell, CellResult, list[float]]:
    """Ask for a cell that depends on the one before."""
    seen: list[float] = []
    for _ in range(3):
        result = yield cell(start + int(sum(seen)))
        seen.append(result.metrics["test"]["accuracy"])
    return seen


def run(chains: dict[str, Any], pool: Pool, stop: Any = None) -> dict[str, Any]:
    return execute(chains, pool, pool.workspace, 10, Watcher(), stop or Nobody())


@pytest.mark.parametrize("order", range(5))
def test_what_chains_return_does_not_depend_on_who_ends_first(tmp_path: Path, order: int) -> None:
    pool = Pool(tmp_path, order)
    assert run({str(n): climbing(n) for n in range(1, 6)}, pool) == {
        "1": [1, 2, 4],
        "2": [2, 4, 8],
        "3": [3, 6, 12],
        "4": [4, 8, 16],
        "5": [5, 10, 20],
    }
    assert len(pool.begun) == len(set(pool.begun)), "a cell that two chains need ran twice"


def test_finished_cells_are_never_run_again(tmp_path: Path) -> None:
    run({str(n): one(cell(n)) for n in range(4)}, Pool(tmp_path))
    again = Pool(tmp_path)
    assert run({str(n): one(cell(n)) for n in range(5)}, again)["3"] == "done 3.0"
    assert again.begun == [cell(4).key]


def test_a_killed_cell_is_tried_again_but_not_for_ever(tmp_path: Path) -> None:
    pool = Pool(tmp_path, fates={cell(1).key: ["killed", "killed"]})
    assert run({"1": one(cell(1)), "2": one(cell(2))}, pool) == {"1": "done 1.0", "2": "done 2.0"}
    assert pool.begun.count(cell(1).key) == 3
    endless = Pool(tmp_path, fates={cell(3).key: ["killed"] * 9})
    with pytest.raises(FourfoldError, match="seed 3: its process ended"):
        run({"3": one(cell(3))}, endless)
    assert len(endless.begun) == 3
    assert endless.stopped


def test_a_cell_that_was_interrupted_goes_on(tmp_path: Path) -> None:
    pool = Pool(tmp_path, fates={cell(1).key: ["interrupted"]})
    assert run({"1": one(cell(1))}, pool) == {"1": "done 1.0"}
    assert pool.begun.count(cell(1).key) == 2


@pytest.mark.parametrize("status", ["diverged", "failed"])
def test_a_cell_without_a_score_is_told_and_not_filled_in(tmp_path: Path, status: str) -> None:
    pool = Pool(tmp_path, fates={cell(1).key: [status]})
    assert run({"1": one(cell(1))}, pool) == {"1": f"{status} None"}
    result = Store(tmp_path).result(cell(1).key)
    assert result is not None
    assert result.is_final == (status == "diverged"), "a failed one is worth another attempt, in another study"


def test_a_mistake_ends_the_study_at_once(tmp_path: Path) -> None:
    pool = Pool(tmp_path, fates={cell(0).key: ["input"]})
    with pytest.raises(InputError, match=r"^model\.widths: wrong$"):
        run({"0": one(cell(0))}, pool)
    assert pool.stopped
    with pytest.raises(FourfoldError, match="ValueError: a bug"):
        run({"1": one(cell(1))}, Pool(tmp_path, fates={cell(1).key: ["nothing"]}))


def test_when_asked_to_stop_nothing_begins_and_the_executor_is_stopped(tmp_path: Path) -> None:
    class Somebody:
        requested = "SIGINT"

    pool = Pool(tmp_path)
    with pytest.raises(StoppedError):
        run({"1": one(cell(1))}, pool, Somebody())
    assert pool.begun == []
    assert pool.stopped


@pytest.mark.parametrize("fate", ["input", "nothing", "killed"])
def test_what_a_signal_did_to_a_cell_is_no_mistake_of_anybodys(fate: str, tmp_path: Path) -> None:
    """A signal to a group ends workers as well, one of them perhaps while it reads a file of the user's."""

    class Somebody:
        requested: str | None = None

    class Slow(Pool):
        def wait(self, seconds: float) -> list[Ended]:
            threading.Timer(0.05, lambda: setattr(somebody, "requested", "SIGTERM")).start()
            return super().wait(seconds)

    somebody = Somebody()
    with pytest.raises(StoppedError):
        run({"0": one(cell(0))}, Slow(tmp_path, fates={cell(0).key: [fate]}), somebody)


def test_progress_counts_every_cell(tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []

    class Ear(Watcher):
        def progressed(self, done: int, running: int, total: int, seconds: float) -> None:
            heard.append((done, running))

    execute({str(n): climbing(n) for n in (1, 5)}, Pool(tmp_path), tmp_path, 6, Ear(), Nobody())
    assert heard[0][0] == 0
    assert heard[-1] == (6, 0)


def test_a_cells_key_is_what_it_computes() -> None:
    same = [
        cell(1),
        cell(1),
        cell(1, title="another title", expected={"metric": "accuracy"}),
        cell(1, paper={"year": 1}),
    ]
    assert len({each.key for each in same}) == 1
    others = [cell(1), cell(2), cell(1, loss="mse"), Cell("digits-mlp", cell(1).fields, blind=True)]
    assert len({each.key for each in others}) == 4


@pytest.mark.parametrize(
    "text",
    [
        "{",
        '{"status": "done"}',
        '{"status": "done", "metrics": {"test": {}}}',
        '{"status": "done", "metrics": {"test": {"accuracy": 1}}, "sizes": {"train": 9, "test": 9}}',
    ],
)
def test_a_damaged_cell_is_run_again(tmp_path: Path, text: str) -> None:
    run({"1": one(cell(1))}, Pool(tmp_path))
    damaged = Store(tmp_path).result(cell(1).key)
    assert damaged is not None
    (damaged.folder / "result.json").write_text(text, encoding="utf-8")
    pool = Pool(tmp_path)
    assert run({"1": one(cell(1))}, pool) == {"1": "done 1.0"}
    assert len(pool.begun) == 1


def test_cells_of_one_stack_begin_together_and_share_the_places(tmp_path: Path) -> None:
    begun: list[list[int]] = []

    class Stacks(Pool):
        def begin(self, cells: Sequence[Cell]) -> None:
            begun.append([each.seed for each in cells])
            assert len({(each.stack, each.blind) for each in cells}) == 1
            for each in cells:
                super().begin([each])

        def room(self) -> int:
            return {0: 2, 3: 1}.get(len(self.running), 0)

    chains = {str(n): one(cell_of("wide" if n < 6 else "", n)) for n in range(7)}
    pool = Stacks(tmp_path)
    pool.limit = 9
    assert run(chains, pool)["5"] == "done 5.0"
    assert sorted(map(len, begun)) == [1, 3, 3]


def cell_of(stack: str, seed: int) -> Cell:
    return Cell("digits-mlp", cell(seed).fields, stack=Stack(stack, 64) if stack else None)


def test_a_stacked_cell_is_another_cell() -> None:
    assert cell_of("", 1).key == cell(1).key
    assert len({cell_of("", 1).key, cell_of("a", 1).key, cell_of("b", 1).key}) == 2, (
        "what the stack is called is no part"
    )
