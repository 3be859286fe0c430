"""Colours for the things on a board, far apart from each other for people who see few colours too.

Source: Okabe and Ito, Color Universal Design, 2008.
Checked by: as many different ones as are asked for.
"""

import colorsys

import numpy as np
from numpy.typing import NDArray

GROUND = (18, 18, 24)
FIRST = (
    (86, 180, 233),
    (240, 228, 66),
    (0, 158, 115),
    (213, 94, 0),
    (204, 121, 167),
    (230, 159, 0),
    (0, 114, 178),
)


def colours(count: int) -> NDArray[np.uint8]:
    """Return the ground's colour and `count` others, uint8 `[1 + count, 3]`."""
    more = max(0, count - len(FIRST))
    wheel = [colorsys.hsv_to_rgb(i / max(1, more), 0.45, 0.95) for i in range(more)]
    rest = [(round(255 * r), round(255 * g), round(255 * b)) for r, g, b in wheel]
    return np.array([GROUND, *(*FIRST, *rest)[:count]], np.uint8)
