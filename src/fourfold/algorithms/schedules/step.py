"""Drops by a constant factor at chosen moments.

    factor(t) = factor ** (number of moments at or before t)

Source: common practice for image classifiers, as in He et al., Deep Residual Learning, CVPR 2016, section 4.2 (divided
by 10 at 32k and 48k of 64k steps).
Checked by: torch.optim.lr_scheduler.MultiStepLR and StepLR.
"""

from bisect import bisect_right
from functools import partial
from typing import Literal

from pydantic import Field

from fourfold.algorithms.schedules.base import Moment, Schedule, ScheduleConfig, to_steps


class StepConfig(ScheduleConfig):
    """Fields of `schedule: step`."""

    name: Literal["step"] = "step"
    at: list[Moment] = Field(
        default=[0.5, 0.75], min_length=1, description="when: update numbers (32000) or shares of the run (0.5)"
    )
    factor: float = Field(default=0.1, gt=0, description="what the learning rate is multiplied by at each")

    def build(self, steps: int) -> Schedule:
        """Return the schedule; moments after the last step are never reached."""
        return partial(step_drops, at=sorted(to_steps(moment, steps) for moment in self.at), factor=self.factor)


def step_drops(step: int, *, at: list[int], factor: float) -> float:
    """Return `factor` to the number of moments `at` (ascending) that update number `step` has reached."""
    return factor ** bisect_right(at, step)
