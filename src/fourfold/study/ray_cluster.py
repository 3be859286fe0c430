"""Cells on a Ray cluster: one that runs already, or one of this machine that is started for the purpose.

Ray gives each cell the cores (and the GPU) that it asks for. A worker that dies, or a whole machine, takes its cells
with it and nothing else: they are tried again elsewhere, from their newest checkpoint. Every machine needs Fourfold
installed and sees the workspace under the same path, for what a cell computes is in its run folder.

Checked by: a real cluster of this machine whose worker is killed in the middle of a cell.
"""

import os
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fourfold.core.errors import InputError
from fourfold.core.extras import to_install
from fourfold.study.attempt import attempt
from fourfold.study.cells import Cell
from fourfold.study.execute import Ended


class RayCluster:
    """Runs cells wherever a Ray cluster has room.

    Args:
        workspace: where cells are recorded; all machines of the cluster see it.
        threads: cores of a cell.
        gpus: GPUs of a cell.
        use: the user's own files whose parts the cells may name; all machines see them.

    Raises:
        InputError: Ray is not installed, or no cluster can be reached or started.
    """

    def __init__(self, workspace: Path, threads: int, gpus: int = 0, use: Sequence[Path] = ()) -> None:
        check_installed()
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # leave CUDA_VISIBLE_DEVICES to the user
        import ray

        self._ray: Any = ray
        self._workspace, self._use = workspace.resolve(), list(use)
        self._threads, self._gpus = threads, gpus
        self._started = not ray.is_initialized()
        if self._started:
            try:
                # Without an address: the cluster in RAY_ADDRESS, else one of this machine, else a new one.
                ray.init(log_to_driver=False, configure_logging=False, include_dashboard=False)
            except (ConnectionError, RuntimeError, ValueError) as error:
                first = str(error).strip().splitlines()[:1] or [type(error).__name__]
                raise InputError(f"--on ray: no cluster: {first[0]}") from None
        # Ray's own retries are off: what is tried again, and how often, is decided where all executors are driven.
        self._task: Any = ray.remote(num_cpus=threads, num_gpus=gpus, max_retries=0)(attempt)
        self._running: dict[Any, Sequence[Cell]] = {}

    def room(self) -> int:
        """Return how many places are free: machines may join and leave."""
        resources = self._ray.cluster_resources()
        places = int(resources.get("CPU", 0)) // self._threads
        if self._gpus:
            places = min(places, int(resources.get("GPU", 0)) // self._gpus)
        return max(1 - len(self._running), places - len(self._running), 0)  # one waits, should there be none at all

    def begin(self, cells: Sequence[Cell]) -> None:
        """Hand a cell, or a stack of them, to the cluster."""
        self._running[self._task.remote(list(cells), self._workspace, self._use)] = cells

    def wait(self, seconds: float) -> list[Ended]:
        """Return what has ended, waiting for the first for so long at most."""
        if not self._running:
            return []
        finished, _ = self._ray.wait(list(self._running), timeout=seconds)
        return [each for reference in finished for each in self._end(reference)]

    def stop(self) -> None:
        """Kill running cells: each goes on from its newest checkpoint when the study does."""
        for reference in self._running:
            self._ray.cancel(reference, force=True)
        self._ray.wait(list(self._running), num_returns=len(self._running), timeout=30) if self._running else None
        self._running.clear()
        self.close()

    def close(self) -> None:
        """Let the cluster go; one that was started for this study ends."""
        if self._started and self._ray.is_initialized():
            self._ray.shutdown()

    def _end(self, reference: Any) -> list[Ended]:
        cells = self._running.pop(reference)
        try:
            problem = self._ray.get(reference)
        except self._ray.exceptions.RayError as error:  # the worker, its machine, or the way to it
            first = str(error).strip().splitlines()[:1] or [type(error).__name__]
            lost = f"its worker was lost ({type(error).__name__}: {first[0]})"
            return [Ended(cell, lost, died=True) for cell in cells]
        if problem is None:
            return [Ended(cell) for cell in cells]
        return [Ended(cell, problem.says, is_input=problem.is_input) for cell in cells]


def check_installed() -> None:
    """Refuse at once where Ray is not installed.

    Raises:
        InputError: it is not.
    """
    if find_spec("ray") is None:
        raise InputError(f"--on ray: needs Ray: {to_install('ray')}")
