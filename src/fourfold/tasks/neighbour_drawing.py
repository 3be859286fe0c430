"""Pictures beside those whose features are most like theirs.

Checked by: reading the drawn pictures and titles back from the figure.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor
from torch.nn import functional as F

from fourfold.tasks.drawing import displayable
from fourfold.tasks.figure import INK, MUTED, ORANGE, blank, new_figure, shorten, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ASKED, NEAREST = 10, 6  # rows, and pictures beside the first of each


def draw_neighbours(features: Tensor, raw: Any, labels: Tensor, class_names: Sequence[str]) -> "Figure":
    """Draw a few of the pictures, each with the others whose features have the greatest cosine with its own.

    Where there are labels, the pictures are of as many classes as there are rows for, and a neighbour of another class
    is orange.

    Args:
        features: `[pictures, features]`.
        raw: the pictures as they are, `[pictures, channels, height, width]`.
        labels: class numbers, int64 `[pictures]`, of no meaning without names.
        class_names: of the labels; empty: there are none.
    """
    alike = F.normalize(features.detach().cpu().float())
    asked = _asked(labels.cpu(), bool(class_names), len(alike))
    cosines = alike[asked] @ alike.T
    cosines[torch.arange(len(asked)), torch.tensor(asked)] = -2
    nearest = cosines.topk(min(NEAREST, max(len(alike) - 1, 1)), dim=1)
    pictures = displayable(torch.as_tensor(raw).cpu())
    with style():
        columns = 1 + nearest.indices.shape[1]
        figure = new_figure(1.1 * columns, 1.32 * len(asked))
        grid = figure.subplots(len(asked), columns, squeeze=False)
        for axes in grid.flat:
            blank(axes)
        for row, number in enumerate(asked):
            shown = [number, *nearest.indices[row].tolist()]
            for axes, other, cosine in zip(grid[row], shown, [1.0, *nearest.values[row].tolist()], strict=True):
                axes.imshow(pictures[other], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
                title, colour = (f"{cosine:.2f}", MUTED) if other != number else ("", INK)
                if class_names:
                    name = shorten(class_names[int(labels[other])], 12)
                    title = f"{name} {title}".strip()
                    colour = INK if labels[other] == labels[number] else ORANGE
                axes.set_title(title, fontsize=7.5, loc="center", pad=3, color=colour)
    return figure


def _asked(labels: Tensor, labelled: bool, count: int) -> list[int]:
    """Return which pictures stand at the left: the first of each class, or the first ones."""
    if not labelled:
        return list(range(min(ASKED, count)))
    first: dict[int, int] = {}
    for number, label in enumerate(labels.tolist()):
        first.setdefault(label, number)
    return [first[label] for label in sorted(first)][:ASKED]
