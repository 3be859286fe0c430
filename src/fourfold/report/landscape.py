"""The loss around a trained network and between two, drawn: contours, a surface, a line.

Where the losses of a plane span more than a factor of 20 they are drawn on a logarithmic scale.

Checked by: contour lines lie at the losses they name; the star is where the weights are.
"""

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from torch import Tensor

from fourfold.report.drawing import Drawn
from fourfold.report.numbers import number
from fourfold.report.study_axes import log_axis
from fourfold.report.study_words import fit
from fourfold.study.landscape import PathPlane, Plane
from fourfold.tasks.figure import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, WIDTH, new_figure, rgb, style, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SPAN = 20.0
LEVELS = 12  # contour lines
LABELLED = 2  # each second line has its loss written on it


def draw_landscape(plane: Plane, loss: str) -> list[Drawn]:
    """Draw a plane as contours and as a surface.

    Args:
        plane: the losses.
        loss: the loss's name for reading, with its unit.
    """
    return [_contours(plane, loss), _surface(plane, loss)]


def draw_path(plane: Plane, path: PathPlane, loss: str) -> Drawn:
    """Draw the way a training took, on the plane that holds most of it.

    Args:
        plane: losses on `path`'s plane.
        path: where the training went.
        loss: the loss's name for reading, with its unit.
    """
    places = path.places.numpy()
    shares = [f"{100 * share:.0f} %" for share in path.explained]
    with style():
        figure = new_figure(1.12 * WIDTH, 4.2)
        axes = figure.subplots()
        _lines(axes, plane)
        axes.plot(places[:, 0], places[:, 1], color=ORANGE, linewidth=1.6, marker=".", markersize=6, zorder=4)
        axes.plot(*places[0], "o", markersize=7, color=PAPER, markeredgecolor=INK, markeredgewidth=1.4, zorder=5)
        axes.plot(*places[-1], "*", markersize=13, color=INK, markeredgecolor=PAPER, zorder=5)
        axes.set_title("The way there")
        axes.set_xlabel(f"first direction ({shares[0]} of the way's variance)")
        axes.set_ylabel(f"second direction ({shares[1]})")
    says = f"From the circle to the star, on the plane that holds most of the way; lines of equal {loss}."
    return Drawn("path", figure, says)


def is_logarithmic(losses: Any) -> bool:
    """Return whether finite losses span more than a factor of `SPAN`; never where one is not above zero."""
    known = losses[np.isfinite(losses)]
    return bool(len(known)) and known.min() > 0 and known.max() / known.min() > SPAN


def levels(losses: Any) -> list[float]:
    """Return the losses at which contour lines are drawn, evenly or geometrically spaced; none where all are equal."""
    known = losses[np.isfinite(losses)]
    if not len(known) or known.max() - known.min() <= 1e-9 * max(1.0, abs(float(known.max()))):
        return []
    if is_logarithmic(losses):
        places = np.geomspace(known.min(), known.max(), LEVELS + 2)
    else:
        places = np.linspace(known.min(), known.max(), LEVELS + 2)
    return [float(f"{place:.2g}" if is_logarithmic(losses) else f"{place:.3g}") for place in places[1:-1]]


def _contours(plane: Plane, loss: str) -> Drawn:
    losses = plane.losses.numpy()
    with style():
        figure = new_figure(1.12 * WIDTH, 4.6)
        axes = figure.subplots()
        axes.set_aspect("equal")
        _lines(axes, plane)
        axes.plot(0, 0, "*", markersize=13, color=INK, markeredgecolor=PAPER, zorder=5)
        axes.set_title("Loss around the trained weights")
        axes.set_xlabel("first direction")
        axes.set_ylabel("second direction")
    known = losses[np.isfinite(losses)]
    worst = number(float(known.max())) if len(known) else "no number"
    says = f"Lines of equal {loss}; the star is the trained network, at {number(plane.centre)}; at most {worst}."
    return Drawn("landscape", figure, says)


def _lines(axes: "Axes", plane: Plane) -> None:
    """Draw lines of equal loss, darker where it is lower."""
    losses = np.where(np.isfinite(plane.losses.numpy()), plane.losses.numpy(), np.nan)
    xs, ys, lines = plane.alphas.numpy(), plane.betas.numpy(), sorted(set(levels(losses)))
    axes.grid(False)
    if not lines:
        return
    lowest = float(np.nanmin(losses)) - 1
    for line in lines:  # each lies on those before, which leaves no seams as rings side by side would
        axes.contourf(xs, ys, losses, levels=[lowest, line], colors=[BLUE], alpha=0.045)
    drawn = axes.contour(xs, ys, losses, levels=lines, colors=[BLUE], linewidths=0.8, linestyles="solid")
    axes.clabel(drawn, lines[::LABELLED], fontsize=7.5, colors=[INK], fmt=lambda value: f"{value:g}")


