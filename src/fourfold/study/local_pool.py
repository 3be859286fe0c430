"""Cells side by side on this machine, in worker processes forked from one that has torch loaded.

The cores are split between the workers, each with its own threads, for two that fight over a core lose more than half
of it. A worker runs one cell after another: a process of its own costs each as much as a tenth of a second, which a
short cell feels. That is safe for Fourfold's own code, whose every draw is from a stream of the cell's seed and which
keeps nothing between two runs. What other code keeps nobody knows, so where the user's own files or an installed
package bring parts, each cell has a process of its own; and a worker whose cell went wrong ends with it. A worker that
dies takes one cell with it and nothing else. When the study's own process dies, its workers end at once.

Checked by: cells in any order, in one worker and in many, bit by bit; killed workers, a killed parent, a part that
raises, a part that remembers.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess, parent_process
from pathlib import Path

from fourfold.study.attempt import Problem, attempt
from fourfold.study.cells import Cell
from fourfold.study.execute import Ended

PRELOADED = ["fourfold.study.warm"]
METHOD = "spawn" if sys.platform == "win32" else "forkserver"
STOP_SECONDS = 30.0


def warm_up() -> None:
    """Start the process that workers are forked from; it loads torch while others go on."""
    if METHOD == "forkserver":
        from multiprocessing import forkserver

        get_context(METHOD).set_forkserver_preload(PRELOADED)
        forkserver.ensure_running()


@dataclass
class _Worker:
    """A process, the line to it, and what it is at; nothing while it waits."""

    process: BaseProcess
    line: Connection
    cells: Sequence[Cell] = ()


class LocalPool:
    """Runs cells on this machine's cores, or one on each of its GPUs.

    Args:
        workspace: where cells are recorded.
        workers: how many at once.
        gpus: how many GPUs there are; each worker sees one.
        use: the user's own files whose parts the cells may name.
    """

    def __init__(self, workspace: Path, workers: int, gpus: int = 0, use: Sequence[Path] = ()) -> None:
        self._workspace, self._places, self._gpus, self._use = workspace, workers, gpus, list(use)
        warm_up()
        self._context = get_context(METHOD)
        self._workers: dict[int, _Worker] = {}  # by place
        self._leaving: list[BaseProcess] = []  # their work is done

    def room(self) -> int:
        """Return how many places are free."""
        return self._places - len(self._busy())

    def begin(self, cells: Sequence[Cell]) -> None:
        """Give a cell, or a stack of them, to a worker that waits, or to a new one."""
        place = next(i for i in range(self._places) if i not in self._workers or not self._workers[i].cells)
        if place in self._workers:
            try:
                self._workers[place].line.send(cells)
            except OSError:  # it was killed while it waited
                self._dismiss(place)
        if place not in self._workers:
            self._workers[place] = self._start(place)
            with suppress(OSError):  # killed already: `wait` will say so
                self._workers[place].line.send(cells)
        self._workers[place].cells = cells

    def wait(self, seconds: float) -> list[Ended]:
        """Return what has ended, waiting for the first for so long at most."""
        busy = self._busy()
        connection.wait([way for each in busy.values() for way in (each.line, each.process.sentinel)], seconds)
        return [ended for place, worker in busy.items() for ended in self._hear(place, worker)]

    def stop(self) -> None:
        """Ask every worker to save and end, and wait for it; one that does not is killed."""
        busy = self._busy()
        for worker in busy.values():
            worker.process.terminate()
        for worker in busy.values():
            with suppress(OSError):
                worker.line.poll(STOP_SECONDS)  # it has saved, or is gone
        for place in list(self._workers):
            self._dismiss(place)
        for process in self._leaving:
            _bury(process)
        self._leaving.clear()

    def _busy(self) -> dict[int, _Worker]:
        return {place: worker for place, worker in self._workers.items() if worker.cells}

    def _start(self, place: int) -> _Worker:
        gpu = place % self._gpus if self._gpus else None
        mine, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_work, args=(self._workspace, self._use, gpu, theirs), name=f"worker-{place}"
        )
        with without_main():
            process.start()
        theirs.close()
        return _Worker(process, mine)

    def _hear(self, place: int, worker: _Worker) -> list[Ended]:
        """Return what became of a worker's cells; nothing while it is at them."""
        is_alive = worker.process.is_alive()  # asked first: what it said before it ended is there then
        try:
            if not worker.line.poll():
                return [] if is_alive else self._lost(place, worker)
            problem, goes_on = worker.line.recv()
        except (EOFError, OSError):
            return self._lost(place, worker)
        cells, worker.cells = worker.cells, ()
        if not goes_on:
            self._dismiss(place)
        if problem is None:
            return [Ended(cell) for cell in cells]
        return [Ended(cell, problem.says, is_input=problem.is_input) for cell in cells]

    def _lost(self, place: int, worker: _Worker) -> list[Ended]:
        """Return the cells of a worker that died at them."""
        worker.process.join(STOP_SECONDS)
        code = worker.process.exitcode
        self._dismiss(place)
        what = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
        return [Ended(cell, f"its process ended ({what})", died=True) for cell in worker.cells]

    def _dismiss(self, place: int) -> None:
        """Let a worker end, while the next one in its place begins already."""
        worker = self._workers.pop(place)
        worker.line.close()  # which it takes as a word to end
        self._leaving.append(worker.process)
        if self._gpus:  # whose memory is free when its process is gone
            worker.process.join(STOP_SECONDS)
        gone = [process for process in self._leaving if not process.is_alive()]
        self._leaving = [process for process in self._leaving if process not in gone]
        for process in gone:
            process.close()


def _bury(process: BaseProcess) -> None:
    process.join(STOP_SECONDS)
    if process.is_alive():
        process.kill()
        process.join()
    process.close()


@contextmanager
def without_main() -> Iterator[None]:
    """Keep workers from running the script that asked for the study once more; they need nothing of it."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), main.__dict__.pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        main.__spec__ = spec
        if file is not None:
            main.__file__ = file


def _work(workspace: Path, use: Sequence[Path], gpu: int | None, line: Connection) -> None:
    """Run cells until there are no more: the life of a worker."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal tells all of its processes; a run at work hears it itself
    signal.signal(signal.SIGTERM, _leave)
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(gpu)
    from fourfold.run.parts import has_foreign_parts

    goes_on = True
    with suppress(EOFError, OSError):  # nobody gives any more, or listens
        while goes_on:
            problem: Problem | None = attempt(line.recv(), workspace, use)
            goes_on = problem is None and not has_foreign_parts()
            line.send((problem, goes_on))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # nothing is left to do, and tearing torch down takes as long as a small cell


def _leave(*_: object) -> None:
    """End before a run's first step or after its last one, without leaving a folder that is half made."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # told twice, it would not finish
    raise SystemExit(1)


def die_with_parent() -> None:
    """End when the study's process does: what is not finished is run again by the next one."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
