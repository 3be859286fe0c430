"""Spirals wound around each other, one class an arm.

Along an arm, u runs from 0 (outside) to 1: the angle is 2 pi (turns u + arm / arms), the radius (104 - 96 u) / 104.

Source: K. J. Lang and M. J. Witbrock, Learning to Tell Two Spirals Apart, Connectionist Models Summer School 1988,
whose set is two arms, three turns, 194 points, no noise, and 6.5 times as large.
Licence: none needed; the points are drawn here.
Checked by: the 1988 set by hand.
"""

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.data.plane import PlaneConfig, shares


class SpiralsConfig(PlaneConfig):
    """Fields of `data: spirals`."""

    origin: ClassVar[str] = "drawn here, after K. J. Lang and M. J. Witbrock, 1988"

    name: Literal["spirals"] = "spirals"
    noise: float = Field(default=0.02, ge=0, le=10, description="standard deviation added to each coordinate")
    arms: int = Field(default=2, ge=2, le=10, description="spirals, one class each")
    turns: float = Field(default=1.5, gt=0, le=20, description="times that an arm goes around the centre")

    def curves(self) -> list[Tensor]:
        """Return one spiral an arm."""
        return [self._arm(arm, count) for arm, count in enumerate(shares(self.num_examples, self.arms, self.imbalance))]

    def _arm(self, arm: int, count: int) -> Tensor:
        u = torch.linspace(0, 1, count, dtype=torch.float64)
        angle = 2 * math.pi * (self.turns * u + arm / self.arms)
        radius = (104 - 96 * u) / 104
        return torch.stack([radius * angle.sin(), radius * angle.cos()], 1)

    def class_names(self) -> tuple[str, ...]:
        """Return `arm 1`, `arm 2`, …."""
        return tuple(f"arm {arm + 1}" for arm in range(self.arms))
