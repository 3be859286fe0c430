"""A straight rise in the first steps, then another schedule for the rest of the run.

    factor(t) = (start + (1 - start) * t / W) * then(0)   for t < W
    factor(t) = then(t - W)                               after

Paper: Goyal et al., Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour, 2017, arXiv:1706.02677, section 2.2
(gradual warmup).
Departures: how low it starts is a field; the paper starts at 1/k for k workers.
Checked by: torch.optim.lr_scheduler.LinearLR, followed by others through SequentialLR.
"""

from functools import partial
from typing import Annotated, Literal

from pydantic import Field, SerializeAsAny

from fourfold.algorithms.schedules import SCHEDULES
from fourfold.algorithms.schedules.base import Moment, Schedule, ScheduleConfig, to_steps
from fourfold.core.errors import InputError
from fourfold.core.registry import choice_of

AnySchedule = Annotated[SerializeAsAny[ScheduleConfig], choice_of(SCHEDULES, "algorithm.schedule.then")]


class WarmupConfig(ScheduleConfig):
    """Fields of `schedule: warmup`."""

    name: Literal["warmup"] = "warmup"
    steps: Moment = Field(default=0.05, description="length of the rise: updates (500) or a share of the run (0.05)")
    start: float = Field(default=0.01, ge=0, le=1, description="share of the learning rate at the first step")
    then: AnySchedule = Field(default="constant", description="schedule of the steps after the rise")  # type: ignore[assignment]

    def build(self, steps: int) -> Schedule:
        """Return the rise and what follows it.

        Raises:
            InputError: the rise leaves no step to what follows.
        """
        rise = to_steps(self.steps, steps)
        if rise >= steps:
            raise InputError(f"algorithm.schedule.steps: a warm-up of {rise} steps does not fit into a run of {steps}")
        return partial(warmup, rise=rise, start=self.start, then=self.then.build(steps - rise))


def warmup(step: int, *, rise: int, start: float, then: Schedule) -> float:
    """Return the factor of update number `step`, where the rise takes `rise` updates."""
    if step >= rise:
        return then(step - rise)
    return (start + (1 - start) * step / rise) * then(0)
