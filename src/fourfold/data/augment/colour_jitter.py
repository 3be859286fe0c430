"""Change brightness, contrast, saturation and hue of each picture, by amounts and in an order of its own.

    brightness   b x                             b ~ uniform(1 - range, 1 + range)
    contrast     c x + (1 - c) mean(grey(x))     likewise
    saturation   s x + (1 - s) grey(x)           likewise
    hue          the angle h of HSV is h + turn  turn ~ uniform(-range, range), in turns

each held between black and full brightness; grey(x) = 0.2989 R + 0.587 G + 0.114 B (ITU-R BT.601).

Paper: Howard, Some Improvements on Deep Convolutional Neural Network Based Image Classification, 2013,
arXiv:1312.5402: brightness, contrast and colour between 0.5 and 1.5 times, in random order.
Some pictures may be left as they are: four in five change in Chen et al., ICML 2020, arXiv:2002.05709, appendix A.
Departures: hue is torchvision's addition and is off unless asked for. A picture of whole numbers is rounded once, after
all four. Saturation and hue do nothing to grey pictures, which have neither.
Checked by: torchvision.transforms.functional's adjust_brightness, adjust_contrast, adjust_saturation and adjust_hue,
picture by picture in its order.
"""

from collections.abc import Iterable
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.data.augment.base import Augment, AugmentConfig
from fourfold.data.augment.warp import like, pieces
from fourfold.tasks.seam import Image

GREY = (0.2989, 0.587, 0.114)
BRIGHTNESS, CONTRAST, SATURATION, HUE = range(4)


class ColourJitterConfig(AugmentConfig):
    """Fields of `augment: colour_jitter`."""

    name: Literal["colour_jitter"] = "colour_jitter"
    brightness: float = Field(default=0.5, ge=0, le=1, description="factors are drawn from 1 - this to 1 + this")
    contrast: float = Field(default=0.5, ge=0, le=1, description="likewise; 0 leaves contrast alone")
    saturation: float = Field(default=0.5, ge=0, le=1, description="likewise, of colour pictures")
    hue: float = Field(default=0.0, ge=0, le=0.5, description="the largest turn of the colour circle, either way")
    probability: float = Field(default=1.0, gt=0, le=1, description="share of the pictures that are changed")

    def build(self, image: Image) -> "ColourJitter":
        """Return the augmentation."""
        return ColourJitter(self.brightness, self.contrast, self.saturation, self.hue, self.probability)


class ColourJitter(Augment):
    """Change the colours of pictures; see the module for the arguments, of which all but `probability` are ranges."""

    def __init__(
        self, brightness: float, contrast: float, saturation: float, hue: float, probability: float = 1.0
    ) -> None:
        self._probability = probability
        self._middle = torch.tensor([1.0, 1.0, 1.0, 0.0])
        self._reach = torch.tensor([brightness, contrast, saturation, hue])
        self._maximum = 255.0

    def fit(self, pictures: Iterable[Tensor], maximum: float) -> None:
        self._maximum = maximum

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the amounts for each picture and their order, float32 `[count, 8]`.

        Its numbers are: the factors of brightness, contrast and saturation, the turn of hue, and which of the four (0
        to 3) is done first, second, third and last.
        """
        amounts = self._middle + (2 * torch.rand(count, 4, generator=generator) - 1) * self._reach
        order = torch.rand(count, 4, generator=generator).argsort(1)
        if self._probability < 1:
            changed = torch.rand(count, 1, generator=generator) < self._probability
            amounts = torch.where(changed, amounts, self._middle)
        return torch.cat([amounts, order], 1)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return the pictures, in other colours."""
        return jitter_colours(images, draws, self._maximum)


def jitter_colours(images: Tensor, draws: Tensor, maximum: float) -> Tensor:
    """Change the colours of each of `images [batch, channels, height, width]`.

    Args:
        images: uint8 or float32, 1 or 3 channels, from 0 to `maximum`.
        draws: `[batch, 8]`, as `ColourJitter.draw` gives them; on the CPU.
        maximum: the value of a fully bright pixel.
    """
    result = torch.empty_like(images)
    for piece in pieces(images):
        values = images[piece].to(torch.float32, memory_format=torch.contiguous_format, copy=True)
        _jitter_(values, draws[piece, :4], draws[piece, 4:].long(), maximum)
        result[piece] = like(images[piece], values)
    return result


def _jitter_(values: Tensor, amounts: Tensor, order: Tensor, maximum: float) -> None:
    """Change the colours of `values [batch, channels, height, width]`, float32, in place; `order` is `[batch, 4]`."""
    neutral = amounts == torch.tensor([1.0, 1.0, 1.0, 0.0])
    colour = values.shape[1] == 3
    for place in order.unbind(1):
        for kind in (BRIGHTNESS, CONTRAST, SATURATION, HUE) if colour else (BRIGHTNESS, CONTRAST):
            rows = ((place == kind) & ~neutral[:, kind]).nonzero()[:, 0]
            if not len(rows):
                continue
            amount = amounts[rows, kind].to(values.device).view(-1, 1, 1, 1)
            if len(rows) == len(values):  # large pictures come one at a time: nothing to copy
                _change_(values, kind, amount, maximum)
            else:
                rows = rows.to(values.device)
                some = values[rows]
                _change_(some, kind, amount, maximum)
                values[rows] = some


def _change_(x: Tensor, kind: int, amount: Tensor, maximum: float) -> None:
    """Change one of the four in each of some pictures, in place."""
    if kind == BRIGHTNESS:
        x.mul_(amount).clamp_(0, maximum)
    elif kind == HUE:
        x.copy_(turn_hue(x, amount[:, 0]))
    else:
        grey = to_grey(x)
        if kind == CONTRAST:
            grey = grey.mean((2, 3), keepdim=True)
        x.mul_(amount).add_((1 - amount) * grey).clamp_(0, maximum)


def to_grey(x: Tensor) -> Tensor:
    """Return the brightness of `x [batch, 1 or 3, height, width]`, `[batch, 1, height, width]`."""
    if x.shape[1] == 1:
        return x
    red, green, blue = x.split(1, dim=1)
    return GREY[0] * red + GREY[1] * green + GREY[2] * blue


def turn_hue(x: Tensor, turns: Tensor) -> Tensor:
    """Turn the hue of `x [batch, 3, height, width]` by `turns`, `[batch, 1, 1]`; value and chroma stay as they are.

    In HSV with hue h in sixths of a turn, a channel is v - chroma * clamp(min(k, 4 - k), 0, 1), k = (n + h) mod 6,
    with n = 5, 3 and 1 for red, green and blue.
    """
    red, green, blue = x.unbind(1)  # each [batch, height, width]
    value = x.amax(1)
    chroma = value - x.amin(1)
    divisor = torch.where(chroma == 0, 1.0, chroma)
    hue = torch.where(
        value == red,
        (green - blue) / divisor,
        torch.where(value == green, (blue - red) / divisor + 2, (red - green) / divisor + 4),
    )
    hue = hue + 6 * turns
    result = torch.empty_like(x)
    for channel, n in enumerate((5, 3, 1)):
        k = (hue + n).remainder_(6)
        share = torch.minimum(k, 4 - k).clamp_(0, 1)
        torch.sub(value, share.mul_(chroma), out=result[:, channel])
    return result
