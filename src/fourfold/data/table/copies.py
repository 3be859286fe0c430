"""Equal rows of a table, which must not stand on both sides of a split.

Checked by: pandas' duplicated; planted copies.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from fourfold.data.splitting import Splits
from fourfold.data.table.reading import Texts


def content_numbers(columns: Sequence[Texts]) -> np.ndarray:
    """Return a number for each row's content, int64 `[rows]`, from 0: equal rows have equal numbers."""
    numbers = np.zeros(len(columns[0]), dtype=np.int64)
    for texts in columns:
        place: dict[str | None, int] = {}
        codes = np.array([place.setdefault(text, len(place)) for text in texts], dtype=np.int64)
        _, numbers = np.unique(numbers * len(place) + codes, return_inverse=True)
    return numbers


def groups_of_copies(numbers: np.ndarray, notes: list[str]) -> Tensor | None:
    """Return groups of equal rows to be kept in one split, int64 `[rows]`; None where every row may go its own way.

    Where less than half of the rows differ, equal rows are what such a table is made of (a few categories), not copies,
    and keeping them together would leave no fair split.

    Args:
        numbers: from `content_numbers`.
        notes: a line is added where there are equal rows.
    """
    distinct = len(np.unique(numbers))
    copies = len(numbers) - distinct
    if copies == 0:
        return None
    if distinct < len(numbers) / 2:
        some = "1 row equals" if copies == 1 else f"{copies:,} rows equal"
        notes.append(f"{some} another one, as few values are possible; they are split like any others")
        return None
    some = "1 row is a copy" if copies == 1 else f"{copies:,} rows are copies"
    notes.append(f"{some} of another one; copies are kept in one split")
    return torch.from_numpy(numbers)


def report_twins(numbers: np.ndarray, splits: Splits, notes: list[str]) -> None:
    """Say how many held-out rows have an equal row in training: those that a model can know by heart."""
    train = numbers[splits["train"].numpy()]
    for name in ("validation", "test"):
        twins = int(np.isin(numbers[splits[name].numpy()], train).sum())
        if twins:
            notes.append(f"{twins:,} of {len(splits[name]):,} {name} rows have an equal row in training")
