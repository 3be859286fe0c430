"""What an algorithm asks of the processes that train together: sums, and a network whose gradients are shared.

`run.processes` answers for several processes; here is what one answers.

Checked by: `run.processes`, whose two processes make the steps of one.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from torch import Tensor, nn


class Processes(Protocol):
    """How data-parallel processes add things up; one process is the same code with nothing to add."""

    rank: int
    count: int

    def sum(self, tensors: list[Tensor]) -> None:
        """Replace each tensor by its sum over all processes, in place."""
        ...

    def parallel(self, model: nn.Module) -> nn.Module:
        """Return `model` such that backward leaves the mean of all processes' gradients in its parameters."""
        ...

    def accumulating(self, model: nn.Module) -> AbstractContextManager[Any]:
        """Return a context in which backward adds to this process's gradients without sharing them yet."""
        ...


class OneProcess:
    """The trivial `Processes`."""

    rank = 0
    count = 1

    def sum(self, tensors: list[Tensor]) -> None:
        """Do nothing: one process's sum is its own value."""

    def parallel(self, model: nn.Module) -> nn.Module:
        """Return the model itself."""
        return model

    def accumulating(self, model: nn.Module) -> AbstractContextManager[Any]:
        """Return a context that does nothing."""
        return nullcontext()
