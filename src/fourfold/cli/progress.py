"""Showing a run's progress on stderr: loss, headline metric, examples a second, time left.

The loop calls at look-ups only, and the bar is drawn here and then, at most ten times a second: no thread of ours
competes with the training for a core. rich is imported at the first look-up, so that it does not delay the first step.
"""

import sys
import time
from collections.abc import Mapping

from fourfold.cli.output import hanging, note
from fourfold.core.words import counted, sizes_in_words
from fourfold.report.numbers import duration, number
from fourfold.run.watch import Setup, Watcher

REDRAW_SECONDS = 0.1
LINE_SECONDS = 10.0  # between lines where stderr is a file


class Listener(Watcher):
    """Says nothing, and remembers which run it is.

    Attributes:
        run_id: the run's name, empty until it has started.
    """

    run_id = ""

    def started(self, setup: Setup) -> None:
        """Remember the run."""
        self.run_id = setup.run_id


class Progress(Listener):
    """A progress bar on a terminal, a line now and then in a file."""

    def __init__(self) -> None:
        self._setup: Setup | None = None
        self._bar: object | None = None
        self._task: object = None
        self._terminal = sys.stderr.isatty()
        self._began = self._drawn = 0.0
        self._headline = ""
        self._undrawn: tuple[int, str, float] | None = None  # what was heard last, and when

    def started(self, setup: Setup) -> None:
        """Say what is about to be trained, and every decision that was made about the data."""
        super().started(setup)
        self._setup, self._began = setup, time.monotonic()
        self._headline, self._undrawn = "", None
        self._drawn = self._began
        word, sizes = sizes_in_words(setup.sizes, setup.task)
        size = f"{setup.params:,} parameters"
        if setup.counted_later:
            size = f"{setup.counted_later}, counted after training,"
        note(f"{setup.run_id}: {size} on {setup.device} ({setup.precision}); {word}: {sizes}")
        for line in setup.notes:
            for piece in hanging(f"  · {line}", stderr=True):
                note(piece)
        start = f", from step {setup.start:,}" if setup.start else ""
        scored = f"; {setup.headline} is on the validation split" if setup.sizes.get("validation") else ""
        note(f"  training for {counted(setup.steps, 'step')}{start}{scored}")

    def progressed(self, step: int, metrics: Mapping[str, float], examples_per_second: float) -> None:
        """Draw, if it was not drawn just now."""
        assert self._setup is not None
        name = f"validation.{self._setup.headline}"
        if name in metrics:
            self._headline = f"{self._setup.headline} {number(metrics[name])}"
        now, last = time.monotonic(), step >= self._setup.steps
        words = [f"loss {number(metrics['train.loss'])}"] if "train.loss" in metrics else []
        words += [f"main output's {number(metrics['train.main'])}"] if "train.auxiliary" in metrics else []
        words += [self._headline] if self._headline else []
        words += [f"{number(examples_per_second)} {self._setup.counts}/s"] if examples_per_second else []
        self._undrawn = step, " · ".join(words), now - self._began
        if now - self._drawn < (REDRAW_SECONDS if self._terminal else LINE_SECONDS) and not last:
            return
        self._drawn = now
        self._draw_last(over=last)

    def said(self, notice: str) -> None:
        """Print a notice above the bar."""
        self._close()
        note(f"notice: {notice}")

    def ended(self, status: str) -> None:
        """Leave the bar as it stands, with what was heard last: a run may end before its last step."""
        self._draw_last(over=True)
        self._close()

    def _draw_last(self, *, over: bool) -> None:
        """Draw what was heard last, unless it was drawn already."""
        if self._undrawn is None:
            return
        assert self._setup is not None
        (step, words, elapsed), self._undrawn = self._undrawn, None
        done = step - self._setup.start
        left = elapsed / max(done, 1) * (self._setup.steps - step)
        words += f" · {duration(elapsed)}" if over else f" · {duration(left)} left"
        if not self._terminal:
            note(f"  step {step:,} of {self._setup.steps:,}: {words}")
            return
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        if not isinstance(self._bar, Bar):
            columns = (
                BarColumn(10),
                TextColumn("{task.percentage:.0f}%"),
                TextColumn("{task.description}", markup=False),
            )
            self._bar = Bar(*columns, console=Console(stderr=True), auto_refresh=False)
            self._bar.start()
            self._task = self._bar.add_task(words, total=self._setup.steps)
        self._bar.update(self._task, completed=step, description=words, refresh=True)  # type: ignore[arg-type]

    def _close(self) -> None:
        stop = getattr(self._bar, "stop", None)
        if stop is not None:
            stop()
        self._bar = None
