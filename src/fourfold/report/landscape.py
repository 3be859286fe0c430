"""The loss around a trained network, drawn: contours, a surface, and the page with both.

Where the losses of a plane span more than a factor of 20 they are drawn on a logarithmic scale.

Checked by: contour lines lie at the losses they name; the star is where the weights are; the page loads nothing.
"""

import math
from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from fourfold.report.document import to_document
from fourfold.report.drawing import Drawn
from fourfold.report.elements import copyable, figures, footer, pairs, tile
from fourfold.report.numbers import number
from fourfold.study.landscape import PathPlane, Plane
from fourfold.tasks.figure import BLUE, FAINT, INK, MUTED, ORANGE, PAPER, WIDTH, new_figure, rgb, style

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


def landscape_page(
    title: str,
    drawn: Sequence[Drawn],
    tiles: Sequence[tuple[str, str]],
    facts: Sequence[tuple[str, str]],
    command: str,
    version: str,
) -> str:
    """Return the page.

    Args:
        title: the run's name.
        drawn: the figures.
        tiles: numbers and what they are.
        facts: words and values on how it was made.
        command: what makes it again.
        version: Fourfold's.
    """
    boxes = "".join(tile(value, words) for value, words in tiles)
    made = (
        "<p>Two random directions, each of a network's filters as long as the trained one's; 1 is as far as the "
        "weights are from zero. Biases stay. The loss is without what regularizers add. "
        "(Li et al. 2018, Visualizing the Loss Landscape of Neural Nets.)</p>"
    )
    body = [
        f'<header><span class="kind">loss landscape</span><h1>{escape(title)}</h1></header>',
        f'<section class="tiles">{boxes}</section>',
        figures("The loss around it", "landscape-figures", drawn),
        f'<section><h2>How it was made</h2><div class="card stack">{made}<dl>{pairs(facts)}</dl></div></section>',
        f"<section><h2>Do it again</h2>{copyable('again', command, 'wrap')}</section>",
        footer(version),
    ]
    return to_document(f"{title} · loss landscape · Fourfold", body)
