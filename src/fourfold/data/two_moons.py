"""Two half circles that reach into each other.

The upper moon is half of the unit circle; the lower one is turned over, and moved right by 1 and up by 1/2.

Source: the shape that scikit-learn calls make_moons.
Licence: none needed; the points are drawn here.
Checked by: make_moons without noise.
"""

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor

from fourfold.data.plane import PlaneConfig, shares


class TwoMoonsConfig(PlaneConfig):
    """Fields of `data: two_moons`."""

    origin: ClassVar[str] = "drawn here, in the shape of scikit-learn's make_moons"

    name: Literal["two_moons"] = "two_moons"

    def curves(self) -> list[Tensor]:
        """Return the two half circles."""
        upper, lower = (
            torch.linspace(0, math.pi, n, dtype=torch.float64) for n in shares(self.num_examples, 2, self.imbalance)
        )
        return [
            torch.stack([upper.cos(), upper.sin()], 1),
            torch.stack([1 - lower.cos(), 0.5 - lower.sin()], 1),
        ]

    def class_names(self) -> tuple[str, ...]:
        """Return upper and lower."""
        return ("upper", "lower")
