"""The worker's end of the line: an engine calls the gate after each epoch, and waits there for its next turn.

Each engine runs its own `fit` to a far-off last epoch, in a process of its own; all but one stand at their gates. So
the epochs of all engines interleave, whatever owns the loop, and setting up and compiling are outside the timed part.
"""

import json
import os
import sys
import time
from typing import Any

FOREVER = 1_000_000  # epochs, for engines that must be told how many


class Gate:
    """Reports the epoch that has just ended, and opens for the next."""

    def __init__(self) -> None:
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(2, 1)  # what engines print must not mix with the answers
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def __call__(self, validation_loss: float) -> None:
        """End an epoch of training and validation; return when the next may begin."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        self.answer({"wall": wall, "cpu": cpu, "validation_loss": float(validation_loss)})
        if not sys.stdin.readline():
            os._exit(0)  # the engine believes there are epochs left, and would not leave by itself
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def answer(self, value: dict[str, Any]) -> None:
        """Send one line of JSON."""
        self._answers.write(json.dumps(value) + "\n")
        self._answers.flush()
