"""The feature maps of one picture, stage by stage.

Checked by: each stage's most varied maps read back from the figure.
"""

import torch
from torch import Tensor, nn

from fourfold.data.image_encoding import ImageEncoding
from fourfold.report.drawing import Drawn
from fourfold.report.numbers import count
from fourfold.report.views.examples import Example, as_shown, shrunk
from fourfold.report.views.sheet import Row, Tile, draw_sheet
from fourfold.report.weights import as_picture
from fourfold.run.views.layers import Stage, record, stages

MOST_STAGES, MOST_MAPS = 6, 8
SIDE = 64  # pixels of a drawn map


@torch.no_grad()
def draw_maps(model: nn.Module, encoding: ImageEncoding, example: Example) -> Drawn:
    """Draw the maps of each stage that vary most over the picture.

    Args:
        model: with convolutions.
        encoding: of its pictures.
        example: the picture.
    """
    picture = Tile(as_shown(encoding, example.inputs)[0])
    shown = some(stages(record(model, example.inputs)[1]), MOST_STAGES)
    rows = [Row(example.name, [picture], 4), *(_row(stage) for stage in shown)]
    return Drawn(
        "feature-maps",
        draw_sheet(rows),
        f"What {example.name} becomes in the network, from the first convolution down to its last maps: of each stage "
        "those that vary most from place to place, each on its own scale. Blue is above zero, orange below. Early "
        "maps still show the picture; late ones only whether, and roughly where, something is there.",
    )


def some(shown: list, most: int) -> list:
    """Return `most` stages at even distances, the first and the last among them, or all of them."""
    if len(shown) <= most:
        return shown
    return [shown[round(i * (len(shown) - 1) / (most - 1))] for i in range(most)]


def most_varied(values: Tensor, most: int) -> list[int]:
    """Return the maps of one picture, `[maps, height, width]`, whose values have the largest deviations."""
    return values.float().std((1, 2), correction=0).argsort(descending=True, stable=True)[:most].tolist()


def _row(stage: Stage) -> Row:
    values = stage.values[0].float()
    maps, height, width = values.shape
    chosen = most_varied(values, MOST_MAPS)
    which = f"{len(chosen)} of {count(maps)} maps" if len(chosen) < maps else f"{maps} map{'s' if maps > 1 else ''}"
    small = shrunk(values[None], SIDE)[0]
    return Row(f"{stage.name}: {which}, {height}x{width}", [Tile(as_picture(small[[i]])) for i in chosen], MOST_MAPS)
