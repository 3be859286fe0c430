"""Forecasts of a whole split in time, between lines that should hold nine truths in ten.

The lines are as far from a forecast as the errors on the validation split were, those so many steps ahead: of them one
in twenty lay lower, and one in twenty higher. This is split conformal prediction, with errors of both signs; it keeps
its promise where the errors to come are as those of the validation series, and a series that changes breaks it, which
the caption's count shows.

Source: J. Lei, M. G'Sell, A. Rinaldo, R. Tibshirani and L. Wasserman, Distribution-free predictive inference for
regression, JASA 113, 2018, section 2.2.
Departures: the interval is not made wider by (n + 1) / n for a small validation split.
Checked by: errors by hand; the drawn lines read back from the figure.
"""

import torch
from torch import Tensor

from fourfold.report.drawing import Drawn
from fourfold.report.predictions import Predictions
from fourfold.tasks.forecast_drawing import draw_split
from fourfold.tasks.forecasting import ForecastingSpec
from fourfold.tasks.regression import in_own_unit

SHARE = 0.9
FEWEST = 20  # errors from which one in twenty can be told
MOST_STEPS = 400  # in one figure


def draw_over_time(spec: ForecastingSpec, predictions: Predictions, validation: Predictions | None) -> list[Drawn]:
    """Draw the forecasts of the next step, and of the last step asked for, where that is another.

    Args:
        spec: the task.
        predictions: of the split to draw.
        validation: of the split whose errors make the intervals; None, or the same split: there are none.
    """
    drawn = []
    for ahead in sorted({1, spec.horizon}):
        true, forecast = _ahead(spec, predictions, ahead)
        interval = None
        if validation is not None and validation.split != predictions.split and len(validation) >= FEWEST:
            interval = residual_interval(*_ahead(spec, validation, ahead), SHARE)
        shown = slice(0, MOST_STEPS)
        figure = draw_split(spec, true[shown], forecast[shown], interval, SHARE, ahead)
        says = f"The {predictions.split} series, each step forecast {ahead} {'step' if ahead == 1 else 'steps'} before."
        if len(true) > MOST_STEPS:
            says += f" The first {MOST_STEPS:,} of {len(true):,} steps are drawn."
        if interval is not None:
            inside = ((true >= forecast + interval[0]) & (true <= forecast + interval[1])).double().mean()
            says += (
                f" The band is made of the errors on the validation series, to hold {SHARE:.0%} of what comes; "
                f"it held {inside:.0%}."
            )
        drawn.append(Drawn(f"forecast-{ahead}", figure, says))
    return drawn


def residual_interval(true: Tensor, forecast: Tensor, share: float) -> Tensor:
    """Return what to add to a forecast for its lower and upper line, `[2, variables]`.

    Args:
        true: `[steps, variables]`.
        forecast: of the same steps.
        share: of the errors that lie between the two.
    """
    tail = (1 - share) / 2
    return torch.quantile(true - forecast, torch.tensor([tail, 1 - tail], dtype=true.dtype), dim=0)


def _ahead(spec: ForecastingSpec, predictions: Predictions, ahead: int) -> tuple[Tensor, Tensor]:
    """Return truths and forecasts so many steps ahead, each `[examples, variables]` in own units."""
    variables = len(spec.names)
    those = slice((ahead - 1) * variables, ahead * variables)
    true = in_own_unit(predictions.batch.targets, spec.target_mean, spec.target_deviation)
    forecast = in_own_unit(predictions.output, spec.target_mean, spec.target_deviation)
    return true[:, those], forecast[:, those]
