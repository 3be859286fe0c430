"""Receptive fields drawn over the picture: what can reach a unit, and what does.

Checked by: frames read back from the figure.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fourfold.report.drawing import Drawn
from fourfold.report.views.examples import shrunk
from fourfold.report.views.maps import some
from fourfold.report.views.sheet import Row, Tile, draw_sheet
from fourfold.run.views.effective_field import EFFECTIVE, effective_fields, effective_size
from fourfold.run.views.receptive_field import Field, theoretical_fields
from fourfold.tasks.figure import rgb

COLUMNS, MOST_STAGES = 3, 6
HEAT = "#3f86cc"  # a blue that stands out from white and from dark alike: pixels are the same on both
SIDE = 64  # pixels of a drawn gradient
MOST_PIXELS = 32 * 32 * 32  # of all pictures whose gradients are averaged, which bounds the time it takes


class StageField(NamedTuple):
    """What the unit in the middle of a stage sees."""

    stage: str
    maps: tuple[int, int]  # height and width
    field: Field | None  # None where it has no fixed size
    strength: Tensor  # [height, width], how much it depends on each pixel
    effective: float  # pixels: the side of a square of as many as count


def affordable(height: int, width: int) -> int:
    """Return over how many pictures of this size gradients are averaged: 32 of 32x32, one of 224x224."""
    return max(1, MOST_PIXELS // (height * width))


def measure_fields(model: nn.Module, inputs: Tensor) -> list[StageField]:
    """Return the fields of each stage.

    Args:
        model: with convolutions.
        inputs: `[batch, channels, height, width]`, over which gradients are averaged.
    """
    theory = theoretical_fields(model, inputs[:1])
    effect = effective_fields(model, inputs)
    return [
        StageField(
            stage.name, (stage.values.shape[2], stage.values.shape[3]), field, strength, effective_size(strength)
        )
        for (stage, field), (_, strength) in zip(theory, effect, strict=True)
    ]


def draw_fields(measured: list[StageField], over: str) -> Drawn:
    """Draw what the middle unit of each stage sees.

    Args:
        measured: from `measure_fields`.
        over: the pictures that gradients were averaged over, such as `32 test pictures`.
    """
    tiles = [_tile(each) for each in some(measured, MOST_STAGES)]
    irregular = " A dash: no window of one size." if any(each.field is None for each in measured) else ""
    rows = [Row("", tiles[i : i + COLUMNS], COLUMNS) for i in range(0, len(tiles), COLUMNS)]
    return Drawn(
        "receptive-fields",
        draw_sheet(rows),
        "What the unit in the middle of each stage sees of the picture. The orange frame is all that can reach it, its "
        "receptive field, whose side is given in pixels; at the picture's edge it goes on outside. Blue is what its "
        f"value depends on: the size of its gradient, averaged over {over}. In effect: the side of a square of as many "
        f"pixels as have more than {100 * EFFECTIVE:.3g} % of the largest gradient (Luo et al. 2016).{irregular}",
    )


def _tile(each: StageField) -> Tile:
    height, width = each.strength.shape
    gradient = _blue(shrunk(each.strength[None, None], SIDE)[0, 0])
    in_effect = f"in effect {each.effective:.0f}"
    if each.field is None:
        return Tile(gradient, (each.stage, f"– px; {in_effect}"))
    rows, columns = each.field
    top, bottom = rows.of(each.maps[0] // 2)
    left, right = columns.of(each.maps[1] // 2)
    size = f"{rows.size}" if rows.size == columns.size else f"{rows.size}x{columns.size}"
    frame = (left / width, top / height, right / width, bottom / height)
    return Tile(gradient, (each.stage, f"{size} px; {in_effect}"), frame=frame)


def _blue(strength: Tensor) -> Any:
    """Return `[height, width, 4]`, the less transparent the stronger."""
    share = strength / strength.max().clamp(min=torch.finfo(strength.dtype).tiny)
    return torch.cat([torch.tensor(rgb(HEAT)).expand(*share.shape, 3), share[:, :, None]], 2).numpy()


def field_facts(measured: list[StageField]) -> list[dict[str, Any]]:
    """Return the numbers, ready for JSON; sides are `[rows, columns]` in pixels, null where there is none."""
    return [
        {
            "stage": each.stage,
            "maps": list(each.maps),
            "receptive_field": [each.field.rows.size, each.field.columns.size] if each.field else None,
            "jump": [each.field.rows.jump, each.field.columns.jump] if each.field else None,
            "in_effect": each.effective,
        }
        for each in measured
    ]
