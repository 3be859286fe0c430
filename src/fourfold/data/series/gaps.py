"""A file's rows laid on regular steps, and what is done about values that are missing.

Checked by: files with missing steps and missing cells, refused and filled, in training and in predicting.
"""

from pathlib import Path
from typing import Literal

import numpy as np

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.encoding import to_number
from fourfold.data.series.timeline import Timeline
from fourfold.data.table.reading import Table

Missing = Literal["refuse", "last"]


def column_numbers(table: Table, name: str) -> list[float]:
    """Return a column, NaN where a cell is empty.

    Raises:
        InputError: a cell holds something else; the message names file, row and column.
    """
    return [
        np.nan if text is None else to_number(text, f"{table.path}: row {row}, column '{name}'")
        for row, text in zip(table.rows, table.columns[name], strict=True)
    ]


def on_steps(
    values: np.ndarray, names: tuple[str, ...], line: Timeline, missing: Missing, path: Path
) -> tuple[np.ndarray, list[str]]:
    """Return a series with no value missing, float64 `[time, variables]`, and what was done about it.

    Args:
        values: float64 `[rows, variables]`, NaN where a cell is empty.
        names: of the variables.
        line: where the rows stand.
        missing: an error, or the last value before it.
        path: for messages.

    Raises:
        InputError: a value is missing and must not be, or there is none before it.
    """
    grid = np.full((line.length, len(names)), np.nan)
    grid[line.places] = values
    gaps = np.isnan(grid)
    if not gaps.any():
        return grid, []
    if missing == "refuse":
        step, variable = np.argwhere(gaps)[0]
        raise InputError(
            f"{path}: {counted(int(gaps.sum()), 'value')} missing, the first of '{names[variable]}' "
            f"{counted(int(step), 'step')} ({line.step} each) after {line.first}; complete the file, "
            "or train with data.missing=last, which fills each with the value before it"
        )
    start = int((~gaps).all(1).argmax())  # nothing is known before the first full row
    if gaps[start].any():
        raise InputError(
            f"{path}: no row has a value in every column; complete the file, or train with fewer data.columns"
        )
    kept, notes = filled(grid[start:], names)
    return kept, [*([f"the first {counted(start, 'step')} left out: not every value is known"] * (start > 0)), *notes]


def filled(values: np.ndarray, names: tuple[str, ...]) -> tuple[np.ndarray, list[str]]:
    """Return a series without gaps, each filled with the last value before it, which looks at nothing that comes later.

    Args:
        values: float64 `[time, variables]`, NaN where nothing was measured; the first row has no NaN.
        names: of the variables, for the notes.
    """
    known = np.where(np.isnan(values), 0, np.arange(len(values))[:, None])
    last = np.maximum.accumulate(known, axis=0)
    gaps = np.isnan(values).sum(0)
    says = [f"{name}: {count:,}" for name, count in zip(names, gaps.tolist(), strict=True) if count]
    notes = [f"missing values filled with the last one before them: {', '.join(says[:12])}"] if says else []
    return np.take_along_axis(values, last, axis=0), notes
