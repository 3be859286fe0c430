"""A race drawn: paths on the surface's contours, height by step, and size of the steps.

A path that goes far away is drawn to the edge of the picture and said to have left it.

Checked by: paths read back from the figure; contour lines lie at their heights; who is said to have left.
"""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from fourfold.report.drawing import Drawn
from fourfold.report.numbers import number
from fourfold.study.paths import step_sizes
from fourfold.study.race import Path
from fourfold.study.surfaces import Surface
from fourfold.tasks.figure import INK, MUTED, PAPER, SERIES, WIDTH, new_figure, style, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

POINTS = 320  # of a contour grid, along each side
QUANTILES = (0.006, 0.018, 0.04, 0.08, 0.14, 0.22, 0.32, 0.44, 0.58, 0.72, 0.86)  # of the picture, below each line
FAR = 4.0  # picture widths from the middle beyond which a path is drawn no further
DRAWN = (1e-300, 1e150)  # a logarithmic axis has no 0, and matplotlib no room beside the largest of all numbers
FLOOR = 1e-7  # of the start's height; what is lower is below the chart
_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
MARKED = 130  # steps up to which each is a dot


def colour(index: int) -> str:
    """Return a racer's colour; the palette begins again after ten."""
    return SERIES[index % len(SERIES)]


def width(index: int) -> float:
    """Return a path's line width; later ones are thinner, and leave those they cover to be seen on both sides."""
    return max(1.1, 2.2 - 0.18 * index)


def has_left(path: Path, surface: Surface) -> bool:
    """Return whether a path ends outside the picture, or where a number was no longer finite."""
    x, y = path.points[-1].tolist()
    return path.diverged or not surface.window.holds(x, y)


def visible(path: Path, surface: Surface) -> Any:
    """Return a path's points as an array `[points, 2]`, cut off where it is far outside the picture."""
    window = surface.window
    across = window.right - window.left
    middle = np.array([(window.left + window.right) / 2, (window.bottom + window.top) / 2])
    points = path.points.numpy()
    far = np.abs(points - middle).max(axis=1) > FAR * across
    if not far.any():
        return points
    first = int(far.argmax())
    kept = points[: first + 1].copy()
    step = kept[first] - kept[first - 1]  # keeps its direction, and is only as long as can be seen
    kept[first] = kept[first - 1] + step * min(1.0, 2 * FAR * across / float(np.abs(step).max()))
    return kept


def heights(path: Path, surface: Surface) -> Any:
    """Return how high above the deepest minimum a path is at each step, an array `[steps + 1]`."""
    deepest = surface.value(torch.tensor(surface.minima[0], dtype=path.points.dtype))
    return (path.losses - deepest).clamp(min=0).numpy()


def draw_surface(axes: "Axes", surface: Surface) -> None:
    """Draw a surface's contours, darker where it is lower, with its start and critical points."""
    window = surface.window
    xs = torch.linspace(window.left, window.right, POINTS, dtype=torch.float64)
    ys = torch.linspace(window.bottom, window.top, POINTS, dtype=torch.float64)
    values = surface.value(torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1)).numpy()
    passes = surface.value(torch.tensor(surface.saddles, dtype=torch.float64).view(-1, 2)).numpy()
    lines = np.unique(np.concatenate([np.quantile(values, QUANTILES), passes]))  # which part one well from another
    lowest = float(values.min()) - 1.0
    for line in lines:  # each lies on those before, which leaves no seams as rings side by side would
        axes.contourf(xs.numpy(), ys.numpy(), values, levels=[lowest, line], colors=[MUTED], alpha=0.035)
    grid = (xs.numpy(), ys.numpy(), values)
    axes.contour(*grid, levels=lines, colors=[MUTED], linewidths=0.6, linestyles="solid", alpha=0.45)
    axes.grid(False)
    axes.set_aspect("equal")
    axes.set_xlim(window.left, window.right)
    axes.set_ylim(window.bottom, window.top)
    axes.set_xlabel("x")
    axes.set_ylabel("y", rotation=0, labelpad=8)
    for marker, size, name, places in (("*", 11, "minimum", surface.minima), ("X", 7, "saddle", surface.saddles)):
        for i, (x, y) in enumerate(places):
            label = f"_{name}" if i else name
            axes.plot(x, y, marker=marker, markersize=size, color=INK, markeredgecolor=PAPER, linestyle="", label=label)
    axes.plot(*surface.start, "o", markersize=7, color=PAPER, markeredgecolor=INK, markeredgewidth=1.4, label="start")


def draw_paths(surface: Surface, paths: Mapping[str, Path]) -> Drawn:
    """Draw where each racer went."""
    with style():
        figure = new_figure(6.4, 5.6)
        axes = figure.subplots()
        put_paths(axes, surface, paths)
        figure.legend(*_in_order(axes), loc="outside lower center", ncols=4, columnspacing=1.4, handlelength=1.6)
    return Drawn("paths", figure, f"{surface.shows} {_who_left(surface, paths)}".strip())


def put_paths(axes: "Axes", surface: Surface, paths: Mapping[str, Path]) -> None:
    """Draw surface and paths into axes."""
    draw_surface(axes, surface)
    for path in paths.values():
        points = visible(path, surface)
        axes.plot(points[:, 0], points[:, 1], color=PAPER, linewidth=3.6, alpha=0.6, zorder=3)
    for i, (name, path) in enumerate(paths.items()):
        points = visible(path, surface)
        dots = "." if path.steps <= MARKED else ""
        axes.plot(
            points[:, 0],
            points[:, 1],
            color=colour(i),
            linewidth=width(i),
            marker=dots,
            markersize=width(i) + 2,
            label=name,
            zorder=4,
        )
        axes.plot(points[-1, 0], points[-1, 1], "o", color=colour(i), markersize=6.5, markeredgecolor=PAPER, zorder=5)


