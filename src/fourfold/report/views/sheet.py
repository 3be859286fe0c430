"""Pictures in rows, with words over them, on one set of axes: forty of their own would take seconds.

Checked by: places and words read back from the figure.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fourfold.report.study_words import fit
from fourfold.tasks.figure import FAINT, INK, MUTED, ORANGE, WIDTH, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MARGIN, GAP = 0.05, 0.08  # inches: around everything, and between pictures
HEADING, LINE = 0.25, 0.15  # inches: of a row's words, and of each line over a picture
BETWEEN = 0.1  # inches more between rows
LETTER = 0.063  # inches of a letter in words of 8 points, on average


class Tile(NamedTuple):
    """A picture and the words over it."""

    picture: Any  # [height, width, 3 or 4], uint8 or from 0 to 1
    words: Sequence[str] = ()  # lines
    wrong: bool = False  # then the words are orange
    frame: tuple[float, float, float, float] | None = None  # left, top, right, bottom in shares of the picture: a box


class Row(NamedTuple):
    """Pictures side by side."""

    heading: str  # over all of them; none if empty
    tiles: Sequence[Tile]
    columns: int  # for so many pictures there is room; there may be fewer
    wrong: bool = False  # then the heading is orange


def draw_sheet(rows: Sequence[Row]) -> "Figure":
    """Draw rows of pictures, each as wide as the row's columns allow, all of a row as high as its first."""
    heights = [_height(row) for row in rows]
    total = sum(heights) + BETWEEN * (len(rows) - 1) + 2 * MARGIN
    with style():
        figure = new_figure(WIDTH, total)
        figure.set_layout_engine("none")  # places are in inches
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        axes.grid(False)
        top = MARGIN
        for row, height in zip(rows, heights, strict=True):
            _draw_row(axes, row, top)
            top += height + BETWEEN
        axes.set_xlim(0, WIDTH)
        axes.set_ylim(total, 0)
    return figure


def _side(row: Row) -> float:
    return (WIDTH - 2 * MARGIN - GAP * (row.columns - 1)) / row.columns


def _lines(row: Row) -> int:
    return max(len(tile.words) for tile in row.tiles)


def _picture_height(row: Row) -> float:
    height, width = row.tiles[0].picture.shape[:2]
    return _side(row) * height / width


def _height(row: Row) -> float:
    return HEADING * bool(row.heading) + LINE * _lines(row) + _picture_height(row)


def _draw_row(axes: "Axes", row: Row, top: float) -> None:
    from matplotlib.patches import Rectangle

    side, high = _side(row), _picture_height(row)
    if row.heading:
        colour = ORANGE if row.wrong else INK
        axes.text(MARGIN, top + 0.45 * HEADING, fit(row.heading, 56), fontsize=9, va="center", color=colour)
        top += HEADING
    below = top + LINE * _lines(row)
    for i, tile in enumerate(row.tiles):
        left = MARGIN + i * (side + GAP)
        for line, words in enumerate(tile.words):
            place = below - LINE * (len(tile.words) - line - 0.45)
            colour = ORANGE if tile.wrong else MUTED if line else INK
            axes.text(left, place, fit(words, int(side / LETTER)), fontsize=8, va="center", color=colour)
        axes.imshow(
            tile.picture, extent=(left, left + side, below + high, below), interpolation="none", aspect="auto", zorder=1
        )
        axes.add_patch(Rectangle((left, below), side, high, fill=False, edgecolor=FAINT, linewidth=0.8, zorder=2))
        if tile.frame is not None:
            start, above, end, under = (min(max(share, 0.0), 1.0) for share in tile.frame)
            corner, size = (left + start * side, below + above * high), ((end - start) * side, (under - above) * high)
            axes.add_patch(Rectangle(corner, *size, fill=False, edgecolor=ORANGE, linewidth=1.4, zorder=3))
