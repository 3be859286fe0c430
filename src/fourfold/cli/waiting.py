"""How far something is that takes minutes: a bar where stderr is a terminal, a line now and then where it is a file."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fourfold.cli.output import note
from fourfold.report.numbers import duration

if TYPE_CHECKING:
    from rich.progress import Progress

LINE_SECONDS = 10.0  # between lines where stderr is a file


class Lines:
    """Told how much is done, and of how much where that was not known before.

    Args:
        words: what is waited for.
        total: how much there is to do; None: nobody knows yet.
    """

    def __init__(self, words: str, total: int | None) -> None:
        self.words, self.total = words, total
        self._began = self._said = time.monotonic()

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say it, if nothing was said just now."""
        self.total = total or self.total
        now = time.monotonic()
        if now - self._said < LINE_SECONDS:
            return
        self._said = now
        if self.total is None:
            note(f"  {self.words}: {done:,} so far")
            return
        left = (now - self._began) / max(done, 1) * (self.total - done)
        ahead = f" · about {duration(left)} left" if done < self.total else ""
        note(f"  {self.words}: {done:,} of {self.total:,}{ahead}")


class Drawn(Lines):
    """The same, on a bar, which draws itself.

    Args:
        words: what is waited for.
        total: how much there is to do; None: nobody knows yet, and the bar moves without saying how far it is.
        bar: at work.
    """

    def __init__(self, words: str, total: int | None, bar: "Progress") -> None:
        super().__init__(words, total)
        self._bar, self._task = bar, bar.add_task(words, total=total)

    def __call__(self, done: int, total: int | None = None) -> None:
        """Draw it."""
        self.total = total or self.total
        self._bar.update(self._task, completed=done, total=self.total)


@contextmanager
def waiting(words: str, total: int | None) -> Iterator[Lines]:
    """Give what is told how much is done, and shows it."""
    if not sys.stderr.isatty():
        yield Lines(words, total)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield Drawn(words, total, bar)
