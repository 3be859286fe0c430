"""The naive forecasts that every model of a series must beat: what was, will be.

    mean      the mean of the whole past that the data give
    last      the last value: a random walk
    season    the value one season before

To each step ahead a number is added, which starts at zero and can be learned: a drift.

Source: R. Hyndman and G. Athanasopoulos, Forecasting: principles and practice, 3rd edition, 2021, section 5.2.
Departures: their drift is one number times the steps ahead, here each step has its own; they take the mean of all that
was measured so far, here it is that of the steps that an example shows.
Checked by: hand values; the mase of a naive forecast of the training series, which is 1.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.tasks.forecasting import ForecastingSpec, forecasting_spec
from fourfold.tasks.seam import Spec, require_task

Repeats = Literal["mean", "last", "season"]


class NaiveSequenceConfig(ModelConfig):
    """Fields of `model: naive_sequence`."""

    name: Literal["naive_sequence"] = "naive_sequence"
    repeats: Repeats = Field(
        default="last", description="the mean of the past, its last value, or that of data.period steps before"
    )

    def build(self, spec: Spec) -> "NaiveSequence":
        """Return the model; the task must be forecasting."""
        spec = require_task(spec, ForecastingSpec, self.name)
        length = spec.input.length  # pyright: ignore[reportAttributeAccessIssue]  # a Series, as the spec has checked
        if self.repeats == "season" and spec.period > length:
            raise InputError(
                f"model.repeats: a season is {spec.period} steps, but the data show {length}; "
                f"use data.length={spec.period} or more"
            )
        return NaiveSequence(len(spec.names), spec.horizon, self.repeats, spec.period)

    def paper_spec(self) -> Spec:
        """Return a year of months from the two years before it."""
        return forecasting_spec(("visitors",), 24, 12, 12, (0.0,), (1.0,), (1.0,))


class NaiveSequence(nn.Module):
    """What was, and a drift.

    Args:
        variables: numbers in a step.
        horizon: steps ahead.
        repeats: what was.
        period: steps of a season.
    """

    def __init__(self, variables: int, horizon: int, repeats: Repeats = "last", period: int = 1) -> None:
        super().__init__()
        self.horizon, self.repeats, self.period = horizon, repeats, period
        self.drift = nn.Parameter(torch.zeros(horizon * variables))

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, time, variables]` to `[batch, horizon * variables]`."""
        if self.repeats == "mean":
            steps = x.mean(1, keepdim=True).expand(-1, self.horizon, -1)
        elif self.repeats == "last":
            steps = x[:, -1:].expand(-1, self.horizon, -1)
        else:
            season = x[:, -self.period :]
            steps = season[:, torch.arange(self.horizon, device=x.device) % self.period]
        return steps.flatten(1) + self.drift

    def extra_repr(self) -> str:
        return f"repeats={self.repeats}, period={self.period}"
