"""The only training loop. It drives any algorithm, and knows nothing of what a step does.

step, step, …      nothing is read back
every log_every    losses so far are averaged and written to the curve
every validation   the validation split, in order, once
every checkpoint   everything the next step depends on; unless told how often, soon after the beginning, then once a
                   minute, and more rarely where it takes so long that the run would feel it
"""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType
from typing import Any, Literal, NamedTuple

import torch

from fourfold.core.recipe import Budget
from fourfold.run.watch import Watcher
from fourfold.tasks.seam import LossValue, Training

FIRST_SAVE_SECONDS, SAVE_SECONDS = 5.0, 60.0  # after the beginning; between saves, once the run is as old as that
STEPS_PER_SAVE = 19  # times as long as a save took are spent otherwise before the next one
MOST_VALIDATIONS = 50


class Schedule(NamedTuple):
    """When the loop looks up, in steps."""

    steps: int
    log_every: int
    validate_every: int
    checkpoint_every: int | None  # None: by the clock, see `_Saves`


@dataclass
class Progress:
    """How far the loop has come. The loop updates it at every step, so that it is right even when a step raises."""

    step: int  # updates made, those before this execution included
    seconds: float = 0.0  # of this execution, up to the last look-up, as in `Outcome`
    examples: int = 0


class Outcome(NamedTuple):
    """How the loop ended."""

    step: int
    status: Literal["done", "interrupted", "running"]
    reason: str | None
    seconds: float  # in steps, validation and checkpoints left out
    examples: int


class _Saves:
    """When the next checkpoint is due by the clock: a kill costs at most as long as the run was old, and a minute.

    Args:
        began: when the loop began, in seconds.
    """

    def __init__(self, began: float) -> None:
        self._began, self._next = began, began + FIRST_SAVE_SECONDS

    def are_due(self, now: float) -> bool:
        """Return whether it is time for one."""
        return now >= self._next

    def made(self, began: float, ended: float) -> None:
        """Plan the next one after one that took from `began` to `ended`."""
        wait = min(SAVE_SECONDS, max(FIRST_SAVE_SECONDS, ended - self._began))
        self._next = ended + max(wait, STEPS_PER_SAVE * (ended - began))


