"""One cycle: up to the whole learning rate, then down far below where it began.

Two arcs between three points, t counted from 0 and T the number of steps:

    1 / start_divisor                  at t = 0
    1                                  at t = rise * T - 1
    1 / start_divisor / end_divisor    at t = T - 1

Paper: Smith and Topin, Super-Convergence: Very Fast Training of Neural Networks Using Large Learning Rates, 2017,
arXiv:1708.07120, section 3; the cosine arcs are Howard and Gugger's (fastai).
Departures: momentum is not cycled. The defaults are torch.optim's.
Checked by: the learning rates of torch.optim.lr_scheduler.OneCycleLR whose max_lr is the optimizer's lr.
"""

import math
from functools import partial
from typing import Literal

from pydantic import Field

from fourfold.algorithms.schedules.base import Schedule, ScheduleConfig

Arc = Literal["cosine", "linear"]


class OneCycleConfig(ScheduleConfig):
    """Fields of `schedule: one_cycle`; the optimizer's lr is the peak."""

    name: Literal["one_cycle"] = "one_cycle"
    rise: float = Field(default=0.3, gt=0, lt=1, description="share of the run that goes up")
    start_divisor: float = Field(default=25.0, ge=1, description="the peak over the first learning rate")
    end_divisor: float = Field(default=1e4, ge=1, description="the first learning rate over the last")
    arc: Arc = Field(default="cosine", description="shape of both ways; the paper's is linear")

    def build(self, steps: int) -> Schedule:
        """Return the cycle over `steps` updates."""
        start, end = 1 / self.start_divisor, 1 / self.start_divisor / self.end_divisor
        return partial(one_cycle, peak=self.rise * steps - 1, last=steps - 1, start=start, end=end, arc=self.arc)


def one_cycle(step: int, *, peak: float, last: int, start: float, end: float, arc: Arc) -> float:
    """Return the factor of update number `step`.

    Args:
        step: from 0 to `last`.
        peak: update number where the factor is 1; may lie between two, or before the first.
        last: update number where the factor is `end`.
        start: factor at 0.
        end: factor at `last`.
        arc: shape of the way between two points.
    """
    if step < peak:
        return _between(start, 1.0, step / peak, arc)
    return _between(1.0, end, (step - peak) / (last - peak), arc)


def _between(a: float, b: float, share: float, arc: Arc) -> float:
    if arc == "linear":
        return a + (b - a) * share
    return b + (a - b) * (1 + math.cos(math.pi * share)) / 2
