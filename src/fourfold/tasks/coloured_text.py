"""Text drawn in cells, each token on a ground of its own colour; a Hangul syllable takes two cells.

Checked by: the drawn letters, their cells and colours read back from the figure.
"""

import math
import unicodedata
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from fourfold.tasks.figure import INK, MUTED, ORANGE, blank, display_width, new_figure, style
from fourfold.tasks.tokenizer import tokenizer_of
from fourfold.tasks.tokens import IGNORED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 64  # Latin letters a line
LINES = 7  # of one text
TEXTS = 4
CELL, LINE = 0.083, 0.21  # inches
MOST = 12.0  # bits of surprise from which on a ground is as dark as it gets
VISIBLE = {"\n": "↵", "\r": "␍", "\t": "⇥"}


class Piece(NamedTuple):
    """Text with a colour behind it."""

    text: str
    shade: float  # 0 none, 1 full


def draw_surprise(tokenizer: str, tokens: Tensor, targets: Tensor, output: Tensor) -> "Figure":
    """Draw texts whose tokens stand on a ground that is darker the more they surprised the model.

    Args:
        tokenizer: as JSON.
        tokens: int64 `[batch, length]`, of which the first few rows are drawn.
        targets: what came next, int64 `[batch, length]`.
        output: scores `[batch, length, vocab]`.
    """
    reader, texts = tokenizer_of(tokenizer), []
    for row, next_ones, scores in zip(tokens[:TEXTS], targets[:TEXTS].cpu(), output[:TEXTS], strict=True):
        real = next_ones != IGNORED
        nats = -scores.detach().cpu().float().log_softmax(1).gather(1, next_ones.clamp(min=0).unsqueeze(1)).squeeze(1)
        bits = torch.cat([torch.zeros(1), nats[real] / math.log(2)]).tolist()
        words = list(reader.stream([int(row[0]), *next_ones[real].tolist()], special=True))
        texts.append([Piece(word, min(bit / MOST, 1.0)) for word, bit in zip(words, bits, strict=True)])
    return draw_texts(texts, f"no ground: expected; darkest: {MOST:g} bits of surprise or more")


def draw_texts(texts: Sequence[Sequence[Piece]], caption: str) -> "Figure":
    """Draw texts, a block each, cut after a few lines; a line break is shown and taken."""
    blocks = [_laid_out(pieces) for pieces in texts]
    lines = sum(1 + max((line for line, *_ in block), default=0) for block in blocks) + len(blocks)
    with style():
        figure = new_figure(COLUMNS * CELL + 0.2, (lines + 1) * LINE + 0.1)
        axes = figure.subplots()
        blank(axes)
        axes.set_xlim(0, COLUMNS)
        axes.set_ylim(lines + 1, -0.5)
        top = 0
        for block in blocks:
            for line, column, letter, shade in block:
                _cell(axes, top + line, column, letter, shade)
            top += 2 + max((line for line, *_ in block), default=0)
        axes.text(0, lines + 0.3, caption, fontsize=8, color=MUTED, va="center")
        return figure


def _laid_out(pieces: Sequence[Piece]) -> list[tuple[int, int, str, float]]:
    """Return line, column, letter with its marks, and shade of each cell that fits."""
    cells: list[tuple[int, int, str, float]] = []
    line = column = 0
    for piece in pieces:
        for letter in piece.text:
            shown = VISIBLE.get(letter, letter)
            if cells and (unicodedata.combining(shown) or shown == "\u200d"):  # it goes onto the letter before it
                before = cells[-1]
                cells[-1] = (before[0], before[1], before[2] + shown, before[3])
                continue
            if not shown.isprintable():
                shown = "·"
            width = max(1, display_width(shown))
            if column + width > COLUMNS:
                line, column = line + 1, 0
            if line == LINES:
                return cells
            cells.append((line, column, shown, piece.shade))
            column += width
            if letter == "\n":
                line, column = line + 1, 0
                if line == LINES:
                    return cells
    return cells


def _cell(axes: "Axes", line: int, column: int, letter: str, shade: float) -> None:
    from matplotlib.patches import Rectangle

    width = max(1, display_width(letter[0]))
    if shade > 0.02:
        ground = Rectangle((column, line - 0.5), width, 1, facecolor=ORANGE, edgecolor="none", alpha=0.7 * shade)
        axes.add_patch(ground)
    if letter != " ":
        colour = MUTED if letter in VISIBLE.values() else INK
        axes.text(column + width / 2, line, letter, fontsize=8, ha="center", va="center_baseline", color=colour)
