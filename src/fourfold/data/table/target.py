"""What a table's target asks for: classes or a number, and each row's answer.

Checked by: hand-made tables; scikit-learn's LabelEncoder.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.data.rows import RegressionTask
from fourfold.data.table.columns import parse_booleans, parse_numbers
from fourfold.data.table.inference import MOSTLY
from fourfold.data.table.reading import Table

Task = Literal["auto", "classification", "regression", "probabilistic_regression"]
FEW = 10  # whole numbers with at most this many different values, each three times on average, are classes


@dataclass(frozen=True)
class Classes:
    """Each row's class: numbers, int64 `[rows]`, and one name a class."""

    numbers: Tensor
    names: tuple[str, ...]
    note: str


@dataclass(frozen=True)
class Amounts:
    """Each row's number in its own unit, float64 `[rows, 1]`, and the kind of regression asked for."""

    values: Tensor
    task: RegressionTask
    note: str


def read_target(table: Table, name: str, task: Task) -> Classes | Amounts:
    """Return the target of every row; none may be missing.

    Args:
        table: the rows.
        name: of the target column.
        task: what the user asks for; `auto` decides.

    Raises:
        InputError: the same value in every row, or a number asked for where there is text.
    """
    texts = table.columns[name]
    distinct = len(set(texts))
    if distinct == 1:
        many = f"every one of the {len(texts):,} rows" if len(texts) > 1 else "the only row"
        raise InputError(f"{table.path}: the target '{name}' is '{texts[0]}' in {many}; there is nothing to learn")
    numbers = parse_numbers(texts)
    bad = np.isnan(numbers)
    why = f"as data.task={task} says"
    if task == "auto":
        _refuse_strays(table, name, numbers)
        task, why = _decide(numbers, distinct)
    if task == "classification":
        labels, names = _classes(texts.astype(str), numbers)
        note = f"task: classification of '{name}' into {len(names)} classes, {why}"
        return Classes(torch.from_numpy(labels.astype(np.int64)), names, note)
    if bad.any():
        raise InputError(
            f"{table.path}: row {table.rows[bad][0]}, column '{name}': '{texts[bad][0]}' is not a number, which "
            f"data.task={task} needs ({counted(int(bad.sum()), 'such row')})"
        )
    kind: RegressionTask = "regression" if task in ("auto", "regression") else "probabilistic_regression"
    return Amounts(torch.from_numpy(numbers)[:, None], kind, f"task: {kind} of '{name}', {why}")


def _refuse_strays(table: Table, name: str, numbers: np.ndarray) -> None:
    """Raise InputError where nearly all values are numbers, too many different ones for classes, and a few are not."""
    bad = np.isnan(numbers)
    strays, among = int(bad.sum()), len(np.unique(numbers[~bad]))
    if strays == 0 or (strays > 1 and strays > (1 - MOSTLY) * len(numbers)):
        return
    if among > FEW or 3 * among > len(numbers) - strays > 1:
        where = f"{table.path}: row {table.rows[bad][0]}, column '{name}'"
        raise InputError(
            f"{where}: '{table.columns[name][bad][0]}' is not a number ({counted(strays, 'such row')}), and "
            f"{len(numbers) - strays:,} of {len(numbers):,} values are; mend it to predict a number, or choose classes "
            "with data.task=classification"
        )


def _decide(numbers: np.ndarray, distinct: int) -> tuple[Task, str]:
    if np.isnan(numbers).any():
        return "classification", f"because it is text with {distinct:,} different values"
    whole = bool((numbers % 1 == 0).all())
    if distinct == 2 or (whole and distinct <= FEW and 3 * distinct <= len(numbers)):
        return "classification", f"because it has {distinct} different values (data.task=regression overrides)"
    return "regression", f"because it is a number with {distinct:,} different values"


def _classes(texts: np.ndarray, numbers: np.ndarray) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return class numbers int64 `[rows]` and names, in the order of numbers, or else of the alphabet."""
    if not np.isnan(numbers).any():  # 1 and 1.0 are one class, and 10 comes after 9
        values, labels = np.unique(numbers, return_inverse=True)
        return labels, tuple(f"{value:.15g}" for value in values)
    if not np.isnan(parse_booleans(texts)).any():  # Yes and yes are one class
        texts = np.char.lower(texts)
    names, labels = np.unique(texts, return_inverse=True)
    return labels, tuple(names.tolist())


def check_class_sizes(classes: Classes, table: Table, name: str, needed: int) -> None:
    """Raise InputError where a class has fewer rows than there are splits to show it in."""
    counts = torch.bincount(classes.numbers, minlength=len(classes.names)).tolist()
    few = [k for k, count in enumerate(counts) if count < needed]
    if few:
        rows = table.rows[(classes.numbers == few[0]).numpy()].tolist()
        listed = f"row{'s' * (len(rows) > 1)} {', '.join(map(str, rows[:10]))}{', …' * (len(rows) > 10)}"
        more = len(few) - 1
        rare = f"{counted(more, 'more class', 'more classes')} {'is' if more == 1 else 'are'} as rare"
        others = f", and {rare}" if more else ""
        raise InputError(
            f"{table.path}: class '{classes.names[few[0]]}' of '{name}' has only {len(rows)} ({listed}){others}; "
            f"at least {needed} are needed, one for each split"
        )
