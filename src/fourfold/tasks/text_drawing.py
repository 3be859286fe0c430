"""Showing texts to a person: what was said of them, and what they became in another language.

Checked by: reading the drawn texts back from the figures, in Hangul too.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from torch import Tensor

from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.figure import (
    BLUE,
    FAINT,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    WIDTH,
    blank,
    display_width,
    new_figure,
    shorten,
    style,
)
from fourfold.tasks.seam import Batch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_TEXTS = 12
LINES = 3  # of each text
NOTHING = "(nothing)"  # is what a network writes that ends a text at once
COLUMNS = 88  # Latin letters in a line, of the smallest size over the width of a figure and a half
LINE = 0.155  # inches


def draw_classified_texts(spec: ClassificationSpec, batch: Batch, output: Tensor, raw: Sequence[Any]) -> "Figure":
    """Draw texts with their predicted and true classes; mistakes are orange.

    Args:
        spec: the task.
        batch: the true classes, int64 `[batch]`.
        output: scores `[batch, classes]`.
        raw: texts, or pairs of texts.
    """
    probabilities, true = output.detach().cpu().float().softmax(1), batch.targets.detach().cpu().tolist()
    texts = [_lines(each) for each in raw[:MAX_TEXTS]]
    heights = [0.34 + LINE * len(lines) for lines in texts]
    with style():
        figure = new_figure(1.5 * WIDTH, sum(heights) + 0.3)
        axes = figure.subplots()
        blank(axes)
        axes.set_xlim(0, 1)
        axes.set_ylim(sum(heights), -0.3)
        axes.text(0, -0.16, "The model says", fontsize=9, fontweight="bold", va="center")
        axes.text(0.72, -0.16, "It is", fontsize=9, fontweight="bold", va="center")
        y = 0.0
        for row, label, lines, height in zip(probabilities, true, texts, heights, strict=False):
            best = int(row.argmax())
            share, colour = float(row[best]), BLUE if best == label else ORANGE
            says = f"{shorten(spec.class_names[best], 28)}  {100 * share:.0f} %"
            axes.barh(y + 0.12, 0.68, height=0.2, color=FAINT)
            axes.barh(y + 0.12, 0.68 * share, height=0.2, color=colour)
            fits = 0.68 * share >= 0.013 * display_width(says) + 0.02
            inside = {"x": 0.01, "color": PAPER} if fits else {"x": 0.68 * share + 0.01, "color": INK}
            axes.text(y=y + 0.12, s=says, va="center_baseline", fontsize=9, **inside)
            name, ink = shorten(spec.class_names[label], 22), INK if best == label else ORANGE
            axes.text(0.72, y + 0.12, name, va="center_baseline", fontsize=9, color=ink)
            for number, line in enumerate(lines):
                axes.text(0, y + 0.31 + LINE * number, line, va="center", fontsize=8, color=MUTED)
            y += height
    return figure


def draw_translated(
    languages: tuple[str, str], raw: Sequence[tuple[str, str]], said: Sequence[str], title: str
) -> "Figure":
    """Draw texts, their translations, and what a model says.

    Args:
        languages: from which into which.
        raw: texts with their translations.
        said: by the model of each text.
        title: says what that is.
    """
    blocks = [
        [(languages[0], line, MUTED) for line in _lines(source)]
        + [(languages[1], line, INK) for line in _lines(reference)]
        + [("model", line, BLUE) for line in _lines(hypothesis or NOTHING)]
        for (source, reference), hypothesis in zip(raw[:MAX_TEXTS], said, strict=False)
    ]
    height = sum(LINE * len(block) + 0.12 for block in blocks)
    with style():
        figure = new_figure(1.5 * WIDTH, height + 0.3)
        axes = figure.subplots()
        blank(axes)
        axes.set_xlim(0, 1)
        axes.set_ylim(height, -0.3)
        axes.text(0, -0.16, title, fontsize=9, fontweight="bold", va="center")
        y = 0.0
        for block in blocks:
            before = ""
            for label, line, colour in block:
                axes.text(0, y + LINE / 2, "" if label == before else label, va="center", fontsize=7, color=MUTED)
                axes.text(0.07, y + LINE / 2, line, va="center", fontsize=8, color=colour)
                y, before = y + LINE, label
            y += 0.12
    return figure


def _lines(text: Any) -> list[str]:
    """Return a text's first lines, or the first line of each text of a pair."""
    if not isinstance(text, str):
        return [wrapped(each, COLUMNS, 1)[0] for each in text]
    return wrapped(text, COLUMNS, LINES)


def wrapped(text: str, columns: int, lines: int) -> list[str]:
    """Return a text in lines of at most so many columns; what is more than so many lines ends in an ellipsis.

    A Hangul syllable is two columns. A word that is longer than a line is cut.
    """
    found, line = [], ""
    for word in text.split():
        while display_width(word) > columns:
            word, rest = _cut(word, columns)
            found += [line, word] if line else [word]
            line, word = "", rest
        longer = f"{line} {word}" if line else word
        if display_width(longer) > columns:
            found.append(line)
            line = word
        else:
            line = longer
    found = [*found, line] if line or not found else found
    if len(found) > lines:
        last = found[lines - 1]
        while display_width(last) > columns - 1:
            last = last[:-1]
        found = [*found[: lines - 1], f"{last}…"]
    return found


def _cut(word: str, columns: int) -> tuple[str, str]:
    """Return as many letters of a word as fit into so many columns, and the others."""
    count = len(word)
    while display_width(word[:count]) > columns:
        count -= 1
    return word[:count], word[count:]
