"""The base of all learning-rate schedules.

A schedule is a pure function from the number of the update to a factor on the optimizer's own learning rate; it has no
state, so a resumed run needs nothing but the step.
"""

from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator

from fourfold.core.config import PartConfig

Schedule = Callable[[int], float]  # update number, 0-based -> factor on the optimizer's own learning rate


def _check_moment(value: int | float) -> int | float:
    if (value < 1) if isinstance(value, int) else not 0 < value < 1:
        raise ValueError(f"expected a whole number of steps from 1, or a share of the run between 0 and 1, got {value}")
    return value


Moment = Annotated[int | float, AfterValidator(_check_moment)]  # steps (int), or a share of the run (float)


def to_steps(moment: int | float, steps: int) -> int:
    """Return a moment of a run of `steps` updates as a number of updates; shares are rounded to the nearest."""
    return moment if isinstance(moment, int) else round(moment * steps)


class ScheduleConfig(PartConfig):
    """The fields of a schedule."""

    def build(self, steps: int) -> Schedule:
        """Return the schedule for a run of `steps` updates.

        Raises:
            InputError: the schedule does not fit into that many steps.
        """
        raise NotImplementedError
