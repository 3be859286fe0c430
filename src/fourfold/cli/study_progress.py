"""Showing how far a study is: cells done, running, time left; one line, redrawn."""

import sys
import time
from collections.abc import Callable
from typing import TypeVar

from fourfold.cli.output import note
from fourfold.core.words import counted
from fourfold.report.numbers import duration
from fourfold.study.execute import StoppedError, Watcher

LINE_SECONDS = 10.0  # between lines where stderr is a file, and a cell has ended
STILL_SECONDS = 300.0  # between lines where none has

T = TypeVar("T")


def watched(work: Callable[[Watcher], T], *, quiet: bool) -> T | None:
    """Return what `work` returns, showing how far it is unless `quiet`; None where it was stopped, which is said."""
    try:
        return work(Watcher() if quiet else StudyProgress())
    except StoppedError:
        note("interrupted: what is finished is kept, and the same command goes on from there")
        return None


class StudyProgress(Watcher):
    """A bar on a terminal, a line now and then in a file."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._bar: object | None = None
        self._task: object = None
        self._said_at, self._said_done = time.monotonic(), -1
        self._first: tuple[int, float] | None = None  # cells that were there already

    def progressed(self, done: int, running: int, total: int, seconds: float) -> None:
        """Draw."""
        if self._first is None:
            self._first = (done, seconds)
            if not self._terminal:
                note(counted(total, "cell") + (f", {done:,} of them done before" if done else ""))
        fresh, elapsed = done - self._first[0], seconds - self._first[1]
        left = f" · about {duration(elapsed / fresh * (total - done))} left" if fresh and done < total else ""
        words = f"{done:,} of {counted(total, 'cell')} done · {running} running{left}"
        if self._terminal:
            self._draw(done, total, words, last=not running and done >= total)
        elif time.monotonic() - self._said_at >= (LINE_SECONDS if done != self._said_done else STILL_SECONDS):
            self._said_at, self._said_done = time.monotonic(), done
            note(f"  {words}")

    def said(self, notice: str) -> None:
        """Print a notice above the bar."""
        note(f"notice: {notice}")

    def _draw(self, done: int, total: int, words: str, last: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn

        if not isinstance(self._bar, Progress):
            columns = (BarColumn(24), TextColumn("{task.description}", markup=False))
            self._bar = Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True)
            self._bar.start()
            self._task = self._bar.add_task(words, total=total)
        self._bar.update(self._task, completed=done, total=total, description=words, refresh=True)  # type: ignore[arg-type]
        if last:
            self._bar.stop()
            self._bar = None
