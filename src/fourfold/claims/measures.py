"""Measures: what is read from a finished cell, one number a cell.

A measure is a pure function of a cell's run folder, so it can be taken again from the runs of an old study. NaN means
that this cell has no such number; it is left out, told, and never filled in.

Checked by: run folders written by hand; a real run.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fourfold.core.errors import InputError
from fourfold.records.folder import RunFolder
from fourfold.study.cells import CellResult

if TYPE_CHECKING:
    from fourfold.run.run import Run


@dataclass(frozen=True)
class Measure:
    """What a claim reads from each of its cells.

    Attributes:
        words: what it is, with its unit, such as `steps to a training loss of 0.5`.
        of: returns it for a cell that is done or has diverged; NaN where the cell has none.
    """

    words: str
    of: Callable[[CellResult], float]


def metric(name: str) -> Measure:
    """Measure a final score, `split.name`, such as `test.accuracy`; a run that diverged has none."""
    split, _, short = name.partition(".")

    def of(cell: CellResult) -> float:
        return float(cell.metrics.get(split, {}).get(short, math.nan)) if cell.status == "done" else math.nan

    return Measure(name, of)


def gap(name: str) -> Measure:
    """Measure what a metric loses from the training to the test split: `gap("accuracy")` is train minus test."""

    def of(cell: CellResult) -> float:
        scores = [cell.metrics.get(split, {}).get(name, math.nan) for split in ("train", "test")]
        return float(scores[0] - scores[1]) if cell.status == "done" else math.nan

    return Measure(f"train.{name} minus test.{name}", of)


def steps_to(name: str, *, below: float | None = None, above: float | None = None) -> Measure:
    """Measure the steps after which a curve is first below (or above) a level, such as `train.loss` below 0.5.

    A run that never gets there, or diverges, counts with all the steps it was given: the least that it can have
    needed, so an arm that mostly does not get there is flattered. Curves have a point every `budget.log_every` steps
    (`train.loss`, a mean since the last point) or `budget.validate_every` (`validation.*`): set those to the
    resolution you want, alike for all arms.

    Raises:
        InputError: not exactly one of `below` and `above`.
    """
    if (below is None) == (above is None):
        raise InputError(f"steps_to('{name}'): give either below or above")
    words = f"below {below:g}" if below is not None else f"above {above:g}"

    def of(cell: CellResult) -> float:
        for step, value in curve(cell, name):
            if (below is not None and value < below) or (above is not None and value > above):
                return float(step)
        return float(cell.result.get("planned_steps") or math.nan)

    return Measure(f"steps to a {name} {words}", of)


def final(name: str, *, diverged: float = math.nan) -> Measure:
    """Measure the last point of a curve, such as `train.loss`; a run that diverged counts as `diverged`."""

    def of(cell: CellResult) -> float:
        points = curve(cell, name)
        return points[-1][1] if cell.status == "done" and points else diverged

    return Measure(f"last {name}", of)


def curve(cell: CellResult, name: str) -> list[tuple[int, float]]:
    """Return a cell's curve as (step, value) in step order, empty if it has no such points."""
    return sorted((p.step, p.value) for p in RunFolder.open(cell.folder).points() if p.name == name)


def run_of(cell: CellResult) -> "Run":
    """Return the cell's run, to measure its network: `run_of(cell).model`, `.parts.source`; this loads torch."""
    from fourfold.run.run import Run

    return Run(RunFolder.open(cell.folder))
