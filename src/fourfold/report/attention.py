"""A figure of where a translator looked, word by word.

Source: Bahdanau, Cho and Bengio, 2014, arXiv:1409.0473, figure 3, turned: each row is a word that was written.
Checked by: every word stands at its row or column; the darkest place is the largest weight.
"""

from typing import TYPE_CHECKING

from fourfold.run.views.attention import Looks
from fourfold.tasks.figure import BLUE, PAPER, display_width, new_figure, shorten, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CELL = 0.34  # inches
LONGEST = 24  # columns of a terminal that a word may take


def draw_looks(found: Looks) -> "Figure":
    """Return the map: columns are words of the text, rows those of the translation, dark is where it looked."""
    from matplotlib.colors import LinearSegmentedColormap

    source, target = ([shorten(word, LONGEST) for word in side] for side in (found.source, found.target))
    across = 0.085 * max(map(display_width, target)), 0.085 * max(map(display_width, source))  # inches of the words
    with style():
        figure = new_figure(CELL * len(source) + across[0] + 0.5, CELL * len(target) + across[1] + 0.4)
        axes = figure.subplots()
        shades = LinearSegmentedColormap.from_list("looks", [PAPER, BLUE])
        axes.imshow(
            found.weights.numpy(), cmap=shades, vmin=0, vmax=max(float(found.weights.max()), 1e-9), aspect="equal"
        )
        axes.set_xticks(range(len(source)), source, rotation=90)
        axes.set_yticks(range(len(target)), target)
        axes.xaxis.tick_top()
        axes.tick_params(length=0)
        axes.grid(False)
        for side in axes.spines.values():
            side.set_visible(True)
    return figure
