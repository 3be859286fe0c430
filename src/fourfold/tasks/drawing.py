"""Showing a few predictions to a person, for the tasks that give a class or numbers for each example.

Checked by: reading the drawn titles, points and bars back from the figures.
"""

import math
from typing import TYPE_CHECKING, Any, Sequence

import torch
from torch import Tensor

from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.figure import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    WIDTH,
    blank,
    display_width,
    new_figure,
    shorten,
    style,
    thousands,
)
from fourfold.tasks.probabilistic_regression import INTERVAL, ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec, in_own_unit
from fourfold.tasks.seam import Batch, Features, Image

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_PICTURES = 24
MAX_ROWS = 16
MAX_TARGETS = 4


def draw_classified(spec: ClassificationSpec, batch: Batch, output: Tensor, raw: Any) -> "Figure":
    """Draw examples with their predicted and true classes; mistakes are orange.

    Args:
        spec: the task.
        batch: encoded inputs and true classes, int64 `[batch]`.
        output: scores `[batch, classes]`.
        raw: the examples before encoding: pictures `[batch, channels, height, width]` or rows `[batch, features]`.
    """
    probabilities = output.detach().cpu().float().softmax(1)
    true = batch.targets.detach().cpu()
    with style():
        if isinstance(spec.input, Image):
            return _pictures(spec.class_names, torch.as_tensor(raw).cpu(), probabilities, true)
        assert isinstance(spec.input, Features)  # texts are drawn by their own tasks
        return _rows(spec.class_names, spec.input, batch.inputs[0].detach().cpu(), raw, probabilities, true)


