"""Showing tagged texts to a person: entities that were found, found wrongly, and missed; or each word's tag.

Checked by: reading words, labels and colours back from the figure.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fourfold.tasks.figure import BLUE, INK, MUTED, ORANGE, WIDTH, blank, display_width, new_figure, shorten, style
from fourfold.tasks.tagging import OUTSIDE, entities

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_TEXTS = 12
COLUMNS = 84  # letters of one width in a line
LINE, LABEL = 0.19, 0.13  # inches: of a line of words, and of the labels under it and over it
HEIGHT = LINE + 2 * LABEL

Tagged = tuple[Sequence[str], Sequence[str], Sequence[str]]  # words, their tags as said, and as they are


def draw_tagged(texts: Sequence[Tagged]) -> "Figure":
    """Draw texts; what the model says stands under the words, blue where it is right and orange where it is not.

    Over the words, grey and dotted, stands what it missed; beside a wrong label of the right words stands the true one.
    Words beyond those that have tags are left out.

    Args:
        texts: words, predicted tags and true tags.
    """
    texts = texts[:MAX_TEXTS]
    lines = [_places([*words[: len(said)]]) for words, said, _ in texts]
    heights = [HEIGHT * (1 + max((line for line, _ in places), default=0)) + 0.1 for places in lines]
    with style():
        figure = new_figure(1.5 * WIDTH, sum(heights) + 0.1)
        axes = figure.subplots()
        blank(axes)
        axes.set_xlim(0, COLUMNS)
        axes.set_ylim(sum(heights), -0.1)
        top = 0.0
        for (words, said, true), places, height in zip(texts, lines, heights, strict=True):
            for word, (line, column) in zip(words, places, strict=False):
                y = top + line * HEIGHT + LABEL + LINE / 2
                axes.text(column, y, word, va="center", fontsize=8, family=_families(), color=INK)
            for kind, first, last, colour, dotted in _marks(said, true):
                _mark(axes, kind, places[first : last + 1], words[first : last + 1], top, colour, dotted)
            top += height
    return figure


def _families() -> list[str]:
    """Return a font whose letters are of one width, and what the figure has for others."""
    from matplotlib import rcParams

    return ["DejaVu Sans Mono", *rcParams["font.family"]]


def _places(words: Sequence[str]) -> list[tuple[int, int]]:
    """Return the line and the column of each word."""
    places, line, column = [], 0, 0
    for word in words:
        width = display_width(word)
        if column and column + width > COLUMNS:
            line, column = line + 1, 0
        places.append((line, column))
        column += width + 1
    return places


def _marks(said: Sequence[str], true: Sequence[str]) -> list[tuple[str, int, int, str, bool]]:
    """Return what is marked: label, first and last word, colour, and whether it is what the model missed."""
    if not any(tag[:2] in ("B-", "I-") for tag in (*said, *true)):
        tags = enumerate(zip(said, true, strict=True))
        kinds = [(tag, place, place, BLUE if tag == is_ else ORANGE, False) for place, (tag, is_) in tags]
        return [mark for mark in kinds if mark[0] != OUTSIDE or mark[3] == ORANGE]
    found, real = entities(said), entities(true)
    of = {(first, last): kind for kind, first, last in real}  # what stands there in truth
    marks: list[tuple[str, int, int, str, bool]] = []
    for kind, first, last in found:
        is_ = of.pop((first, last), None)
        if is_ in (None, kind):
            marks.append((kind, first, last, ORANGE if is_ is None else BLUE, False))
        else:  # the stretch is right and its kind is not: one mark, for two would stand on each other
            name = f"{shorten(kind, 14)} (is {shorten(is_, 14)})"
            marks.append((name, first, last, ORANGE, False))
    return marks + [(kind, first, last, MUTED, True) for (first, last), kind in of.items()]


def _mark(
    axes: "Axes",
    kind: str,
    places: Sequence[tuple[int, int]],
    words: Sequence[str],
    top: float,
    colour: str,
    dotted: bool,
) -> None:
    """Underline some words, line by line, and name what they are under the first; dotted, over them."""
    for line in sorted({line for line, _ in places}):
        members = [(column, word) for (at, column), word in zip(places, words, strict=True) if at == line]
        start, (last, word) = members[0][0], members[-1]
        y = top + line * HEIGHT + LABEL + (0.0 if dotted else LINE)
        axes.plot([start, last + display_width(word)], [y, y], color=colour, lw=1.6, ls=":" if dotted else "-")
        if line == places[0][0]:
            at = y + (-LABEL / 2 if dotted else LABEL / 2)
            axes.text(start, at, shorten(kind, 32), va="center", fontsize=6, color=colour)