def plan_schedule(budget: Budget, steps_per_epoch: int) -> Schedule:
    """Turn a budget into steps; every default that is chosen here is written into the result."""
    steps = budget.steps or max(1, round((budget.epochs or 1) * steps_per_epoch))
    validate_every = budget.validate_every or max(steps_per_epoch, -(-steps // MOST_VALIDATIONS))
    return Schedule(steps, budget.log_every, min(validate_every, steps), budget.checkpoint_every)


class StopHeardError(Exception):
    """The scores were left because a signal asked for it; the steps are all made and saved."""


class Stop:
    """SIGINT and SIGTERM: the first asks the loop to checkpoint and leave, the second ends the process at once."""

    def __init__(self) -> None:
        self.requested: str | None = None
        self._before: dict[int, object] = {}

    def __enter__(self) -> "Stop":
        try:
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._heard)
        except ValueError:
            pass  # not the main thread: whoever runs the loop there stops it
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _heard(self, number: int, _: FrameType | None) -> None:
        for each in self._before:
            signal.signal(each, signal.SIG_DFL)  # the second signal is not ours to hold up
        self.requested = signal.Signals(number).name


def train(
    training: Training,
    schedule: Schedule,
    progress: Progress,
    *,
    pending: list[LossValue],
    record: Callable[[int, dict[str, float]], None],
    validate: Callable[[], dict[str, float]],
    checkpoint: Callable[[Outcome, list[LossValue]], None],
    agree: Callable[[bool], bool] | None,
    watcher: Watcher,
    stop: Stop,
) -> Outcome:
    """Run steps `progress.step` to `schedule.steps`.

    Args:
        training: the algorithm at work.
        schedule: when to look up.
        progress: updates made already; moved along.
        pending: losses since the last point of the curve, when continuing from between two points.
        record: takes a point of the curve.
        validate: scores the validation split.
        checkpoint: saves everything after a step, with the losses not yet in the curve.
        agree: whether any of several processes wants something, the same answer in each; None for one process.
        watcher: hears what is read.
        stop: asked at every look-up, and between steps.

    Raises:
        DivergedError: the update was not made; nothing was saved over the last good checkpoint.
    """
    reason = None
    pending = list(pending)
    saves, began = _Saves(time.monotonic()), time.monotonic()
    next_look = _next_look(progress.step, schedule)
    while progress.step < schedule.steps:
        pending.append(training.step())
        progress.step = step = progress.step + 1
        if step < next_look and (stop.requested is None or agree is not None):
            continue  # several processes can only agree where all of them look up
        next_look = _next_look(step, schedule)
        training.check()
        interrupted = stop.requested is not None
        interrupted = agree(interrupted) if agree else interrupted
        metrics: dict[str, float] = {}
        if step % schedule.log_every == 0 or step == schedule.steps or step % schedule.validate_every == 0:
            metrics, seen = _read(pending)
            pending.clear()
            progress.examples += seen
            metrics |= {f"train.{name}": value for name, value in training.gauges().items()}
        progress.seconds += time.monotonic() - began
        if step % schedule.validate_every == 0 or step == schedule.steps:
            scores = validate()
            reason = training.validated(step, scores)
            metrics |= {f"validation.{name}": value for name, value in scores.items()}
        if metrics:
            record(step, metrics)
            watcher.progressed(step, metrics, progress.examples / progress.seconds if progress.seconds else 0.0)
        if reason is not None or step == schedule.steps:
            return Outcome(step, "done", reason, progress.seconds, progress.examples)
        if interrupted:
            outcome = Outcome(step, "interrupted", stop.requested, progress.seconds, progress.examples)
            checkpoint(outcome, pending)
            return outcome
        every, now = schedule.checkpoint_every, time.monotonic()
        due = step % every == 0 if every else saves.are_due(now)
        if agree(due) if agree else due:
            checkpoint(Outcome(step, "running", None, progress.seconds, progress.examples), pending)
            saves.made(now, time.monotonic())
        began = time.monotonic()
    return Outcome(progress.step, "done", None, progress.seconds, progress.examples)  # nothing was left to do


def pack_pending(pending: list[LossValue]) -> list[dict[str, object]]:
    """Return losses not yet in the curve as tensors and numbers, for a checkpoint."""
    return [{"total": v.total, "count": v.count, "parts": dict(v.parts)} for v in pending]


def unpack_pending(packed: list[dict[str, Any]]) -> list[LossValue]:
    """Return what `pack_pending` was given."""
    return [LossValue(each["total"], each["count"], each["parts"]) for each in packed]


def _next_look(step: int, schedule: Schedule) -> int:
    """Return the next step at which the loop looks up."""
    intervals = [schedule.log_every, schedule.validate_every, schedule.checkpoint_every or schedule.steps]
    return min(schedule.steps, *((step // every + 1) * every for every in intervals))


def _read(pending: list[LossValue]) -> tuple[dict[str, float], int]:
    """Return the mean loss of the pending steps, its named parts, and the examples seen; this waits for the device."""
    count = sum(int(value.count) for value in pending)
    if not count:  # who acts learns now and then only, and a step without a loss is none of zero
        return {}, 0
    total = float(torch.stack([value.total for value in pending]).cpu().double().sum())  # a Mac's GPU lacks float64
    metrics = {"train.loss": total / max(count, 1)}
    for name in pending[-1].parts:
        term = torch.stack([value.parts[name] for value in pending]).cpu().double().sum()
        metrics[f"train.{name}"] = float(term) / max(count, 1)
    return metrics, count
