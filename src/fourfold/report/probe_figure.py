"""How well frozen features tell classes, against how many labels the classifier was given.

Checked by: reading the drawn points and names back from the figure.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fourfold.run.probe import RANDOM, Probed
from fourfold.tasks.figure import MUTED, SERIES, WIDTH, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_probe(found: Sequence[Probed], split: str) -> "Figure":
    """Draw accuracy against labels: a line for each encoder's linear classifier, dotted that of the vote."""
    names = list(dict.fromkeys(each.encoder for each in found))
    colours = iter(SERIES)
    with style():
        figure = new_figure(1.5 * WIDTH, 3.6)
        axes = figure.subplots()
        for name in names:
            own = [each for each in found if each.encoder == name]
            colour = MUTED if name.endswith(RANDOM) else next(colours)
            counts = [each.labels for each in own]
            axes.plot(counts, [each.linear for each in own], "o-", color=colour, label=name, markersize=4)
            axes.plot(counts, [each.knn for each in own], "o:", color=colour, markersize=3, linewidth=1)
        axes.set_xscale("log")
        counts = sorted({each.labels for each in found})
        axes.set_xticks(counts, [f"{count:,}" for count in counts], minor=False)
        axes.minorticks_off()
        axes.set_xlabel("labelled training pictures")
        axes.set_ylabel(f"{split} accuracy")
        axes.legend(loc="lower right", frameon=False, fontsize=8)
        axes.set_title("linear classifier on frozen features; dotted: vote of neighbours", loc="left", fontsize=9)
    return figure
