"""The Transformer's schedule: a straight rise, then a fall with the inverse root of the step.

    factor(t) = d_model^-0.5 * min(s^-0.5, s * warmup_steps^-1.5),   s = t + 1

Paper: Vaswani et al., Attention Is All You Need, NeurIPS 2017, arXiv:1706.03762, Eq. 3.
Departures: none with the optimizer's `lr` at 1.0, for the formula is the whole learning rate and `lr` multiplies it.
`d_model` is the width of the model as the paper means it (512 base, 1024 big); it only scales the result, and is a
field here because a schedule does not see the model. The peak, at s = warmup_steps, is
lr / sqrt(d_model * warmup_steps): 0.0007 for the paper's base model.
Checked by: the peak, and Eq. 3 by hand.
"""

from functools import partial
from typing import Literal

from pydantic import Field

from fourfold.algorithms.schedules.base import Schedule, ScheduleConfig


class NoamConfig(ScheduleConfig):
    """Fields of `schedule: noam`; give the optimizer lr 1.0 for the paper's learning rates."""

    name: Literal["noam"] = "noam"
    d_model: int = Field(default=512, ge=1, description="width of the model; enters as d_model^-0.5")
    warmup_steps: int = Field(default=4000, ge=1, description="updates until the peak")

    def build(self, steps: int) -> Schedule:
        """Return the schedule; it does not depend on the length of the run."""
        return partial(noam, d_model=self.d_model, warmup_steps=self.warmup_steps)


def noam(step: int, *, d_model: int, warmup_steps: int) -> float:
    """Return the factor of update number `step` (the paper counts from 1)."""
    s = step + 1
    return d_model**-0.5 * min(s**-0.5, s * warmup_steps**-1.5)  # Eq. 3
