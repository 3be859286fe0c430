"""Which classes are taken for which, and which answers are furthest off.

Checked by: scikit-learn's confusion_matrix and log_loss; ties and networks without a mistake.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Pair(NamedTuple):
    """Examples of one class that were taken for another."""

    true: int
    said: int
    examples: list[int]  # those taken for it, the furthest off first
    of: int  # examples of the true class


def surprise(output: Tensor, targets: Tensor) -> Tensor:
    """Return each example's cross entropy in nats, float64 `[examples]`.

    Args:
        output: scores `[examples, classes]`.
        targets: true classes, int64 `[examples]`.
    """
    return F.cross_entropy(output.double(), targets, reduction="none")


def worst_mistakes(output: Tensor, targets: Tensor, most: int) -> list[int]:
    """Return the wrong answers of largest cross entropy, `most` at most, the worst first.

    Args:
        output: scores `[examples, classes]`.
        targets: true classes, int64 `[examples]`.
        most: how many.
    """
    wrong = output.argmax(1) != targets
    order = surprise(output, targets).argsort(descending=True, stable=True)
    return order[wrong[order]][:most].tolist()


def confused_pairs(output: Tensor, targets: Tensor, most: int) -> list[Pair]:
    """Return the pairs of classes that are confused most often, `most` at most, the commonest first.

    Args:
        output: scores `[examples, classes]`.
        targets: true classes, int64 `[examples]`.
        most: how many.
    """
    classes, said = output.shape[1], output.argmax(1)
    sizes = torch.bincount(targets, minlength=classes)
    cells = targets * classes + said
    counts = torch.bincount(cells[targets != said], minlength=classes**2)
    commonest = counts.argsort(descending=True, stable=True)[:most]
    far = surprise(output, targets)
    pairs = []
    for cell in commonest[counts[commonest] > 0].tolist():
        members = (cells == cell).nonzero().squeeze(1)
        order = far[members].argsort(descending=True, stable=True)
        pairs.append(Pair(cell // classes, cell % classes, members[order].tolist(), int(sizes[cell // classes])))
    return pairs
