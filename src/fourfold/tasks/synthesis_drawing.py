"""Examples that were made, as pictures: a sheet of many, one for a moment of training, a figure beside given ones.

Checked by: pixels of sheets read back; figures of pictures and of points.
"""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fourfold.tasks.figure import BLUE, MUTED, blank, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

GAP = 2  # pixels between two pictures of a sheet
SIDE = 128  # pixels of a square that points are drawn on
MOST = 36  # pictures drawn beside each other


def to_bytes(pixels: Tensor, maximum: float = 255.0) -> Tensor:
    """Return pictures `[pictures, channels, height, width]`, 0 to `maximum`, as bytes, channels last."""
    return (pixels.float() * (255 / maximum)).round().clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def sheet(pixels: Tensor, maximum: float = 255.0, columns: int | None = None) -> Tensor:
    """Return pictures side by side on white, uint8 `[height, width, channels]`, row after row.

    Args:
        pixels: `[pictures, channels, height, width]`, 0 to `maximum`.
        maximum: the value of a fully bright pixel.
        columns: pictures a row; None: about as many as rows.
    """
    count, channels, height, width = pixels.shape
    columns = columns or max(1, math.ceil(math.sqrt(count)))
    rows = math.ceil(count / columns)
    whole = torch.full((rows * (height + GAP) + GAP, columns * (width + GAP) + GAP, channels), 255, dtype=torch.uint8)
    for i, picture in enumerate(to_bytes(pixels, maximum)):
        top, left = GAP + (i // columns) * (height + GAP), GAP + (i % columns) * (width + GAP)
        whole[top : top + height, left : left + width] = picture
    return whole


def plane(points: Tensor, extent: float) -> Tensor:
    """Return points of the square from -extent to extent as dark pixels on white, uint8 `[128, 128, 1]`."""
    cells = ((points.float() / extent + 1) / 2 * SIDE).floor().long()
    inside = ((cells >= 0) & (cells < SIDE)).all(1)
    x, y = cells[inside].unbind(1)
    counts = torch.bincount((SIDE - 1 - y) * SIDE + x, minlength=SIDE**2)
    return torch.where(counts == 0, 255, (150 - 30 * counts).clamp(min=0)).to(torch.uint8).view(SIDE, SIDE, 1)


def draw_beside(made: Tensor, given: Tensor) -> "Figure":
    """Return a figure of made examples, and of as many given ones beside them.

    Args:
        made: pixels `[examples, channels, height, width]`, or points `[examples, 2]`.
        given: likewise.
    """
    titles = ("made", "given")
    with style():
        figure = new_figure(7.2, 3.7)
        sides: list[Any] = list(figure.subplots(1, 2))
        if made.dim() == 4:
            maximum = 255.0 if given.dtype == torch.uint8 and given.max() > 16 else float(given.max())
            for axes, pixels, title in zip(sides, (made, given), titles, strict=True):
                blank(axes)
                picture = shown(sheet(pixels[:MOST], maximum))
                axes.imshow(picture, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
                axes.set_title(title)
            return figure
        extent = 1.15 * float(given.abs().max())
        for axes, points, title, colour in zip(sides, (made, given), titles, (BLUE, MUTED), strict=True):
            axes.scatter(*points.float().T.numpy(), s=3, color=colour, linewidths=0, alpha=0.5)
            axes.set_xlim(-extent, extent)
            axes.set_ylim(-extent, extent)
            axes.set_aspect("equal")
            axes.set_title(title)
        return figure


def draw_points(points: Tensor) -> "Figure":
    """Return a figure of points `[points, 2]` alone."""
    with style():
        figure = new_figure(4.4, 4.4)
        axes: Any = figure.subplots()
        axes.scatter(*points.float().T.numpy(), s=3, color=BLUE, linewidths=0, alpha=0.5)
        axes.set_aspect("equal")
        axes.set_title("made")
        return figure


def shown(picture: Tensor) -> Any:
    """Return `[height, width, channels]` as matplotlib takes it: without the channel where it is one."""
    return (picture[:, :, 0] if picture.shape[2] == 1 else picture).numpy()
