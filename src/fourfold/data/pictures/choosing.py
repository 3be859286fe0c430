"""The size and the colours of pictures, where their owner leaves them open.

Checked by: folders of pictures made for each case.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np

from fourfold.data.pictures.facts import Facts
from fourfold.data.pictures.reading import Proportions, Wanted
from fourfold.data.pictures.worker import read_into

Size = tuple[int, int]  # height and width

LARGEST_KEPT = 256  # pixels on a side, of pictures that all have one size and keep it
SIDES = (224, 128, 96, 64, 48, 32)  # of the squares that others are brought to
SAMPLE = 32  # pictures that a first guess is made from


class Request(NamedTuple):
    """What is asked for; None, and "auto", leave it to the pictures."""

    size: Size | None
    colour: Literal["auto", "grey", "rgb"]
    proportions: Proportions


def guess(paths: Sequence[str], request: Request) -> Wanted:
    """Return what `choose` will most likely choose, from a few of the pictures."""
    step = max(1, len(paths) // SAMPLE)
    sample = paths[::step][:SAMPLE] if request.size is None or request.colour == "auto" else []
    few = Facts.empty(len(sample), 3)
    for number, path in enumerate(sample):
        few.add(number, read_into(path, Wanted(32, 32, 3, request.proportions), None))
    return choose(few, request, Wanted(32, 32, 3, request.proportions))


def choose(facts: Facts, request: Request, otherwise: Wanted) -> Wanted:
    """Return the size and channels asked for; what is left open follows from all pictures that could be read.

    Pictures that all have one size of at most 256 pixels keep it. Others become squares of the largest usual side that
    half of them have on their shorter side. They are grey where none of them has colour.
    """
    read = facts.read
    size = request.size or (_size(facts.sizes[read]) if len(read) else otherwise[:2])
    grey = request.colour == "grey" or (request.colour == "auto" and len(read) > 0 and bool(facts.grey[read].all()))
    return Wanted(*size, 1 if grey else 3, request.proportions)


def _size(sizes: np.ndarray) -> Size:
    if (sizes == sizes[0]).all() and sizes[0].max() <= LARGEST_KEPT:
        return int(sizes[0, 1]), int(sizes[0, 0])
    middle = float(np.median(sizes.min(1)))
    side = next((side for side in SIDES if side <= middle), SIDES[-1])
    return side, side
