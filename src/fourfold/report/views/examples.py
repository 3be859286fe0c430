"""Which pictures are looked at, and how they are shown to a person.

Checked by: pixels against those that were encoded; a planted mistake is chosen.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from fourfold.data.image_encoding import ImageEncoding
from fourfold.report.predictions import Predictions
from fourfold.run.views.mistakes import worst_mistakes

MOST_PIXELS = 128  # of a side; larger pictures are made smaller, which a page can afford


class Example(NamedTuple):
    """A picture that is looked at."""

    inputs: Tensor  # [1, channels, height, width], as the network takes it
    name: str  # such as `test picture 17` or `photo.jpg`
    true: int | None  # its class, where it is known


def choose(predictions: Predictions, right: int, wrong: int) -> list[Example]:
    """Return some ordinary examples that are right, of different classes, and then the worst mistakes.

    Where there are too few of one kind there are more of the other.

    Args:
        predictions: of pictures and classes.
        right: how many right ones.
        wrong: how many wrong ones.
    """
    targets, said = predictions.batch.targets, predictions.output.argmax(1)
    mistakes = worst_mistakes(predictions.output, targets, right + wrong)
    hits = [i for i in predictions.ranked() if said[i] == targets[i]]
    hits = hits[len(hits) // 2 :] + hits[: len(hits) // 2][::-1]  # from the middle on: neither the surest nor the least
    first: dict[int, int] = {}
    for i in hits:
        first.setdefault(int(targets[i]), i)
    varied = list(first.values()) + [i for i in hits if i not in first.values()]
    few = min(wrong, len(mistakes))
    members = varied[: right + wrong - few]
    return [example(predictions, i) for i in members + mistakes[: right + wrong - len(members)]]


def example(predictions: Predictions, member: int) -> Example:
    """Return one example of a split; they are counted from 1."""
    name = f"{predictions.split} picture {member + 1:,}"
    return Example(predictions.batch.inputs[0][member : member + 1], name, int(predictions.batch.targets[member]))


def spaced(count: int, most: int) -> list[int]:
    """Return `most` of the numbers below `count` at even distances, or all of them: a split may lie class by class."""
    return [i * count // most for i in range(most)] if count > most else list(range(count))


def as_shown(encoding: ImageEncoding, inputs: Tensor) -> Any:
    """Return pictures as uint8 `[batch, height, width, 3]`, a side at most 128.

    Args:
        encoding: which made the inputs.
        inputs: `[batch, channels, height, width]`.
    """
    mean, deviation = (torch.tensor(each).view(1, -1, 1, 1) for each in (encoding.mean, encoding.deviation))
    pixels = ((inputs.detach().cpu() * deviation + mean) / encoding.maximum).clamp(0, 1)
    pixels = shrunk(pixels.float(), MOST_PIXELS).expand(-1, 3, -1, -1)
    return pixels.mul(255).round().to(torch.uint8).permute(0, 2, 3, 1).contiguous().numpy()


def shrunk(maps: Tensor, side: int) -> Tensor:
    """Return `[batch, maps, height, width]` with each pixel the mean of those it stands for, sides at most `side`."""
    height, width = maps.shape[2:]
    most = max(height, width)
    if most <= side:
        return maps
    size: Sequence[int] = (max(1, round(height * side / most)), max(1, round(width * side / most)))
    return F.interpolate(maps, size=tuple(size), mode="area")
