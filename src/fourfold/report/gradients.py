"""Gradients and steps drawn: size by layer, over a training, and how far an optimizer really moves.

Checked by: points read back from the figures.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from torch import Tensor

from fourfold.report.drawing import Drawn
from fourfold.report.numbers import number
from fourfold.report.race import logarithmic
from fourfold.report.study_axes import legend_below
from fourfold.report.study_words import fit
from fourfold.study.gradients import Trace
from fourfold.tasks.figure import SERIES, WIDTH, new_figure, style, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST = 1e-30  # what a size of zero is drawn as: below the chart
MOST_LAYERS = 8  # that are told apart by colour
NOISY = 80  # steps from which a line is drawn with its running mean


def draw_layers(norms: Mapping[str, Mapping[str, float]]) -> Drawn:
    """Draw the size of the gradient by layer, a line a network.

    Args:
        norms: by network (an activation, say), what `study.gradients.gradient_norms` returns; layers are counted from
            the input, whatever they are called.
    """
    with style():
        figure = new_figure(WIDTH, 3.0)
        axes = figure.subplots()
        for i, (name, each) in enumerate(norms.items()):
            places = np.arange(1, len(each) + 1)
            sizes = np.clip(np.array(list(each.values())), LEAST, None)
            axes.plot(places, sizes, color=SERIES[i % len(SERIES)], marker="o", markersize=4, label=name)
        _finish(axes, "Size of the gradient by layer", "layer, from the input")
        axes.set_xticks(range(1, max(map(len, norms.values())) + 1))
        legend_below(figure, axes)
    shares = [(name, list(each.values())) for name, each in norms.items()]
    told = ", ".join(f"{number(sizes[0] / sizes[-1])} ({name})" for name, sizes in shares if sizes[-1] > 0)
    return Drawn("layers", figure, f"First layer's gradient over the last one's: {told}.")


def draw_layers_over_time(trace: Trace, run: str | None, suffix: str) -> Drawn:
    """Draw the size of the gradient in each layer over a training; of many layers some from first to last.

    Args:
        trace: of one run.
        run: its name, where several are drawn.
        suffix: of the figure's name.
    """
    names = list(trace.layer_gradients)
    if len(names) > MOST_LAYERS:
        names = [names[round(i * (len(names) - 1) / (MOST_LAYERS - 1))] for i in range(MOST_LAYERS)]
    caption = "How large the gradient of each layer's parameters is, step by step"
    caption += (
        f"; {len(names)} of {len(trace.layer_gradients)} layers." if len(trace.layer_gradients) > len(names) else "."
    )
    series = {name: trace.layer_gradients[name] for name in names}
    return _over_time(
        f"layers-over-time{suffix}", f"Gradient by layer{f', {fit(run, 30)}' if run else ''}", caption, series
    )


def draw_steps(traces: Mapping[str, Trace]) -> Drawn:
    """Draw how far each run's steps go, by its name."""
    caption = "How far all parameters together move in each step."
    return _over_time("steps", "Size of the step", caption, {name: each.step_sizes for name, each in traces.items()})


def draw_effective_rates(traces: Mapping[str, Trace]) -> Drawn:
    """Draw the learning rate that plain descent would need to go as far, by run."""
    caption = "Size of the step over size of the gradient: the learning rate with which plain descent would go as far."
    series = {name: each.effective_rates for name, each in traces.items()}
    return _over_time("effective-rates", "Effective learning rate", caption, series)


def _over_time(name: str, title: str, caption: str, series: Mapping[str, Tensor]) -> Drawn:
    """Draw one line a series, a value a step; faint where there are many, with its running mean over it."""
    with style():
        figure = new_figure(WIDTH, 3.0)
        axes = figure.subplots()
        for i, (label, values) in enumerate(series.items()):
            sizes, colour = np.clip(values.numpy(), LEAST, None), SERIES[i % len(SERIES)]
            places, noisy = np.arange(1, len(sizes) + 1), len(sizes) > NOISY
            axes.plot(
                places, sizes, color=colour, linewidth=1.3, alpha=0.3 if noisy else 1, label="" if noisy else label
            )
            if noisy:
                axes.plot(places, _smooth(sizes), color=colour, linewidth=1.6, label=label)
        _finish(axes, title, "step")
        legend_below(figure, axes)
    noted = (
        " Faint: each step; strong: the mean around it." if any(len(each) > NOISY for each in series.values()) else ""
    )
    return Drawn(name, figure, caption + noted)


def _smooth(sizes: np.ndarray) -> np.ndarray:
    """Return the geometric mean of the steps around each, as the axis is logarithmic; fewer at the ends."""
    reach = len(sizes) // 40
    sums = np.concatenate([[0.0], np.cumsum(np.log(sizes))])
    low = np.maximum(np.arange(len(sizes)) - reach, 0)
    high = np.minimum(np.arange(len(sizes)) + reach + 1, len(sizes))
    return np.exp((sums[high] - sums[low]) / (high - low))


def _finish(axes: "Axes", title: str, along: str) -> None:
    logarithmic(axes, 10 * LEAST, 1 / LEAST)
    thousands(axes.xaxis)
    axes.set_title(title)
    axes.set_xlabel(along)
