"""How training went: loss, the headline metric, and the learning rate, over steps.

Checked by: lines read back from the figure; a log axis only where values span it.
"""

import math
from typing import TYPE_CHECKING

from fourfold.records.points import Point
from fourfold.report.drawing import Drawn
from fourfold.report.numbers import SHARES, metric, number, quantity
from fourfold.tasks.figure import BLUE, GREEN, MUTED, ORANGE, WIDTH, new_figure, style, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOG_SPAN = 20.0  # a loss that falls further than this is drawn on a logarithmic axis
Curve = list[tuple[int, float]]


def draw_curves(points: list[Point], headline: str, expected: float | None = None, loss: str = "loss") -> list[Drawn]:
    """Draw what the points hold: loss, headline, learning rate; a curve of one point or none is left out.

    Args:
        points: every point of the run.
        headline: the deciding metric, such as `accuracy`.
        expected: the headline that was expected on the test split, drawn as a dashed line that says so.
        loss: the loss's name in the recipe.
    """
    curves = collect(points)
    drawn = []
    losses = {split: curves.get(f"{split}.loss", []) for split in ("train", "validation")}
    if any(len(curve) > 1 for curve in losses.values()):
        drawn.append(_loss(losses, loss, curves.get("train.main", []) if "train.auxiliary" in curves else []))
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


def _loss(losses: dict[str, Curve], name: str, main: Curve) -> Drawn:
    """Draw the loss of each split; `main` is the training loss's share of the main output, where others have one."""
    values = [value for curve in losses.values() for _, value in curve]
    with style():
        figure = new_figure(WIDTH, 3.0)
        axes = figure.subplots()
        for (split, curve), colour in zip(losses.items(), (BLUE, ORANGE), strict=True):
            if curve:
                _line(axes, curve, colour, "train, with auxiliary outputs" if main and split == "train" else split)
        if min(values) > 0 and max(values) / min(values) > LOG_SPAN:
            axes.set_yscale("log")
            axes.grid(False, which="minor")
        else:
            thousands(axes.yaxis)
        axes.set_title("Loss")
        axes.set_xlabel("step")
        axes.set_ylabel(quantity(name))
        _legend_above(axes)
    last = {split: curve[-1][1] for split, curve in losses.items() if curve}
    says = "Loss ends at " + ", ".join(f"{number(v)} ({split})" for split, v in last.items()) + "."
    if main:
        says += " In training it has the auxiliary outputs' losses in it; the main output's alone ends at "
        says += f"{number(main[-1][1])}, which compares with validation."
    return Drawn("loss", figure, says)


def _headline(score: Curve, headline: str, expected: float | None) -> Drawn:
    plain = headline.replace("_", " ")
    with style():
        figure = new_figure(WIDTH, 3.0)
        axes = figure.subplots()
        scale = 100 if headline in SHARES else 1
        _line(axes, [(step, scale * value) for step, value in score], ORANGE, "_validation")  # the title says so
        if expected is not None:
            label = f"expected test {plain}"  # the curve is another split's
            axes.axhline(scale * expected, color=MUTED, linewidth=1.2, linestyle=(0, (4, 3)), label=label)
            _legend_above(axes)
        thousands(axes.yaxis)
        axes.set_title(f"Validation {plain}")
        axes.set_xlabel("step")
        axes.set_ylabel(quantity(headline))
    (start, first), (_, last) = score[0], score[-1]
    says = f"Validation {plain}: {metric(headline, first)} at step {start:,}, {metric(headline, last)} at the end."
    return Drawn("headline", figure, says)


def _rate(rate: Curve) -> Drawn:
    with style():
        figure = new_figure(WIDTH, 1.9)
        axes = figure.subplots()
        _line(axes, rate, GREEN, "lr")
        axes.set_ylim(bottom=0)
        axes.set_title("Learning rate")
        axes.set_xlabel("step")
        axes.set_ylabel("lr")
    highest = max(value for _, value in rate)  # the schedule's own peak may lie between two of the steps
    says = f"Learning rate: at most {highest:.3g} at the steps logged, {rate[-1][1]:.3g} at the end."
    return Drawn("learning-rate", figure, says)


def _line(axes: "Axes", curve: Curve, colour: str, label: str) -> None:
    steps, values = zip(*curve, strict=True)
    axes.plot(steps, values, color=colour, label=label, marker="o" if len(curve) < 4 else "", markersize=3)
    thousands(axes.xaxis)


def _legend_above(axes: "Axes") -> None:
    """Put the legend to the right of the title, where no curve can run through it."""
    axes.legend(loc="lower right", bbox_to_anchor=(1.02, 1.0), borderaxespad=0.1, ncols=2, columnspacing=1.2)
