"""Which classes are taken for which.

Checked by: scikit-learn's confusion_matrix, read back from the cells.
"""

import torch
from torch import Tensor

from fourfold.report.drawing import Drawn
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.figure import BLUE, FAINT, INK, ORANGE, PAPER, WIDTH, display_width, new_figure, shorten, style

MOST_CLASSES = 24  # more do not fit a screen; then the commonest mistakes are listed
MOST_PAIRS = 16


def confusion_matrix(output: Tensor, targets: Tensor, num_classes: int) -> Tensor:
    """Return counts, int64 `[classes, classes]`: rows are true classes, columns are predicted ones."""
    cells = targets * num_classes + output.argmax(1)
    return torch.bincount(cells, minlength=num_classes**2).view(num_classes, num_classes)


def draw_confusion(spec: ClassificationSpec, output: Tensor, targets: Tensor, split: str) -> Drawn:
    """Draw the matrix, or the commonest mistakes where there are too many classes for one.

    Args:
        spec: the task.
        output: scores `[examples, classes]`.
        targets: true classes, int64 `[examples]`.
        split: which examples they are, for the caption.
    """
    matrix = confusion_matrix(output, targets, spec.num_classes)
    wrong = matrix.clone().fill_diagonal_(0)
    caption = _caption(spec.class_names, matrix, wrong, split)
    if spec.num_classes > MOST_CLASSES:
        return _pairs(spec.class_names, wrong, caption)
    return _matrix(spec.class_names, matrix, caption)


def _matrix(names: tuple[str, ...], matrix: Tensor, caption: str) -> Drawn:
    from matplotlib.patches import Rectangle

    count = len(names)
    shares = matrix / matrix.sum(1, keepdim=True).clamp(min=1)
    labels = [shorten(name, 14) for name in names]
    side = max(WIDTH - 0.8, min(7.2, 0.26 * count + 1.6))
    widest = max(map(display_width, labels))
    slanted = 0.085 * widest > (side - 0.45 - 0.085 * widest) / count  # inches of a label, inches of a cell
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
                if not cell:
                    axes.add_patch(Rectangle(square, 0.94, 0.94, color=FAINT, linewidth=0, alpha=0.5))
                    continue
                depth = 0.2 + 0.8 * share if i == j else 0.06 + 0.94 * share**0.5  # rare mistakes are told apart
                axes.add_patch(Rectangle(square, 0.94, 0.94, color=colour, linewidth=0, alpha=depth))
                size = 9 if cell < 1000 or count < 8 else 7
                axes.text(j, i, f"{cell}", ha="center", va="center", fontsize=size, color=PAPER if depth > 0.7 else INK)
        axes.set_xlim(-0.5, count - 0.5)
        axes.set_ylim(count - 0.5, -0.5)
        axes.set_xticks(range(count), labels, rotation=45 if slanted else 0, ha="right" if slanted else "center")
        axes.set_yticks(range(count), labels)
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
        figure = new_figure(WIDTH, 0.3 * max(1, len(chosen)) + 0.7)
        axes = figure.subplots()
        for y, cell in enumerate(chosen):
            true, predicted = divmod(cell, len(names))
            axes.barh(y, int(wrong[true, predicted]), color=ORANGE, height=0.6)
        labels = [
            f"{shorten(names[c // len(names)], 12)} taken for {shorten(names[c % len(names)], 12)}" for c in chosen
        ]
        axes.set_yticks(range(len(chosen)), labels, color=INK)
        axes.set_ylim(max(0, len(chosen) - 1) + 0.6, -0.6)
        axes.grid(False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_xlabel("examples")
    return Drawn("confusion", figure, caption)


def _caption(names: tuple[str, ...], matrix: Tensor, wrong: Tensor, split: str) -> str:
    total, mistakes = int(matrix.sum()), int(wrong.sum())
    if not mistakes:
        return f"All {total:,} {split} examples are right."
    true, predicted = divmod(int(wrong.flatten().argmax()), len(names))
    times = int(wrong[true, predicted])
    return (
        f"{total - mistakes:,} of {total:,} {split} examples are right. The commonest mistake: {names[true]} is taken "
        f"for {names[predicted]}, {times:,} {'time' if times == 1 else 'times'}."
    )
