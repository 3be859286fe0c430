"""Forecasts drawn: what went before, what came, what was forecast, and between which lines it should have come.

Checked by: reading the drawn lines back from the figures.
"""

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from fourfold.tasks.figure import BLUE, INK, MUTED, ORANGE, WIDTH, new_figure, shorten, style, thousands
from fourfold.tasks.regression import in_own_unit
from fourfold.tasks.seam import Batch

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fourfold.tasks.forecasting import ForecastingSpec

MOST_EXAMPLES = 8
MOST_VARIABLES = 3


def draw_forecasts(spec: "ForecastingSpec", batch: Batch, output: Tensor, raw: Any) -> "Figure":
    """Draw a panel an example: the last steps that the model saw, what came, and what it forecast.

    Args:
        spec: the task.
        batch: standardised inputs and targets.
        output: `[batch, horizon * variables]`, standardised.
        raw: the inputs in their own units, `[batch, length, variables]`.
    """
    variables = len(spec.names)
    past = torch.as_tensor(raw).cpu().double()[..., :1]
    true = in_own_unit(batch.targets, spec.target_mean, spec.target_deviation)[:, ::variables]
    forecast = in_own_unit(output, spec.target_mean, spec.target_deviation)[:, ::variables]
    count = min(MOST_EXAMPLES, len(past))
    columns = 2 if count > 1 else 1
    rows = math.ceil(count / columns)
    shown = min(past.shape[1], max(8, 3 * spec.horizon, 2 * spec.period))
    with style():
        figure = new_figure(WIDTH, 1.4 * rows + 0.4)
        grid = figure.subplots(rows, columns, squeeze=False)
        for number, axes in enumerate(grid.flat):
            if number >= count:
                axes.set_axis_off()
                continue
            _panel(axes, past[number, -shown:, 0], true[number], forecast[number])
        figure.legend(*grid[0, 0].get_legend_handles_labels(), loc="outside upper left", ncols=3, fontsize=8)
        figure.supylabel(shorten(spec.names[0], 24), fontsize=9)
        figure.supxlabel("steps from the last that was seen", fontsize=9)
    return figure


def _panel(axes: "Axes", past: Tensor, true: Tensor, forecast: Tensor) -> None:
    """Draw one example; step 0 is the last one that the model saw."""
    before = torch.arange(1 - len(past), 1).tolist()
    after = list(range(len(true) + 1))
    last = float(past[-1])
    axes.plot(before, past.tolist(), color=MUTED, linewidth=1.2, label="seen")
    axes.plot(after, [last, *true.tolist()], color=INK, marker="o", markersize=3, label="came")
    axes.plot(after, [last, *forecast.tolist()], color=BLUE, marker="o", markersize=3, label="forecast")
    axes.axvline(0, color=MUTED, linewidth=0.6, linestyle=":")
    axes.tick_params(labelsize=8)


def draw_split(
    spec: "ForecastingSpec", true: Tensor, forecast: Tensor, interval: Tensor | None, share: float, ahead: int
) -> "Figure":
    """Draw a whole split in time: what came and what was forecast for it some steps before, one panel a variable.

    Args:
        spec: the task.
        true: in own units, in order of time, `[steps, variables]`.
        forecast: of the same steps.
        interval: below and above a forecast, what should hold the truth, `[2, variables]`, to be added to it; None: not
            known.
        share: of the truth that the interval should hold.
        ahead: how many steps before it each was forecast.
    """
    variables = min(MOST_VARIABLES, len(spec.names))
    steps = list(range(len(true)))
    with style():
        figure = new_figure(WIDTH, 3.0 * variables)
        grid = figure.subplots(variables, 1, squeeze=False)
        for k, axes in enumerate(grid.flat):
            axes.plot(steps, true[:, k].tolist(), color=INK, linewidth=1.2, label="came")
            says = f"forecast {ahead} {'step' if ahead == 1 else 'steps'} before"
            axes.plot(steps, forecast[:, k].tolist(), color=BLUE, linewidth=1.2, label=says)
            if interval is not None:
                low, high = (forecast[:, k] + side[k] for side in interval)
                axes.fill_between(
                    steps,
                    low.tolist(),
                    high.tolist(),
                    color=BLUE,
                    alpha=0.16,
                    linewidth=0,
                    label=f"{share:.0%} interval",
                )
                missed = (true[:, k] < low) | (true[:, k] > high)
                where = [step for step, miss in zip(steps, missed.tolist(), strict=True) if miss]
                axes.scatter(where, true[missed, k].tolist(), s=14, color=ORANGE, zorder=3, label="outside")
            axes.set_ylabel(shorten(spec.names[k], 24))
            thousands(axes.yaxis)
        grid.flat[0].legend(loc="lower left", bbox_to_anchor=(0, 1), fontsize=8, ncols=2)
        grid.flat[-1].set_xlabel("steps")
    return figure