def _surface(plane: Plane, loss: str) -> Drawn:
    from matplotlib.ticker import MultipleLocator

    losses = plane.losses.numpy()
    logarithmic = is_logarithmic(losses)
    heights = np.log10(losses, where=losses > 0, out=np.full_like(losses, np.nan)) if logarithmic else losses.copy()
    heights[~np.isfinite(heights)] = np.nan
    xs, ys = np.meshgrid(plane.alphas.numpy(), plane.betas.numpy())
    with style():
        figure = new_figure(1.12 * WIDTH, 4.6)
        axes: Any = figure.add_subplot(projection="3d", computed_zorder=False)
        _quiet(axes)
        if np.isfinite(heights).any():
            axes.plot_surface(
                xs, ys, heights, facecolors=_colours(heights), rstride=1, cstride=1, linewidth=0.15, edgecolor=PAPER,
                antialiased=True, shade=False, rasterized=True, zorder=1,
            )  # fmt: skip
            middle = math.log10(plane.centre) if logarithmic else plane.centre
            axes.plot([0], [0], [middle], "*", markersize=13, color=INK, markeredgecolor=PAPER, zorder=5)
        if logarithmic:
            axes.zaxis.set_major_locator(MultipleLocator(1))
            axes.zaxis.set_major_formatter(lambda value, _: f"{10**value:g}")
        axes.zaxis.set_tick_params(pad=5)
        for axis, places in ((axes.xaxis, plane.alphas), (axes.yaxis, plane.betas)):
            axis.set_ticks([float(places[0]), 0.0, float(places[-1])])
        axes.view_init(elev=32, azim=-58)
        axes.set_box_aspect((1, 1, 0.75), zoom=0.92)
        axes.set_title("The same as a surface", loc="left")
    scale = ", logarithmic" if logarithmic else ""
    return Drawn("landscape-3d", figure, f"Height is {loss}{scale}; the star is the trained network.")


def _quiet(axes: Any) -> None:
    """Leave of a three-dimensional box its grid and its numbers."""
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.set_pane_color((1, 1, 1, 0))
        axis.line.set_color(MUTED)
        axis._axinfo["grid"].update(color=FAINT, linewidth=0.8)
        axis.set_tick_params(pad=1, labelsize=8)


def _colours(heights: Any) -> Any:
    """Return a colour for each point, `[rows, columns, 4]`: blue where it is low, pale where it is high."""
    low, high = float(np.nanmin(heights)), float(np.nanmax(heights))
    share = ((heights - low) / max(high - low, 1e-12))[..., None]
    pale = 0.12 * np.array(rgb(BLUE)) + 0.88
    colours = (1 - share) * np.array(rgb(BLUE)) + share * pale
    return np.concatenate([np.nan_to_num(colours, nan=1.0), np.isfinite(share).astype(float)], axis=2)


def draw_line(losses: Tensor, alphas: Tensor, names: tuple[str, str], loss: str) -> Drawn:
    """Draw the loss along the line from one network to another.

    Args:
        losses: `[alphas]`.
        alphas: `[alphas]`, 0 and 1 among them.
        names: of the networks.
        loss: the loss's name for reading, with its unit.
    """
    values = np.where(np.isfinite(losses.numpy()), losses.numpy(), np.nan)
    ends = [float(losses[alphas == at]) for at in (0, 1)]
    with style():
        figure = new_figure(1.12 * WIDTH, 3.2)
        axes = figure.subplots()
        axes.plot(alphas.numpy(), values, color=BLUE)
        axes.plot([0, 1], ends, "*", markersize=12, color=INK, markeredgecolor=PAPER, zorder=5)
        if is_logarithmic(losses.numpy()):
            log_axis(axes, "y", float(np.nanmin(values)), float(np.nanmax(values)))
        else:
            thousands(axes.yaxis)
        axes.set_title("Loss on the line between them")
        axes.set_xlabel(f"0 is {fit(names[0], 22)}, 1 is {fit(names[1], 22)}")
        axes.set_ylabel(loss)
    says = f"Stars: the trained networks, at {number(ends[0])} and {number(ends[1])}; between them weights are mixed."
    return Drawn("line", figure, says)


PLANE = (
    "Two random directions, each of a network's filters as long as the trained one's; 1 is as far as the weights are "
    "from zero. Biases stay. The loss is without what regularizers add. "
    "(Li et al. 2018, Visualizing the Loss Landscape of Neural Nets.)"
)
LINE = (
    "Every weight is mixed, (1 - a) of the first network's and a of the second's, and running statistics alike. Where "
    "the two began from different weights their units do not correspond, so a rise between them says little of whether "
    "a curved way around it exists. The loss is without what regularizers add. "
    "(Goodfellow, Vinyals and Saxe 2015, Qualitatively characterizing neural network optimization problems.)"
)
