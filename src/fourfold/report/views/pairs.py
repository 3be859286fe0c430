"""The classes that are most often taken for each other, with the pictures that were.

Checked by: words and pictures read back from the figure.
"""

from collections.abc import Sequence

import torch

from fourfold.data.image_encoding import ImageEncoding
from fourfold.report.drawing import Drawn
from fourfold.report.numbers import count
from fourfold.report.predictions import Predictions
from fourfold.report.views.examples import as_shown
from fourfold.report.views.sheet import Row, Tile, draw_sheet
from fourfold.run.views.mistakes import Pair
from fourfold.tasks.figure import INK, ORANGE, WIDTH, new_figure, shorten, style

MOST_PAIRS, COLUMNS = 6, 6


def draw_pairs(
    pairs: Sequence[Pair], names: Sequence[str], predictions: Predictions, encoding: ImageEncoding | None
) -> Drawn:
    """Draw the commonest mistakes: a row of pictures for each, or a bar where examples are no pictures.

    Args:
        pairs: from `confused_pairs`, one at least.
        names: of the classes.
        predictions: that they were counted in.
        encoding: of the pictures; None for rows.
    """
    first = pairs[0]
    caption = (
        f"The classes that are most often taken for each other. {names[first.true]} is taken for {names[first.said]}: "
        f"{count(len(first.examples))} of its {count(first.of)}."
    )
    if encoding is None:
        return _bars(pairs, names, caption)
    rows = []
    for pair in pairs:
        inputs = predictions.batch.inputs[0][torch.tensor(pair.examples[:COLUMNS])]
        heading = f"{shorten(names[pair.true], 18)} taken for {shorten(names[pair.said], 18)}"
        heading += f": {count(len(pair.examples))} of {count(pair.of)}"
        rows.append(Row(heading, [Tile(picture) for picture in as_shown(encoding, inputs)], COLUMNS))
    return Drawn("confused-pairs", draw_sheet(rows), caption + " Those it is surest of come first.")


def _bars(pairs: Sequence[Pair], names: Sequence[str], caption: str) -> Drawn:
    from matplotlib.ticker import MaxNLocator

    with style():
        figure = new_figure(WIDTH, 0.32 * len(pairs) + 0.7)
        axes = figure.subplots()
        axes.barh(range(len(pairs)), [len(pair.examples) for pair in pairs], color=ORANGE, height=0.6)
        labels = [f"{shorten(names[pair.true], 12)} taken for {shorten(names[pair.said], 12)}" for pair in pairs]
        axes.set_yticks(range(len(pairs)), labels, color=INK)
        axes.set_ylim(len(pairs) - 0.4, -0.6)
        axes.grid(False, axis="y")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
        axes.set_xlabel("examples")
    return Drawn("confused-pairs", figure, caption)
