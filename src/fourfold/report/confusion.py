"""Which classes are taken for which.

Checked by: scikit-learn's confusion_matrix, read back from the cells.
"""

import torch
from torch import Tensor

from fourfold.report.drawing import Drawn
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.figure import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, new_figure, shorten, style

MOST_CLASSES = 24  # more do not fit a screen; then the commonest mistakes are listed
MOST_PAIRS = 16


def confusion_matrix(output: Tensor, targets: Tensor, num_classes: int) -> Tensor:
    """Return counts, int64 `[classes, classes]`: rows are true classes, columns are predicted ones."""
    cells = targets * num_classes + output.argmax(1)
    return torch.bincount(cells, minlength=num_classes**2).view(num_classes, num_classes)


def draw_confusion(spec: ClassificationSpec, output: Tensor, targets: Tensor) -> Drawn:
    """Draw the matrix, or the commonest mistakes where there are too many classes for one.

    Args:
        spec: the task.
        output: scores `[examples, classes]`.
        targets: true classes, int64 `[examples]`.
    """
    matrix = confusion_matrix(output, targets, spec.num_classes)
    wrong = matrix.clone().fill_diagonal_(0)
    caption = _caption(spec.class_names, matrix, wrong)
    if spec.num_classes > MOST_CLASSES:
        return _pairs(spec.class_names, wrong, caption)
    return _matrix(spec.class_names, matrix, caption)


def _matrix(names: tuple[str, ...], matrix: Tensor, caption: str) -> Drawn:
    from matplotlib.patches import Rectangle

    count = len(names)
    shares = matrix / matrix.sum(1, keepdim=True).clamp(min=1)
    side = min(7.2, max(3.2, 0.42 * count + 1.4))
    with style():
        figure = new_figure(side, side)
        axes = figure.subplots()
        axes.grid(False)
        axes.set_aspect("equal")
        for i in range(count):
            for j in range(count):
                share, cell = float(shares[i, j]), int(matrix[i, j])
                colour = BLUE if i == j else ORANGE
                square = (j - 0.47, i - 0.47)
                axes.add_patch(Rectangle(square, 0.94, 0.94, color=FAINT, linewidth=0, alpha=0.55))
                if cell:
                    axes.add_patch(Rectangle(square, 0.94, 0.94, color=colour, linewidth=0, alpha=max(0.15, share)))
                    ink = PAPER if share > 0.55 else INK
                    axes.text(j, i, str(cell), ha="center", va="center", fontsize=8, color=ink)
        axes.set_xlim(-0.5, count - 0.5)
        axes.set_ylim(count - 0.5, -0.5)
        long = max(map(len, names)) > 3
        axes.set_xticks(
            range(count), [shorten(n, 14) for n in names], rotation=45 if long else 0, ha="right" if long else "center"
        )
        axes.set_yticks(range(count), [shorten(n, 14) for n in names])
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        axes.set_xlabel("predicted")
        axes.set_ylabel("true")
    return Drawn("confusion", figure, caption)


def _pairs(names: tuple[str, ...], wrong: Tensor, caption: str) -> Drawn:
    from matplotlib.ticker import MaxNLocator

    order = [k for k in wrong.flatten().argsort(descending=True, stable=True).tolist() if wrong.flatten()[k]]
    chosen = order[:MOST_PAIRS]
    with style():
        figure = new_figure(6.4, 0.3 * max(1, len(chosen)) + 0.7)
        axes = figure.subplots()
        for y, cell in enumerate(chosen):
            true, predicted = divmod(cell, len(names))
            axes.barh(y, int(wrong[true, predicted]), color=ORANGE, height=0.6)
        labels = [
            f"{shorten(names[c // len(names)], 18)} taken for {shorten(names[c % len(names)], 18)}" for c in chosen
        ]
        axes.set_yticks(range(len(chosen)), labels, color=INK)
        axes.set_ylim(max(0, len(chosen) - 1) + 0.6, -0.6)
        axes.grid(False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_xlabel("examples", color=MUTED)
    return Drawn("confusion", figure, caption)


def _caption(names: tuple[str, ...], matrix: Tensor, wrong: Tensor) -> str:
    total, mistakes = int(matrix.sum()), int(wrong.sum())
    if not mistakes:
        return f"All {total} examples are right."
    true, predicted = divmod(int(wrong.flatten().argmax()), len(names))
    times = int(wrong[true, predicted])
    return (
        f"{total - mistakes} of {total} are right. The commonest mistake: {names[true]} is taken for "
        f"{names[predicted]}, {times} {'time' if times == 1 else 'times'}."
    )
