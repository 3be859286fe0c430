"""Gradients and steps drawn: size by layer, over a training, and how far an optimizer really moves.

Checked by: points read back from the figures.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fourfold.report.drawing import Drawn
from fourfold.report.numbers import number
from fourfold.report.race import logarithmic
from fourfold.study.gradients import Trace
from fourfold.tasks.figure import SERIES, WIDTH, new_figure, shorten, style, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LEAST = 1e-30  # what a size of zero is drawn as: below the chart


def draw_layers(norms: Mapping[str, Mapping[str, float]]) -> Drawn:
    """Draw the size of the gradient by layer, a line a network.

    Args:
        norms: by network (an activation, say), what `study.gradients.gradient_norms` returns; layers are counted from
            the input, whatever they are called.
    """
    with style():
        figure = new_figure(WIDTH, 3.4)
        axes = figure.subplots()
        for i, (name, each) in enumerate(norms.items()):
            places = np.arange(1, len(each) + 1)
            sizes = np.clip(np.array(list(each.values())), LEAST, None)
            axes.plot(places, sizes, color=SERIES[i % len(SERIES)], marker="o", markersize=4, label=shorten(name, 20))
        _finish(axes, "Size of the gradient by layer", "layer, from the input")
        axes.set_xticks(range(1, max(map(len, norms.values())) + 1))
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, columnspacing=1.2)
    shares = [(name, list(each.values())) for name, each in norms.items()]
    told = ", ".join(f"{number(sizes[0] / sizes[-1])} ({name})" for name, sizes in shares if sizes[-1] > 0)
    return Drawn("layers", figure, f"First layer's gradient over the last one's: {told}.")


def draw_layers_over_time(trace: Trace) -> Drawn:
    """Draw the size of the gradient in each layer over a training."""
    with style():
        figure = new_figure(WIDTH, 3.4)
        axes = figure.subplots()
        for i, (name, sizes) in enumerate(trace.layer_gradients.items()):
            _line(axes, sizes.numpy(), i, shorten(name, 20))
        _finish(axes, "Size of the gradient by layer", "step")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=3, columnspacing=1.2)
    return Drawn("layers-over-time", figure, "How large the gradient of each layer's parameters is, step by step.")


def draw_steps(traces: Mapping[str, Trace]) -> Drawn:
    """Draw how far each optimizer's steps go, by its name."""
    with style():
        figure = new_figure(WIDTH, 3.4)
        axes = figure.subplots()
        for i, (name, trace) in enumerate(traces.items()):
            _line(axes, trace.step_sizes.numpy(), i, name)
        _finish(axes, "Size of the step", "step")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, columnspacing=1.2)
    return Drawn("steps", figure, "How far all parameters together move in each step.")


def draw_effective_rates(traces: Mapping[str, Trace]) -> Drawn:
    """Draw the learning rate that plain descent would need to go as far, by optimizer."""
    with style():
        figure = new_figure(WIDTH, 3.4)
        axes = figure.subplots()
        for i, (name, trace) in enumerate(traces.items()):
            _line(axes, trace.effective_rates.numpy(), i, name)
        _finish(axes, "Effective learning rate", "step")
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, columnspacing=1.2)
    return Drawn("effective-rates", figure, "Size of the step over size of the gradient, step by step.")


def _line(axes: "Axes", sizes: np.ndarray, index: int, label: str) -> None:
    places = np.arange(1, len(sizes) + 1)
    axes.plot(places, np.clip(sizes, LEAST, None), color=SERIES[index % len(SERIES)], linewidth=1.3, label=label)


def _finish(axes: "Axes", title: str, along: str) -> None:
    logarithmic(axes, 10 * LEAST, 1 / LEAST)
    thousands(axes.xaxis)
    axes.set_title(title)
    axes.set_xlabel(along)
