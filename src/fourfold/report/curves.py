"""How training went: loss, the headline metric, and the learning rate, over steps.

Checked by: lines read back from the figure; a log axis only where values span it.
"""

import math
from typing import TYPE_CHECKING

from fourfold.records.points import Point
from fourfold.report.drawing import Drawn
from fourfold.tasks.figure import BLUE, GREEN, MUTED, ORANGE, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOG_SPAN = 20.0  # a loss that falls further than this is drawn on a logarithmic axis
Curve = list[tuple[int, float]]


def draw_curves(points: list[Point], headline: str, expected: float | None = None) -> list[Drawn]:
    """Draw what the points hold: loss, headline, learning rate; a curve of one point or none is left out.

    Args:
        points: every point of the run.
        headline: the deciding metric, such as `accuracy`.
        expected: the headline that was expected, drawn as a dashed line.
    """
    curves = collect(points)
    drawn = []
    losses = {split: curves.get(f"{split}.loss", []) for split in ("train", "validation")}
    if any(len(curve) > 1 for curve in losses.values()):
        drawn.append(_loss(losses))
    if len(score := curves.get(f"validation.{headline}", [])) > 1 and headline != "loss":
        drawn.append(_headline(score, headline, expected))
    if len(rate := curves.get("train.lr", [])) > 1 and len({value for _, value in rate}) > 1:
        drawn.append(_rate(rate))
    return drawn


def collect(points: list[Point]) -> dict[str, Curve]:
    """Return each metric's finite points in step order; of two at one step the later counts."""
    found: dict[str, dict[int, float]] = {}
    for point in points:
        if math.isfinite(point.value):
            found.setdefault(point.name, {})[point.step] = point.value
    return {name: sorted(curve.items()) for name, curve in found.items()}


def _loss(losses: dict[str, Curve]) -> Drawn:
    values = [value for curve in losses.values() for _, value in curve]
    with style():
        figure = new_figure(4.7, 3.0)
        axes = figure.subplots()
        for (split, curve), colour in zip(losses.items(), (BLUE, ORANGE), strict=True):
            if curve:
                _line(axes, curve, colour, split)
        if min(values) > 0 and max(values) / min(values) > LOG_SPAN:
            axes.set_yscale("log")
            axes.grid(False, which="minor")
        axes.set_title("Loss")
        axes.set_xlabel("step")
        axes.legend(loc="upper right")
    last = {split: curve[-1][1] for split, curve in losses.items() if curve}
    return Drawn("loss", figure, "Ends at " + ", ".join(f"{v:.4g} ({split})" for split, v in last.items()) + ".")


def _headline(score: Curve, headline: str, expected: float | None) -> Drawn:
    with style():
        figure = new_figure(4.7, 3.0)
        axes = figure.subplots()
        _line(axes, score, ORANGE, "validation")
        if expected is not None:
            axes.axhline(expected, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="expected")
            axes.legend(loc="best")
        axes.set_title(f"{headline.replace('_', ' ')} on the validation split")
        axes.set_xlabel("step")
    return Drawn("headline", figure, f"From {score[0][1]:.4g} at step {score[0][0]} to {score[-1][1]:.4g} at the end.")


def _rate(rate: Curve) -> Drawn:
    with style():
        figure = new_figure(4.7, 1.7)
        axes = figure.subplots()
        _line(axes, rate, GREEN, "lr")
        axes.set_ylim(bottom=0)
        axes.set_title("Learning rate")
        axes.set_xlabel("step")
    return Drawn("learning-rate", figure, f"At most {max(value for _, value in rate):.3g}.")


def _line(axes: "Axes", curve: Curve, colour: str, label: str) -> None:
    steps, values = zip(*curve, strict=True)
    axes.plot(steps, values, color=colour, label=label, marker="o" if len(curve) < 4 else "", markersize=3)
