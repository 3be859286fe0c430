"""Epochs of several engines, interleaved: A B C A B C …, each engine in a process of its own.

Whatever disturbs the machine then disturbs all of them, and each epoch is compared with the baseline's of its own
round. Everything is launched anew a few times, for where a process's memory happens to lie is worth a few percent.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from workloads import Workload

WORKER = Path(__file__).with_name("worker.py")


class Epoch(NamedTuple):
    """One engine's epoch, in seconds."""

    wall: float
    cpu: float
    validation_loss: float


class Series(NamedTuple):
    """All that was heard of one engine."""

    first: list[float]  # the first epoch of each launch: set-up and compiling, then an epoch
    epochs: list[Epoch | None]  # one a round; None from where it failed
    skipped: str | None


class Worker:
    """An engine's process, standing at its gate."""

    def __init__(self, target: str, workload: Workload, scratch: str) -> None:
        sizes = [workload.network, workload.examples, workload.validation_examples, workload.threads]
        command = [sys.executable, str(WORKER), target, *map(str, sizes)]
        folder = Path(scratch) / target.replace(":", ".").replace(".", "-")
        folder.mkdir()
        self._log = (folder / "log").open("w+", encoding="utf-8")
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            cwd=folder,
            env={**os.environ, "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"},
        )
        self.skipped: str | None = None

    def hear(self) -> Epoch | None:
        """Wait for the end of an epoch."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"skipped": f"died: {self._last_words()}"}
        if "skipped" in answer:
            self.skipped = answer["skipped"]
            return None
        return Epoch(**answer)

    def go(self) -> Epoch | None:
        """Let it run one epoch."""
        if self.skipped is not None:
            return None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            pass  # what it said last tells why
        return self.hear()

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.close()
            self._process.wait(10)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _last_words(self) -> str:
        self._process.wait()
        self._log.seek(0)
        lines = [line.strip() for line in self._log.read().splitlines() if line.strip()]
        return lines[-1][:200] if lines else f"exit status {self._process.returncode}"


def interleave(
    targets: Mapping[str, str], workload: Workload, launches: int, warm_up: int, rounds: int
) -> dict[str, Series]:
    """Return every engine's epochs; `targets` maps a name to `module:function`."""
    heard = {name: Series([], [], None) for name in targets}
    for launch in range(launches):
        with tempfile.TemporaryDirectory() as scratch:
            workers: dict[str, Worker] = {}
            try:
                for name, target in targets.items():  # one after another: compiling is timed too
                    workers[name] = Worker(target, workload, scratch)
                    first = workers[name].hear()
                    if first is not None:
                        heard[name].first.append(first.wall)
                for number in range(-warm_up, rounds):
                    names = list(workers)
                    random.Random(launch * 1000 + number).shuffle(names)
                    for name in names:
                        epoch = workers[name].go()
                        if number >= 0:
                            heard[name].epochs.append(epoch)
                    tell(workload, launch, launches, number, rounds)
                for name, worker in workers.items():
                    if worker.skipped is not None:
                        heard[name] = heard[name]._replace(skipped=worker.skipped)
            finally:
                for worker in workers.values():
                    worker.close()
    return heard


def tell(workload: Workload, launch: int, launches: int, number: int, rounds: int) -> None:
    """Say how far it is, on stderr."""
    done = f"launch {launch + 1}/{launches}, round {max(number + 1, 0)}/{rounds}"
    print(f"\r{workload.network} {workload.threads}T: {done}   ", end="", file=sys.stderr, flush=True)
    if launch + 1 == launches and number + 1 == rounds:
        print(file=sys.stderr)


def paired(ours: Sequence[Epoch | None], baseline: Sequence[Epoch | None], clock: str) -> list[tuple[float, float]]:
    """Return (ours, baseline) seconds of each round that both finished."""
    both = [(a, b) for a, b in zip(ours, baseline, strict=True) if a is not None and b is not None]
    return [(getattr(a, clock), getattr(b, clock)) for a, b in both]
