"""The learning rate as it is, from first step to last.

    factor(t) = 1

Source: the plain rule that every other schedule is compared with.
Checked by: its definition.
"""

from typing import Literal

from fourfold.algorithms.schedules.base import Schedule, ScheduleConfig


class ConstantConfig(ScheduleConfig):
    """Fields of `schedule: constant`."""

    name: Literal["constant"] = "constant"

    def build(self, steps: int) -> Schedule:
        """Return the schedule."""
        return constant


def constant(step: int) -> float:
    """Return 1."""
    return 1.0
