"""The base of all learning-rate schedules."""

from typing import Callable

from fourfold.core.config import PartConfig

Schedule = Callable[[int], float]  # update number, 0-based -> factor on the optimizer's own learning rate


class ScheduleConfig(PartConfig):
    """The fields of a schedule."""

    def build(self, steps: int) -> Schedule:
        """Return the schedule for a run of `steps` updates.

        Raises:
            InputError: the schedule does not fit into that many steps.
        """
        raise NotImplementedError
