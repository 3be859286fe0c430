"""Reading many pictures at once, on all cores.

Checked by: the same pixels, facts and failures with any number of processes; a process that is killed by a file.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

from fourfold.data.pictures.facts import Facts, Told
from fourfold.data.pictures.plain import read_plain
from fourfold.data.pictures.reading import Wanted
from fourfold.data.pictures.worker import open_pixels, read_into

FEW = 400  # pictures that are read by the time that processes have started
CHUNK = 64  # pictures that a process is given at a time
QUIET_SECONDS = 10.0  # before a person at a terminal is told how far it is, and between tellings
Job = list[tuple[int, str]]


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def read_all(paths: Sequence[str], wanted: Wanted, pixels: Path | None, processes: int | None = None) -> Facts:
    """Read every picture, and return what is known of each.

    Args:
        paths: of their files.
        wanted: what to make of each.
        pixels: a file of exactly their size, which their pixels are written into, in order; None throws them away.
        processes: how many share the work; None is one a core, or none beside this one where pictures are few.
    """
    facts = Facts.empty(len(paths), wanted.channels)
    telling = _Telling(len(paths))
    left = read_plain(paths, wanted, pixels, facts, cores() if processes is None else processes, telling.add)
    if processes is None:
        processes = cores() if len(left) >= FEW else 1
    if processes == 1:
        rows = open_pixels(str(pixels), len(paths), wanted) if pixels else None
        for number in left:
            facts.add(number, read_into(paths[number], wanted, None if rows is None else rows[number]))
        return _in_order(facts)
    first = {"wanted": wanted, "pixels": pixels and str(pixels), "count": len(paths)}
    chunks = [left[start : start + CHUNK] for start in range(0, len(left), CHUNK)]
    jobs = _Jobs([[(number, paths[number]) for number in chunk] for chunk in chunks], telling)
    with ThreadPoolExecutor(processes) as threads:  # each waits for a process of its own
        for told in threads.map(lambda _: _work(jobs, json.dumps(first)), range(processes)):
            for number, one in told:
                facts.add(number, one)
    return _in_order(facts)


def _in_order(facts: Facts) -> Facts:
    """Return facts that do not depend on who read which picture, and when."""
    for numbers in facts.remarks.values():
        numbers.sort()
    facts.failures = dict(sorted(facts.failures.items()))
    facts.remarks = dict(sorted(facts.remarks.items()))
    return facts


class _Telling:
    """Tells a person at a terminal how far it is, from several threads."""

    def __init__(self, count: int) -> None:
        self._seen, self._count, self._told, self._lock = 0, count, time.monotonic(), Lock()

    def add(self, count: int) -> None:
        """Hear that so many more were seen."""
        with self._lock:
            self._seen += count
            now = time.monotonic()
            if now - self._told > QUIET_SECONDS and sys.stderr.isatty():
                self._told = now
                print(f"  reading pictures: {self._seen:,} of {self._count:,}", file=sys.stderr, flush=True)


class _Jobs:
    """What is left to do, handed out to whoever is free."""

    def __init__(self, jobs: list[Job], telling: _Telling) -> None:
        self._jobs, self._telling, self._lock = iter(jobs), telling, Lock()

    def __iter__(self) -> Iterator[Job]:
        return self

    def __next__(self) -> Job:
        with self._lock:
            job = next(self._jobs)
        self._telling.add(len(job))
        return job


def _work(jobs: _Jobs, first: str) -> list[tuple[int, Told]]:
    """Have a process do jobs until there are none, and return what it told of each picture."""
    told: list[tuple[int, Told]] = []
    worker = _Worker(first)
    try:
        for job in jobs:
            answer = worker.ask(job)
            if answer is None:  # it died; which of the files it was shows when it gets them one by one
                for number, path in job:
                    worker.stop()
                    worker = _Worker(first)
                    one = worker.ask([(number, path)])
                    told.append((number, one[0] if one else f"reading it ends the reader ({worker.ended()})"))
                worker.stop()
                worker = _Worker(first)
            else:
                told += [(number, one) for (number, _), one in zip(job, answer, strict=True)]
    finally:
        worker.stop()
    return told


class _Worker:
    """A process that reads pictures."""

    def __init__(self, first: str) -> None:
        command = [sys.executable, "-P", "-m", "fourfold.data.pictures.worker"]
        environment = {**os.environ, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C is for the one who asked; this one ends when its stdin does
        )
        self._send(first)

    def _send(self, line: str) -> bool:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()
            return True
        except OSError:
            return False

    def ask(self, job: Job) -> list[Told] | None:
        """Return what there is to tell of each picture, or None where the process is gone."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline() if self._send(json.dumps(job)) else ""
        return json.loads(line) if line.endswith("\n") else None

    def ended(self) -> str:
        """Return how the process ended, in words."""
        code = self._process.wait()
        return f"signal {-code}" if code < 0 else f"exit code {code}"

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()
