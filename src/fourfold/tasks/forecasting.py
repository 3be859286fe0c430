"""Forecasting: the next steps of one or more series, from those before them.

Output: `[batch, horizon * variables]`, the first step ahead of each variable, then the second, and so on.
Targets: float32 of the same shape. Both are standardised per variable, by the statistics that standardise the inputs,
so that "the same again" is the same number; metrics and predictions are in each variable's own unit.

mase, the headline, is the mean absolute error over that of the naive forecast within the training series, which says
that a step will be as the one a period before it:

    mase = mean |y_t - forecast_t| / (mean over training of |y_t - y_(t-m)|)        m = 1 without seasons

Below 1 a model errs less than that forecast did; it has no unit, and neither zeros nor a trend spoil it.

Source: R. Hyndman and A. Koehler, Another look at measures of forecast accuracy, International Journal of Forecasting
22(4), 2006, section 3, for m = 1; R. Hyndman and G. Athanasopoulos, Forecasting: principles and practice, 3rd edition,
2021, section 5.8, for seasons.
Checked by: hand values; scikit-learn's errors; a naive forecast of the training series itself, whose mase is 1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.tasks.inputs import Series
from fourfold.tasks.regression import RegressionScorer, RegressionSpec
from fourfold.tasks.seam import Batch


@dataclass(frozen=True)
class ForecastingSpec(RegressionSpec):
    """What a source of stretches of series, each with what followed it, promises.

    `target_names` and the rest of `RegressionSpec`'s fields have an entry for each variable at each step ahead.

    Attributes:
        horizon: steps ahead that are asked for.
        period: steps after which the series comes round; 1: it has no seasons.
        naive_error: of each variable, the mean of |y_t - y_(t - period)| over training, in its own unit, above zero.
    """

    horizon: int
    period: int
    naive_error: tuple[float, ...]

    task = "forecasting"
    headline = "mase"
    higher_is_better = False
    metrics = {"mase": False, "mae": False, "rmse": False}  # noqa: RUF012

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.input, Series):
            raise InputError(f"forecasting is of series, but this data gives {self.input}")
        variables = len(self.input.names)
        if self.horizon < 1 or len(self.target_names) != self.horizon * variables:
            raise InputError(
                f"target_names: {len(self.target_names)} for {variables} variables and a horizon of {self.horizon}"
            )
        if self.period < 1:
            raise InputError(f"period: {self.period}; a series comes round after one step or more")
        if len(self.naive_error) != variables or not all(error > 0 for error in self.naive_error):
            raise InputError(f"naive_error: {self.naive_error}; there must be one above zero for each variable")

    @property
    def names(self) -> tuple[str, ...]:
        """The variables' names."""
        assert isinstance(self.input, Series)
        return self.input.names

    def by_step(self, prediction: Mapping[str, float]) -> list[dict[str, float]]:
        """Return a prediction as one mapping a step ahead, `{"sold, 1 ahead": 3.0}` as `[{"sold": 3.0}]`."""
        values, variables = list(prediction.values()), len(self.names)
        starts = range(0, len(values), variables)
        return [dict(zip(self.names, values[start : start + variables], strict=True)) for start in starts]

    def scorer(self) -> "ForecastingScorer":
        """Return empty sums."""
        return ForecastingScorer(self.target_deviation, self.naive_error)

    def draw(self, batch: Batch, output: Tensor, raw: Any) -> Any:
        """Return a figure of what went before, what was forecast and what came."""
        from fourfold.tasks.forecast_drawing import draw_forecasts  # matplotlib only when something is drawn

        return draw_forecasts(self, batch, output, raw)


class ForecastingScorer(RegressionScorer):
    """Sums over examples, float64 `[horizon * variables]`, in standardised units.

    Args:
        target_deviation: of each output, in its variable's unit.
        naive_error: of each variable, in its unit.
    """

    def __init__(self, target_deviation: tuple[float, ...], naive_error: tuple[float, ...]) -> None:
        super().__init__(target_deviation)
        self.naive_error = torch.tensor(naive_error, dtype=torch.float64)

    def compute(self) -> dict[str, float]:
        """Return mase, and mae and rmse in the variables' units: over all steps ahead, then the mean of variables."""
        count, variables = max(self.count, 1), len(self.naive_error)
        mae = (self.absolute / count * self.deviation).view(-1, variables).mean(0)
        mse = (self.squared / count * self.deviation.square()).view(-1, variables).mean(0)
        return {
            "mase": float((mae / self.naive_error).mean()),
            "mae": float(mae.mean()),
            "rmse": float(mse.sqrt().mean()),
        }


def forecasting_spec(
    names: tuple[str, ...],
    length: int,
    horizon: int,
    period: int,
    mean: tuple[float, ...],
    deviation: tuple[float, ...],
    naive_error: tuple[float, ...],
) -> ForecastingSpec:
    """Return the spec of series from a number for each variable.

    Args:
        names: of the variables.
        length: steps that a model sees.
        horizon: steps it is asked for.
        period: steps after which the series comes round; 1: it has no seasons.
        mean: over the training series, in own units.
        deviation: the same.
        naive_error: mean |y_t - y_(t - period)| over the training series, in own units.
    """
    ahead = [f"{name}, {step} ahead" for step in range(1, horizon + 1) for name in names]
    return ForecastingSpec(
        Series(names, length), tuple(ahead), mean * horizon, deviation * horizon, horizon, period, naive_error
    )
