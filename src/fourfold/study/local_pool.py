"""Cells side by side on this machine: a process for each, forked from one that has torch loaded.

The cores are split between the processes, each with its own threads, for two that fight over a core lose more than
half of it. A process that dies takes one cell with it and nothing else. When the study's own process dies, its
children end at once.

Checked by: killed children, a killed parent, a part that raises.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import connection, get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess, parent_process
from pathlib import Path
from typing import NamedTuple

from fourfold.core.errors import FourfoldError, InputError
from fourfold.study.cells import Cell, run_together
from fourfold.study.execute import Ended

PRELOADED = ["fourfold.study.warm"]
METHOD = "spawn" if sys.platform == "win32" else "forkserver"
STOP_SECONDS = 30.0


def warm_up() -> None:
    """Start the process that children are forked from; it loads torch while others go on."""
    if METHOD == "forkserver":
        from multiprocessing import forkserver

        get_context(METHOD).set_forkserver_preload(PRELOADED)
        forkserver.ensure_running()


class _Child(NamedTuple):
    process: BaseProcess
    said: Connection
    cells: Sequence[Cell]
    slot: int


class LocalPool:
    """Runs cells on this machine's cores, or one on each of its GPUs.

    Args:
        workspace: where cells are recorded.
        workers: how many at once.
        gpus: how many GPUs there are; each worker sees one.
        use: the user's own files whose parts the cells may name.
    """

    def __init__(self, workspace: Path, workers: int, gpus: int = 0, use: Sequence[Path] = ()) -> None:
        self._workspace, self._workers, self._gpus, self._use = workspace, workers, gpus, [str(path) for path in use]
        warm_up()
        self._context = get_context(METHOD)
        self._children: dict[int, _Child] = {}  # by slot

    def room(self) -> int:
        """Return how many places are free."""
        return self._workers - len(self._children)

    def begin(self, cells: Sequence[Cell]) -> None:
        """Begin a cell, or a stack of them, in a process of its own."""
        slot = next(i for i in range(self._workers) if i not in self._children)
        gpu = slot % self._gpus if self._gpus else None
        hears, says = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_work, args=(cells, str(self._workspace), self._use, gpu, says), name=f"cell-{cells[0].key}"
        )
        with _without_main():
            process.start()
        says.close()
        self._children[slot] = _Child(process, hears, cells, slot)

    def wait(self, seconds: float) -> list[Ended]:
        """Return what has ended, waiting for the first for so long at most."""
        connection.wait([child.process.sentinel for child in self._children.values()], seconds)
        ended = [child for child in self._children.values() if not child.process.is_alive()]
        return [each for child in ended for each in self._bury(child)]

    def stop(self) -> None:
        """Ask every child to save and end, and wait for it; one that does not is killed."""
        for child in self._children.values():
            child.process.terminate()
        for child in list(self._children.values()):
            child.process.join(STOP_SECONDS)
            if child.process.is_alive():
                child.process.kill()
                child.process.join()
            self._bury(child)

    def _bury(self, child: _Child) -> list[Ended]:
        del self._children[child.slot]
        child.process.join()
        code = child.process.exitcode
        problem: tuple[str, bool] | None = None
        try:
            if child.said.poll():
                problem = child.said.recv()
        except (EOFError, OSError):
            pass
        child.said.close()
        child.process.close()
        if problem is not None:
            return [Ended(cell, problem[0], is_input=problem[1]) for cell in child.cells]
        if code != 0:
            what = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
            return [Ended(cell, f"its process ended ({what})", died=True) for cell in child.cells]
        return [Ended(cell) for cell in child.cells]


@contextmanager
def _without_main() -> Iterator[None]:
    """Keep children from running the script that asked for the study once more; they need nothing of it."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), main.__dict__.pop("__file__", None)
    main.__spec__ = None
    try:
        yield
    finally:
        main.__spec__ = spec
        if file is not None:
            main.__file__ = file


def _work(cells: Sequence[Cell], workspace: str, use: list[str], gpu: int | None, says: Connection) -> None:
    """Run a cell, or a stack of them: the life of a child."""
    _die_with_parent()
    if gpu is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = str(gpu)
    from fourfold.run.parts import use_file

    try:
        for file in use:
            use_file(Path(file))
        run_together(cells, Path(workspace))
    except InputError as error:
        says.send((str(error), True))
    except FourfoldError as error:
        says.send((str(error), False))
    except Exception as error:
        first = str(error).strip().splitlines()[:1] or ["no further details"]
        says.send((f"{type(error).__name__}: {first[0]}", False))
    says.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # nothing is left to do, and tearing torch down takes as long as a small cell


def _die_with_parent() -> None:
    """End when the study's process does: what is not finished is run again by the next one."""
    parent = parent_process()
    assert parent is not None

    def watch() -> None:
        connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
