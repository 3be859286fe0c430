"""Getting cells done: whoever needs cells says which, one after another, and an executor runs them side by side.

A *chain* is a generator that yields a cell, is sent its result, and may then ask for another: a tuning is one. Chains
know nothing of processes, and what they return does not depend on which cell ends first.

Checked by: chains over an executor that ends cells in any order, kills some, and runs none twice.
"""

import math
import time
from collections import deque
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Generic, NamedTuple, Protocol, TypeVar

from fourfold.core.errors import FourfoldError, InputError
from fourfold.study.cells import ATTEMPTS, Cell, CellResult, Store

SIGNALS_ARRIVE = 0.2  # seconds within which a signal to a group of processes has reached all of them

T = TypeVar("T")
Chain = Generator[Cell, CellResult, T]


class Ended(NamedTuple):
    """How an executor's attempt at a cell ended. What it computed is in its run folder.

    Attributes:
        cell: which.
        problem: why it has no result, in one line; None if it may have one.
        is_input: whether the problem is a mistake in what was asked, which no other attempt would mend.
        died: whether its process was killed; then it is worth another attempt.
    """

    cell: Cell
    problem: str | None = None
    is_input: bool = False
    died: bool = False


class Executor(Protocol):
    """Runs cells, several at once."""

    def room(self) -> int:
        """Return how many places are free."""
        ...

    def begin(self, cells: Sequence[Cell]) -> None:
        """Begin a cell, or several that are trained as one stack, in one place; there is room."""
        ...

    def wait(self, seconds: float) -> list[Ended]:
        """Return what has ended, waiting for the first for so long at most."""
        ...

    def stop(self) -> None:
        """Let running cells save themselves and end, and return when they have; nothing begins after it."""
        ...


class Watcher:
    """Hears how far the cells are; override what you want to hear."""

    def progressed(self, done: int, running: int, total: int, seconds: float) -> None:
        """A cell began or ended.

        Args:
            done: cells that have a result, those of earlier studies included.
            running: cells at work.
            total: cells in all.
            seconds: since the first cell began.
        """

    def said(self, notice: str) -> None:
        """Something a person should know."""


class StoppedError(Exception):
    """Asked to stop: what is finished is kept, and the same study goes on from there."""


class Stop(Protocol):
    """Knows whether somebody wants to leave."""

    requested: str | None


def leave_if_asked(stop: Stop, went_wrong: bool) -> None:
    """Raise StoppedError if somebody wants to leave.

    Args:
        stop: knows it.
        went_wrong: whether something failed just now, for which a signal may be the cause that is not heard here yet.
    """
    if went_wrong and stop.requested is None:
        time.sleep(SIGNALS_ARRIVE)
    if stop.requested is not None:
        raise StoppedError(stop.requested)


class _Work(Generic[T]):
    """Chains, and what each of them waits for."""

    def __init__(self, chains: Mapping[str, Chain[T]], store: Store, total: int) -> None:
        self.chains, self.store, self.total = chains, store, total
        self.returned: dict[str, T] = {}
        self.ready: deque[Cell] = deque()
        self.waiting: dict[str, list[str]] = {}  # key of a cell -> the chains that need it
        self.attempts: dict[str, int] = {}
        self.done = 0

    def start(self) -> None:
        for name, chain in self.chains.items():
            self._go_on(name, chain, None)

    def _go_on(self, name: str, chain: Chain[T], result: CellResult | None) -> None:
        """Advance a chain until it needs a cell that has no result."""
        try:
            while True:
                cell = next(chain) if result is None else chain.send(result)
                result = self.store.result(cell.key)
                if result is None or not result.is_final:
                    break
                self.done += 1
        except StopIteration as finished:
            self.returned[name] = finished.value
            return
        if cell.key not in self.waiting:
            self.ready.append(cell)
        self.waiting.setdefault(cell.key, []).append(name)

    def take(self, room: int) -> list[Cell]:
        """Return what is to begin in the next of `room` places: a cell, or its share of those of the same stack."""
        first = self.ready.popleft()
        if first.stack is None:
            return [first]
        alike = [cell for cell in self.ready if (cell.stack, cell.blind) == (first.stack, first.blind)]
        chosen = [first, *alike[: min(first.stack.most, math.ceil((len(alike) + 1) / room)) - 1]]
        keys = {cell.key for cell in chosen}
        self.ready = deque(cell for cell in self.ready if cell.key not in keys)
        return chosen

    def ended(self, ended: Ended) -> str | None:
        """Take what became of a cell; return what a person should hear of it.

        Raises:
            InputError: what was asked cannot be run.
            FourfoldError: a cell left no result, however often it was tried.
        """
        cell = ended.cell
        self.store.forget()
        result = self.store.result(cell.key)
        if result is None or result.status == "interrupted":
            if ended.is_input:
                raise InputError(ended.problem or "bad input")
            problem = ended.problem or ("it left no result" if result is None else "it was interrupted")
            self.attempts[cell.key] = self.attempts.get(cell.key, 1) + 1
            if not (ended.died or result) or self.attempts[cell.key] > ATTEMPTS:
                raise FourfoldError(f"{cell.recipe}, seed {cell.seed}: {problem}")
            self.ready.append(cell)
            return f"{cell.recipe}, seed {cell.seed}: {problem}; it is tried again from where it was"
        for name in self.waiting.pop(cell.key):
            self.done += 1
            self._go_on(name, self.chains[name], result)
        return None


def execute(
    chains: Mapping[str, Chain[T]],
    executor: Executor,
    workspace: Path,
    total: int,
    watcher: Watcher,
    stop: Stop,
) -> dict[str, T]:
    """Run every chain to its end, and return what each returned, in the order given.

    Args:
        chains: by name.
        executor: where cells run.
        workspace: where they are recorded.
        total: how many cells the chains will ask for, for the watcher.
        watcher: hears progress.
        stop: asked between cells.

    Raises:
        InputError: a cell cannot be built.
        FourfoldError: a cell cannot be recorded.
        StoppedError: `stop` was requested.
    """
    work, began, running = _Work(chains, Store(workspace), total), time.monotonic(), 0
    work.start()
    try:
        while work.ready or running:
            while work.ready and (room := executor.room()) and stop.requested is None:
                cells = work.take(room)
                executor.begin(cells)
                running += len(cells)
            watcher.progressed(work.done, running, total, time.monotonic() - began)
            attempts = executor.wait(1.0)
            leave_if_asked(stop, any(each.problem for each in attempts))
            for ended in attempts:
                running -= 1
                if notice := work.ended(ended):
                    watcher.said(notice)
        watcher.progressed(work.done, 0, total, time.monotonic() - began)
    finally:
        executor.stop()
    return {name: work.returned[name] for name in chains}
