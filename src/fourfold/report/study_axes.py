"""What a study's figures share: a legend for long names, logarithmic axes with plain numbers, a word on fairness.

Checked by: figures of long names, which stay inside; the labels of axes that span little and much; every figure of an
unfair study.
"""

import dataclasses
import math
from typing import TYPE_CHECKING, Literal

from fourfold.report.drawing import Drawn
from fourfold.report.study_words import fit
from fourfold.tasks.figure import ORANGE, display_width, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDEST = 44  # Latin letters of a legend's text that a figure of ordinary width has room for
ROW = 0.19  # inches of a line of a legend
HANDLE = 7  # as many that a line and its gaps take


def log_axis(axes: "Axes", which: Literal["x", "y"], low: float, high: float) -> None:
    """Make one axis logarithmic, for values from `low` to `high`, both above 0.

    Labels are numbers as one writes them, and at least two of them whatever the span.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    decades = math.log10(high / low) if high > low else 0.0
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0) if decades < 2 else (1.0, 3.0) if decades < 3 else (1.0,)))
    axis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.0f}" if 1000 <= x < 1e6 else f"{x:g}"))
    axis.set_minor_formatter(NullFormatter())
    axis.grid(False, which="minor")


def legend_below(figure: "Figure", axes: "Axes") -> None:
    """Make a figure higher and put its legend there, where nothing can run through it; one thing alone needs none."""
    handles, labels = axes.get_legend_handles_labels()
    if len(handles) < 2:
        return
    texts = [fit(label, WIDEST) for label in labels]
    widest = max(display_width(text) for text in texts) + HANDLE
    columns = max(1, min(len(texts), (WIDEST + HANDLE) // widest))
    figure.set_figheight(figure.get_figheight() + ROW * math.ceil(len(texts) / columns))
    figure.legend(
        handles,
        texts,
        loc="outside lower left",
        ncols=columns,
        columnspacing=1.2,
        handlelength=1.4,
        borderaxespad=0.2,
        labelspacing=0.35,
    )


def as_unfair(drawn: Drawn) -> Drawn:
    """Return a figure that says on itself, wherever it is pasted, that its comparison is unfair."""
    with style():
        drawn.figure.set_figheight(drawn.figure.get_figheight() + 1.4 * ROW)
        drawn.figure.suptitle("unfair comparison", x=0.99, ha="right", color=ORANGE, fontsize=9, fontweight="bold")
    return dataclasses.replace(drawn, caption=f"Unfair comparison. {drawn.caption}")
