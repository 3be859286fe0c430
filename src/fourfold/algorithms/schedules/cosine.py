"""Half a cosine from the whole learning rate down to a minimum.

    factor(t) = minimum + (1 - minimum) / 2 * (1 + cos(pi * t / T))

Paper: Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts, ICLR 2017, arXiv:1608.03983, Eq. 5.
Departures: one descent, T being the whole run; no restarts.
Checked by: torch.optim.lr_scheduler.CosineAnnealingLR.
"""

import math
from functools import partial
from typing import Literal

from pydantic import Field

from fourfold.algorithms.schedules.base import Schedule, ScheduleConfig


class CosineConfig(ScheduleConfig):
    """Fields of `schedule: cosine`."""

    name: Literal["cosine"] = "cosine"
    minimum: float = Field(default=0.0, ge=0, le=1, description="share of the learning rate where it ends")

    def build(self, steps: int) -> Schedule:
        """Return the descent over `steps` updates."""
        return partial(cosine, steps=steps, minimum=self.minimum)


def cosine(step: int, *, steps: int, minimum: float) -> float:
    """Return the factor of update number `step`; `minimum` itself would be that of number `steps`."""
    return minimum + (1 - minimum) * (1 + math.cos(math.pi * step / steps)) / 2  # Eq. 5
