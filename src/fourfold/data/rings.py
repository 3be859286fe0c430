"""Rings around one centre, one class a ring; the outermost is the unit circle, and the radii are evenly spaced.

Source: with two rings, the shape that scikit-learn calls make_circles(factor=0.5).
Licence: none needed; the points are drawn here.
Checked by: make_circles without noise.
"""

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.data.plane import PlaneConfig, shares


class RingsConfig(PlaneConfig):
    """Fields of `data: rings`."""

    origin: ClassVar[str] = "drawn here, in the shape of scikit-learn's make_circles"

    name: Literal["rings"] = "rings"
    noise: float = Field(default=0.05, ge=0, le=10, description="standard deviation added to each coordinate")
    num_rings: int = Field(default=2, ge=2, le=10, description="rings, one class each")

    def curves(self) -> list[Tensor]:
        """Return one circle a ring, the outermost first."""
        return [
            self._ring(ring, count)
            for ring, count in enumerate(shares(self.num_examples, self.num_rings, self.imbalance))
        ]

    def _ring(self, ring: int, count: int) -> Tensor:
        angle = torch.arange(count, dtype=torch.float64) * (2 * math.pi / count)
        radius = 1 - ring / self.num_rings
        return radius * torch.stack([angle.cos(), angle.sin()], 1)

    def class_names(self) -> tuple[str, ...]:
        """Return `ring 1` for the outermost, and so on inwards."""
        return tuple(f"ring {ring + 1}" for ring in range(self.num_rings))