def _pictures(names: Sequence[str], raw: Tensor, probabilities: Tensor, true: Tensor) -> "Figure":
    count = min(MAX_PICTURES, len(true))
    columns = max(1, min(4, count), math.ceil(math.sqrt(count)))
    rows = max(1, math.ceil(count / columns))
    figure = new_figure(1.1 * columns, 1.48 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        blank(axes)
    pictures = displayable(raw[:count])
    size = 9 if max(map(display_width, names)) <= 8 else 8  # points: titles side by side must not meet
    for axes, picture, row, label in zip(grid.flat, pictures, probabilities, true.tolist(), strict=False):
        best = int(row.argmax())
        axes.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        sure = _percent(float(row[best]))
        says = f"{shorten(names[best], 14 - len(sure))}  {sure}"
        right = best == label
        titles = f"\n{says}" if right else f"{says}\nis {shorten(names[int(label)], 12)}"  # two lines: even rows
        axes.set_title(titles, fontsize=size, loc="center", pad=3, color=INK if right else ORANGE)
    return figure


def displayable(raw: Tensor) -> list[Any]:
    """Return pictures as arrays in 0..1, `[height, width]` grey or `[height, width, 3]`; one scale for all of them."""
    values = raw.float()
    low = 0.0 if values.min() >= 0 else float(values.min())
    high = 255.0 if raw.dtype == torch.uint8 and values.max() > 16 else float(values.max())
    values = ((values - low) / max(high - low, 1e-12)).clamp(0, 1)
    if values.shape[1] >= 3:
        return list(values[:, :3].permute(0, 2, 3, 1).numpy())
    return list(values[:, 0].numpy())


def _rows(
    names: Sequence[str], features: Features, inputs: Tensor, raw: Any, probabilities: Tensor, true: Tensor
) -> "Figure":
    """Two lines an example: how sure of what, and the truth; below, the values that stand out most in it."""
    count = min(MAX_ROWS, len(true))
    figure = new_figure(WIDTH, 0.52 * count + 0.35)
    axes = figure.subplots()
    blank(axes)
    axes.set_xlim(0, 1.62)
    axes.set_ylim(count - 0.36, -0.95)
    for x, heading in ((0, "The model says"), (1.06, "It is")):
        axes.text(x, -0.66, heading, fontsize=9, fontweight="bold", va="center")
    for y, (row, label) in enumerate(zip(probabilities[:count], true.tolist(), strict=False)):
        best = int(row.argmax())
        share, right = float(row[best]), best == label
        says = f"{shorten(names[best], 18)}  {_percent(share)}"
        axes.barh(y - 0.14, 1.0, height=0.44, color=FAINT)
        axes.barh(y - 0.14, share, height=0.44, color=BLUE if right else ORANGE)
        fits = share >= 0.03 * display_width(says) + 0.04
        inside = {"x": 0.02, "color": PAPER} if fits else {"x": share + 0.02, "color": INK}
        axes.text(y=y - 0.14, s=says, va="center_baseline", fontsize=9, **inside)
        colour = INK if right else ORANGE
        axes.text(1.06, y - 0.14, shorten(names[int(label)], 14), va="center_baseline", fontsize=9, color=colour)
        axes.text(0, y + 0.27, _standing_out(features, inputs[y], raw[y]), va="center", fontsize=8, color=MUTED)
    return figure


def _standing_out(features: Features, encoded: Tensor, raw: Any) -> str:
    """Name the features furthest from the training split's mean, in the reader's units: three, or what fits a line."""
    words: list[str] = []
    for i in encoded.abs().argsort(descending=True, stable=True)[:3].tolist():
        word = f"{shorten(features.names[i], 20)} {float(raw[i]):.4g}".replace("-", "−")
        if words and display_width("   ".join([*words, word])) > 74:
            break
        words.append(word)
    return "   ".join(words)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share < 0.995 or share == 1 else "> 99 %"


def draw_predicted(
    spec: RegressionSpec | ProbabilisticRegressionSpec,
    batch: Batch,
    output: Tensor,
    panels: Sequence[str] = ("against-truth", "left-over"),
) -> "Figure":
    """Draw predicted against true values and what is left over, side by side, one row of panels a target.

    Where the task has deviations, each point has its 95 % interval, orange where that misses the truth.

    Args:
        spec: the task.
        batch: standardised targets `[batch, targets]`.
        output: the model's, `[batch, targets]`, or `[batch, 2 * targets]` where it gives deviations.
        panels: which panels, of `against-truth` and `left-over`.
    """
    true = in_own_unit(batch.targets, spec.target_mean, spec.target_deviation)
    deviation: Tensor | None = None
    if isinstance(spec, ProbabilisticRegressionSpec):
        predicted, deviation = spec.in_own_unit(output)
    else:
        predicted = in_own_unit(output, spec.target_mean, spec.target_deviation)
    targets = min(MAX_TARGETS, len(spec.target_names))
    draw = {"against-truth": _predicted_against_true, "left-over": _left_over}
    with style():
        figure = new_figure(WIDTH * len(panels), 3.5 * targets)
        grid = figure.subplots(targets, len(panels), squeeze=False)
        for k, row in enumerate(grid):
            spread = None if deviation is None else deviation[:, k]
            for axes, panel in zip(row, panels, strict=True):
                draw[panel](axes, shorten(spec.target_names[k], 26), true[:, k], predicted[:, k], spread)
                thousands(axes.xaxis)
                thousands(axes.yaxis)
    return figure


def _predicted_against_true(axes: "Axes", name: str, true: Tensor, predicted: Tensor, deviation: Tensor | None) -> None:
    low, high = float(torch.minimum(true, predicted).min()), float(torch.maximum(true, predicted).max())
    axes.axline((low, low), (high, high) if high > low else (low + 1, low + 1), color=MUTED, linewidth=1, zorder=1)
    _points(axes, true, predicted, predicted - true, deviation)
    axes.set_xlabel(f"true {name}")
    axes.set_ylabel(f"predicted {name}")
    axes.set_title("Predicted against true" if deviation is None else "Predicted, with 95 % intervals")


def _left_over(axes: "Axes", name: str, true: Tensor, predicted: Tensor, deviation: Tensor | None) -> None:
    error = predicted - true
    axes.axhline(0, color=MUTED, linewidth=1, zorder=1)
    _points(axes, predicted, error, error, deviation)
    axes.set_xlabel(f"predicted {name}")
    axes.set_ylabel("predicted − true")
    missed = 0 if deviation is None else int((error.abs() > INTERVAL * deviation).sum())
    axes.set_title(f"What is left over: {missed} of {len(true)} miss" if missed else "What is left over")


def _points(axes: "Axes", x: Tensor, y: Tensor, error: Tensor, deviation: Tensor | None) -> None:
    """Draw points, with 95 % intervals where there is a deviation; orange where the interval misses the truth."""
    alpha = min(1.0, max(0.15, 6 / math.sqrt(len(x)))) if len(x) else 1.0
    if deviation is None:
        axes.scatter(x.numpy(), y.numpy(), s=20, color=BLUE, alpha=alpha, linewidths=0, zorder=3)
        return
    half = INTERVAL * deviation
    missed = error.abs() > half
    for chosen, colour in ((~missed, BLUE), (missed, ORANGE)):
        if chosen.any():
            axes.errorbar(
                x[chosen].numpy(),
                y[chosen].numpy(),
                yerr=half[chosen].numpy(),
                fmt="o",
                markersize=3.5,
                elinewidth=0.9,
                color=colour,
                alpha=alpha,
                zorder=3,
            )