def _in_order(axes: "Axes") -> tuple[list[Any], list[str]]:
    """Return the legend's entries, racers first."""
    handles, labels = axes.get_legend_handles_labels()
    others = ("start", "minimum", "saddle")
    entries = sorted(zip(handles, labels, strict=True), key=lambda entry: entry[1] in others)
    return [handle for handle, _ in entries], [label for _, label in entries]


def _who_left(surface: Surface, paths: Mapping[str, Path]) -> str:
    gone = [name for name, path in paths.items() if has_left(path, surface)]
    return f"{' and '.join(filter(None, [', '.join(gone[:-1]), gone[-1]]))} left the picture." if gone else ""


def draw_heights(surface: Surface, paths: Mapping[str, Path]) -> Drawn:
    """Draw how high each racer is by step."""
    with style():
        figure = new_figure(WIDTH, 3.6)
        axes = figure.subplots()
        put_heights(axes, surface, paths)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, columnspacing=1.2)
    best = min(paths, key=lambda name: float(heights(paths[name], surface)[-1]))
    low = number(float(heights(paths[best], surface)[-1]))
    return Drawn("heights", figure, f"Height above the deepest minimum; {best} ends lowest, at {low}.")


def put_heights(axes: "Axes", surface: Surface, paths: Mapping[str, Path]) -> None:
    """Draw heights by step into axes."""
    top = max(float(heights(path, surface)[0]) for path in paths.values())
    for i, (name, path) in enumerate(paths.items()):
        height = np.clip(heights(path, surface), *DRAWN)
        axes.plot(np.arange(len(height)), height, color=colour(i), label=name)
    logarithmic(axes, FLOOR * top, 20 * top)
    thousands(axes.xaxis)
    axes.set_title("Height above the deepest minimum")
    axes.set_xlabel("step")


def draw_step_sizes(surface: Surface, paths: Mapping[str, Path]) -> Drawn:
    """Draw how far each step went."""
    with style():
        figure = new_figure(WIDTH, 3.6)
        axes = figure.subplots()
        put_step_sizes(axes, surface, paths)
        figure.legend(*axes.get_legend_handles_labels(), loc="outside lower center", ncols=4, columnspacing=1.2)
    return Drawn("steps", figure, "How far each step really goes, whatever the learning rate is called.")


def put_step_sizes(axes: "Axes", surface: Surface, paths: Mapping[str, Path]) -> None:
    """Draw step sizes by step into axes."""
    sizes = {name: step_sizes(path.points).numpy() for name, path in paths.items()}
    staying = [each for name, each in sizes.items() if not has_left(paths[name], surface)]
    top = max((float(np.median(each)) for each in staying or sizes.values() if len(each)), default=1.0)
    for i, (name, each) in enumerate(sizes.items()):
        axes.plot(np.arange(1, len(each) + 1), np.clip(each, *DRAWN), color=colour(i), label=name)
    logarithmic(axes, 1e-6 * top, 1e3 * top)
    thousands(axes.xaxis)
    axes.set_title("Size of the step")
    axes.set_xlabel("step")


def power_of_ten(value: float) -> str:
    """Return a power of ten as text that needs no mathematics to be set: `10⁻³`."""
    return "10" + str(round(math.log10(value))).translate(_SUPERSCRIPTS) if value > 0 else ""


def logarithmic(axes: "Axes", least: float, most: float) -> None:
    """Make the y axis logarithmic, and have it show no more than from `least` to `most`."""
    from matplotlib.ticker import LogLocator

    shown = np.concatenate([np.asarray(line.get_ydata(), dtype=float) for line in axes.lines])
    shown = shown[(shown >= least) & (shown <= most)]
    axes.set_yscale("log")
    low, high = (0.6 * float(shown.min()), 1.6 * float(shown.max())) if len(shown) else (least, most)
    axes.set_ylim(low, high)
    if high < 100 * low:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    else:
        axes.yaxis.set_major_formatter(lambda value, _: power_of_ten(value))
    axes.minorticks_off()


def draw_still(surface: Surface, paths: Mapping[str, Path], title: str) -> Drawn:
    """Draw paths, heights and step sizes into one figure, for a slide or a document."""
    with style():
        figure = new_figure(10.4, 5.6)
        figure.set_layout_engine("constrained", h_pad=0.1, w_pad=0.08)
        panels = figure.subplot_mosaic([["paths", "heights"], ["paths", "steps"]], width_ratios=[6.3, 4.1])
        put_paths(panels["paths"], surface, paths)
        panels["paths"].set_title(title, fontweight="bold")
        put_heights(panels["heights"], surface, paths)
        put_step_sizes(panels["steps"], surface, paths)
        panels["heights"].set_xlabel("")
        handles, labels = _in_order(panels["paths"])
        gone = {name for name, path in paths.items() if has_left(path, surface)}
        labels = [f"{label} (left the picture)" if label in gone else label for label in labels]
        figure.legend(handles, labels, loc="outside lower center", ncols=5, columnspacing=1.6, handlelength=1.8)
    return Drawn("race", figure, surface.shows)
