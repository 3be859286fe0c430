"""Predictions of numbers, one by one: where the model said and where the truth was.

Checked by: positions of the dots read back from the figure.
"""

from typing import TYPE_CHECKING

import torch

from fourfold.report.drawing import Drawn
from fourfold.report.numbers import number
from fourfold.report.predictions import Predictions
from fourfold.tasks.drawing import draw_predicted
from fourfold.tasks.figure import BLUE, INK, MUTED, ORANGE, WIDTH, new_figure, shorten, style, thousands
from fourfold.tasks.probabilistic_regression import INTERVAL, ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec, in_own_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 2000
NumberSpec = RegressionSpec | ProbabilisticRegressionSpec


def draw_against_truth(spec: NumberSpec, predictions: Predictions) -> list[Drawn]:
    """Draw predicted against true values, and what is left over, for a whole split or an even sample of it."""
    count = len(predictions)
    chosen = torch.linspace(0, count - 1, min(count, MOST_POINTS)).round().long().tolist()
    batch, output, _ = predictions.choose(chosen)
    shown = f"All {count:,}" if len(chosen) == count else f"{len(chosen):,} of the {count:,}"
    says = {
        "against-truth": f"{shown} {predictions.split} examples; on the line, a prediction is exact.",
        "left-over": "Errors by what was predicted; a slope or a fan would be something still to learn.",
    }
    return [Drawn(panel, draw_predicted(spec, batch, output, [panel]), words) for panel, words in says.items()]


def draw_numbers(name: str, title: str, spec: NumberSpec, predictions: Predictions, indices: list[int]) -> Drawn:
    """Draw a few examples, a line each: a ring for the truth, a dot for the prediction and its 95 % interval.

    Args:
        name: the figure's name.
        title: above the figure.
        spec: the task; of several targets, the first is drawn.
        predictions: a whole split.
        indices: which members.
    """
    batch, output, _ = predictions.choose(indices)
    deviation = None
    if isinstance(spec, ProbabilisticRegressionSpec):
        predicted, deviation = spec.in_own_unit(output)
    else:
        predicted = in_own_unit(output, spec.target_mean, spec.target_deviation)
    true = in_own_unit(batch.targets, spec.target_mean, spec.target_deviation)
    with style():
        figure = new_figure(WIDTH, 0.29 * len(indices) + 1.0)
        axes = figure.subplots()
        for y, (t, p) in enumerate(zip(true[:, 0].tolist(), predicted[:, 0].tolist(), strict=True)):
            half = INTERVAL * float(deviation[y, 0]) if deviation is not None else 0.0
            missed = deviation is not None and abs(p - t) > half
            _example(axes, y, t, p, half, ORANGE if missed else BLUE)
        axes.set_yticks(range(len(indices)), [f"{i + 1:,}" for i in indices])
        axes.set_ylim(len(indices) - 0.4, -0.6)
        axes.grid(False, axis="y")
        axes.set_title(title)
        axes.set_xlabel(shorten(spec.target_names[0], 40))
        axes.set_ylabel(f"{predictions.split} example, its number")
        thousands(axes.xaxis)
    worst = float((predicted - true)[:, 0].abs().max())
    interval = ", bar: 95 % interval" if deviation is not None else ""
    return Drawn(
        name, figure, f"{title}. Ring: the truth, dot: the prediction{interval}. Off by {number(worst)} at most."
    )


def _example(axes: "Axes", y: int, true: float, predicted: float, half: float, colour: str) -> None:
    if half:
        axes.plot([predicted - half, predicted + half], [y, y], color=colour, linewidth=5, alpha=0.25)
    axes.plot([true, predicted], [y, y], color=MUTED, linewidth=1)
    axes.plot([predicted], [y], "o", color=colour, markersize=5)
    axes.plot([true], [y], "o", markersize=6.5, markerfacecolor="none", markeredgecolor=INK, markeredgewidth=1.2)
