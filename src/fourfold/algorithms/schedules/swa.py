"""The learning rate of stochastic weight averaging: as it is, then a straight fall, then a constant or cycles.

    1                                                until `fall`
    a straight line from 1 to high                   until `start`
    (1 - t) high + t low,  t = (mod(i - 1, c) + 1) / c   from there, for its i-th update and cycles of c updates

With `low` left out it stays at `high`. Give the regularizer `swa` the same `start`, and the cycle's length as `every`,
so that a network is taken where the learning rate is lowest.

Paper: Izmailov, Podoprikhin, Garipov, Vetrov and Wilson, Averaging Weights Leads to Wider Optima and Better
Generalization, UAI 2018, arXiv:1803.05407, section 3.1 (the cycle); the way down to it as in its appendix.
Departures: none.
Checked by: the equations by hand; torch.optim.swa_utils.SWALR for the straight fall.
"""

from functools import partial
from typing import Literal

from pydantic import Field, model_validator

from fourfold.algorithms.schedules.base import Moment, Schedule, ScheduleConfig, to_steps
from fourfold.core.errors import InputError


class SWAScheduleConfig(ScheduleConfig):
    """Fields of `schedule: swa`."""

    name: Literal["swa"] = "swa"
    fall: Moment = Field(
        default=0.5, description="when the learning rate begins to fall: updates, or a share of the run"
    )
    start: Moment = Field(default=0.75, description="when it has come down to `high`, and averaging begins")
    high: float = Field(default=0.5, gt=0, le=1, description="alpha_1, as a factor on the optimizer's learning rate")
    low: float | None = Field(default=None, gt=0, le=1, description="alpha_2, likewise; null stays at `high`")
    cycle_steps: int = Field(default=1, ge=1, description="updates in a cycle (c), where `low` is given")

    @model_validator(mode="after")
    def _check(self) -> "SWAScheduleConfig":
        if self.low is not None and self.low > self.high:
            raise ValueError(f"low of {self.low:g} is above high of {self.high:g}")
        return self

    def build(self, steps: int) -> Schedule:
        """Return the schedule.

        Raises:
            InputError: the fall begins after it ends.
        """
        fall, start = to_steps(self.fall, steps), to_steps(self.start, steps)
        if fall > start:
            raise InputError(f"algorithm.schedule: swa.fall, step {fall}, comes after swa.start, step {start}")
        low = self.high if self.low is None else self.low
        return partial(swa_rate, fall=fall, start=start, high=self.high, low=low, cycle_steps=self.cycle_steps)


def swa_rate(step: int, *, fall: int, start: int, high: float, low: float, cycle_steps: int) -> float:
    """Return the factor of update number `step`, counted from 0; see the module for the arguments."""
    if step < fall:
        return 1.0
    if step < start:
        return 1 + (high - 1) * (step - fall) / (start - fall)
    t = ((step - start) % cycle_steps + 1) / cycle_steps  # the i-th update from `start` has i = step - start + 1
    return (1 - t) * high + t * low
