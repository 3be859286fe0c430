"""Grad-CAM drawn over pictures: what speaks for the class that the network says, and for another one.

Checked by: the heat read back from the figure; the classes that are asked for by hand.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.data.image_encoding import ImageEncoding
from fourfold.report.drawing import Drawn
from fourfold.report.views.examples import Example, as_shown
from fourfold.report.views.sheet import Row, Tile, draw_sheet
from fourfold.run.views.grad_cam import grad_cam
from fourfold.tasks.figure import BLUE, rgb, shorten

COLUMNS = 3  # the picture, and two classes
FINE = 96  # pixels of a side, at least, so that the heat is smooth over small pictures too
PALEST = 0.62  # what black becomes, so that blue stands out from it
STRONGEST = 0.85  # of the blue where the heat is largest


class Explained(NamedTuple):
    """A picture, what the network says of it, and where it finds it."""

    example: Example
    said: int
    probabilities: Tensor  # [classes]
    classes: list[int]  # that are explained
    heat: list[Tensor]  # for each of them [height, width] of the last convolution's maps


def explain(model: nn.Module, examples: Sequence[Example], asked: int | None) -> list[Explained]:
    """Return for each picture where the network finds two classes.

    They are what it says; and the true class where that is another one, else the next likeliest. A class that is asked
    for stands in the place of the second.

    Args:
        model: with convolutions.
        examples: one at least.
        asked: a class, or None.
    """
    inputs = torch.cat([example.inputs for example in examples])
    with torch.no_grad():
        probabilities = model(inputs).float().softmax(1)
    said, second = probabilities.topk(2).indices.T.tolist()
    for i, example in enumerate(examples):
        if asked is not None:
            second[i] = asked
        elif example.true is not None and example.true != said[i]:
            second[i] = example.true
    first = grad_cam(model, inputs, torch.tensor(said))
    other = grad_cam(model, inputs, torch.tensor(second))
    return [
        Explained(
            *(example, said[i], probabilities[i]),
            *([said[i]], [first[i]]) if second[i] == said[i] else ([said[i], second[i]], [first[i], other[i]]),
        )
        for i, example in enumerate(examples)
    ]


def draw_grad_cam(
    explained: Sequence[Explained], encoding: ImageEncoding, names: Sequence[str], asked: int | None
) -> Drawn:
    """Draw each picture, and over it where each class is found.

    Args:
        explained: from `explain`.
        encoding: of the pictures.
        names: of the classes.
        asked: the class that was asked for, or None.
    """
    third = "the true class where it is wrong, else the next likeliest"
    if asked is not None:
        third = f"{names[asked]}, where it says something else"
    return Drawn(
        "grad-cam",
        draw_sheet([_row(each, encoding, names) for each in explained]),
        "Where the network finds what speaks for a class (Grad-CAM, Selvaraju et al. 2017): blue is where the last "
        f"convolution's maps{_of_size(explained[0].heat[0])} raise its score, in each picture on its own scale; "
        "without blue nothing does. The second column is for the class that the network says, the third for "
        f"{third}.",
    )


def over(picture: Any, heat: Tensor) -> Any:
    """Return a picture in light grey, with heat over it in blue.

    Args:
        picture: uint8 `[height, width, 3]`.
        heat: `[rows, columns]`, from zero up.
    """
    scale = -(-FINE // max(picture.shape[:2])) if max(picture.shape[:2]) < FINE else 1
    fine = picture.repeat(scale, 0).repeat(scale, 1).astype(np.float32) / 255
    grey = PALEST + (1 - PALEST) * fine.mean(2, keepdims=True)
    smooth = F.interpolate(heat[None, None].float(), size=fine.shape[:2], mode="bilinear", align_corners=False)[0, 0]
    share = STRONGEST * (smooth / smooth.max().clamp(min=torch.finfo(smooth.dtype).tiny)).numpy()[:, :, None]
    mixed = grey * (1 - share) + np.array(rgb(BLUE), dtype=np.float32) * share
    return (255 * mixed).round().astype(np.uint8)


def _of_size(heat: Tensor) -> str:
    """Return how many places the maps have, and what follows where that is one."""
    height, width = heat.shape
    flat = ", a single place, so that a picture is blue as a whole or not at all," if heat.numel() == 1 else ""
    return f" of {height}x{width}{flat}"


def _row(each: Explained, encoding: ImageEncoding, names: Sequence[str]) -> Row:
    picture = as_shown(encoding, each.example.inputs)[0]
    wrong = each.example.true is not None and each.example.true != each.said
    heading = f"{each.example.name}: {shorten(names[each.said], 18)}"
    if each.example.true is not None:
        heading += f", but is {shorten(names[each.example.true], 18)}" if wrong else ", rightly"
    tiles = [Tile(picture, ("the picture",))]
    for k, heat in zip(each.classes, each.heat, strict=True):
        share = _percent(float(each.probabilities[k]))
        tiles.append(Tile(over(picture, heat), (f"{shorten(names[k], 13)}, {share}",)))
    return Row(heading, tiles, COLUMNS, wrong)


def _percent(share: float) -> str:
    if 0.995 <= share < 1:
        return "> 99 %"
    return f"{100 * share:.0f} %" if share >= 0.005 else "< 1 %"
