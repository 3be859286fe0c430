"""Data-parallel processes: bare torch.distributed behind `tasks.processes.Processes`.

A process learns its place from the environment that torchrun sets (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR,
MASTER_PORT), or from `launch`, which adds FOURFOLD_RENDEZVOUS, a file through which processes of one machine meet, and
FOURFOLD_LIFELINE, which says that stdin ends when the launcher does.

Checked by: one process; processes killed in mid-run; unequal and empty shares.
"""

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError, LostProcessError
from fourfold.run.launch import GRACE_SECONDS
from fourfold.tasks.processes import OneProcess

TIMEOUT = timedelta(minutes=5)  # of silence, after which another process counts as lost


class ManyProcesses:
    """This process among `count`, over NCCL on GPUs and gloo elsewhere."""

    def __init__(self, device: torch.device) -> None:
        import torch.distributed as distributed

        self._distributed = distributed
        self.rank = int(os.environ["RANK"])
        self.count = int(os.environ["WORLD_SIZE"])
        meeting = os.environ.get("FOURFOLD_RENDEZVOUS")
        if os.environ.get("FOURFOLD_LIFELINE") == "stdin":
            threading.Thread(target=_end_with_launcher, name="lifeline", daemon=True).start()
        with lost_is_told(self.count):
            distributed.init_process_group(
                "nccl" if device.type == "cuda" else "gloo",
                init_method=f"file://{meeting}" if meeting else "env://",
                rank=self.rank,
                world_size=self.count,
                timeout=TIMEOUT,
            )
        self._device = device

    def sum(self, tensors: list[Tensor]) -> None:
        """Replace each tensor by its sum over all processes, in place."""
        for tensor in tensors:
            self._distributed.all_reduce(tensor)

    def gather(self, value: Any) -> list[Any]:
        """Return every process's `value`, in rank order, on every process; they are our own and may be any object."""
        values: list[Any] = [None] * self.count
        self._distributed.all_gather_object(values, value)
        return values

    def share(self, value: Any) -> Any:
        """Return the first process's `value` on every process."""
        values = [value]
        self._distributed.broadcast_object_list(values, src=0)
        return values[0]

    def any(self, wish: bool) -> bool:
        """Return whether any process wishes it, the same answer on every process."""
        wishes = torch.tensor([float(wish)], device=self._device)
        self._distributed.all_reduce(wishes)
        return bool(wishes.item() > 0)

    def parallel(self, model: nn.Module) -> nn.Module:
        """Wrap `model` so that backward averages gradients over processes while it computes them."""
        from torch.nn.parallel import DistributedDataParallel

        ids = [self._device.index or 0] if self._device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=ids)

    def accumulating(self, model: nn.Module) -> AbstractContextManager[Any]:
        """Return a context in which backward keeps gradients to this process."""
        return model.no_sync()  # type: ignore[operator]

    def close(self) -> None:
        """Leave the group."""
        self._distributed.destroy_process_group()


class SingleProcess(OneProcess):
    """One process, with the same interface."""

    def gather(self, value: Any) -> list[Any]:
        """Return `[value]`."""
        return [value]

    def share(self, value: Any) -> Any:
        """Return `value`."""
        return value

    def any(self, wish: bool) -> bool:
        """Return `wish`."""
        return wish

    def close(self) -> None:
        """Do nothing."""


def is_worker() -> bool:
    """Return whether this process was started as one of several, by torchrun or by `launch`."""
    return "RANK" in os.environ and "WORLD_SIZE" in os.environ


def are_on_one_machine() -> bool:
    """Return whether all processes that were started with this one are on this machine."""
    return os.environ.get("LOCAL_WORLD_SIZE", "1") == os.environ.get("WORLD_SIZE", "1")


@contextmanager
def joined(count: int, device: torch.device) -> Iterator[ManyProcesses | SingleProcess]:
    """Give this process's place among `count`, for all that it does with them: a process joins once.

    Raises:
        InputError: another number of processes was started than the recipe asks for.
        LostProcessError: another process ended or cannot be reached.
    """
    world = int(os.environ["WORLD_SIZE"]) if is_worker() else 1
    if world != count:
        number = "1 process" if count == 1 else f"{count} processes"
        raise InputError(
            f"runtime.processes: the recipe asks for {number}, the launcher started {world}; "
            f"say runtime.processes={world}"
        )
    processes = ManyProcesses(device) if count > 1 else SingleProcess()
    try:
        with lost_is_told(processes.count):
            yield processes
    finally:
        processes.close()


@contextmanager
def lost_is_told(count: int) -> Iterator[None]:
    """Turn what torch raises when another of `count` processes is gone into one line; of one process, none is another.

    Raises:
        LostProcessError: another process ended or cannot be reached.
    """
    try:
        yield
    except RuntimeError as error:
        if count == 1:
            raise
        from torch.distributed import DistError

        # gloo's own errors have no class; they begin with a file of its source, gloo/transport/tcp/pair.cc
        if isinstance(error, DistError) or re.search(r"\bgloo/", str(error)):
            raise LostProcessError("another process of this run ended or cannot be reached") from error
        raise


def _end_with_launcher() -> None:
    """Stop as at Ctrl-C when the launcher is gone, for nobody else will end this process."""
    os.read(0, 1)  # returns when nobody holds the other end any more
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.kill(os.getpid(), signal.SIGKILL)


def device_of(name: str) -> torch.device:
    """Return this process's device: its own GPU where there are several.

    Raises:
        InputError: this machine has fewer GPUs than processes.
    """
    if name == "cuda":
        index, here = int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
        if here > torch.cuda.device_count():  # said by every process of the machine, so that none waits for another
            raise InputError(
                f"runtime.processes: {here} processes on this machine, which has {torch.cuda.device_count()} GPUs; "
                "use fewer, or runtime.device=cpu"
            )
        torch.cuda.set_device(index)
        return torch.device("cuda", index)
    return torch.device(name)
