"""Data-parallel processes: bare torch.distributed behind the `Processes` seam.

A process learns its place from the environment that torchrun sets (RANK, WORLD_SIZE, LOCAL_RANK, MASTER_ADDR,
MASTER_PORT), or from `launch`, which adds FOURFOLD_RENDEZVOUS, a file through which processes of one machine meet.
"""

import os
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.tasks.seam import OneProcess

TIMEOUT = timedelta(minutes=5)


class ManyProcesses:
    """This process among `count`, over NCCL on GPUs and gloo elsewhere."""

    def __init__(self, device: torch.device) -> None:
        import torch.distributed as distributed

        self._distributed = distributed
        self.rank = int(os.environ["RANK"])
        self.count = int(os.environ["WORLD_SIZE"])
        meeting = os.environ.get("FOURFOLD_RENDEZVOUS")
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


def join(count: int, device: torch.device) -> ManyProcesses | SingleProcess:
    """Return this process's place among `count`.

    Raises:
        InputError: torchrun started another number of processes than the recipe asks for.
    """
    if count == 1:
        return SingleProcess()
    world = int(os.environ.get("WORLD_SIZE", "1"))
    if world != count:
        raise InputError(f"runtime.processes: the recipe asks for {count} processes, the launcher started {world}")
    return ManyProcesses(device)


def device_of(name: str) -> torch.device:
    """Return this process's device: its own GPU where there are several."""
    if name == "cuda":
        index = int(os.environ.get("LOCAL_RANK", "0"))
        torch.cuda.set_device(index)
        return torch.device("cuda", index)
    return torch.device(name)
