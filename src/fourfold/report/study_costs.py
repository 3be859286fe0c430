"""What the arms of a study cost, against how good they are.

Checked by: places of the dots read back; a logarithmic axis only where costs span it.
"""

import statistics
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from fourfold.report.drawing import Drawn
from fourfold.report.study_axes import legend_below, log_axis
from fourfold.report.study_words import scale, score_axis, score_name
from fourfold.tasks.figure import MUTED, WIDTH, new_figure, style, thousands

LOG_SPAN = 10.0  # costs that span more are drawn on a logarithmic axis


class Cost(NamedTuple):
    """What one arm took, over its cells that have a cost; None where nothing is known."""

    seconds: float | None  # median over seeds, of training
    examples_per_second: float | None  # median over seeds
    counts: str  # what that is of, such as "examples" or "tokens"
    params: int | None
    peak_memory_bytes: float | None  # the largest
    cells: list[tuple[float, float]]  # seconds and score of each finished cell


def cost_of(arm: Mapping[str, Any], costs: Mapping[str, Mapping[str, Any]]) -> Cost:
    """Return what an arm took.

    Args:
        arm: of a problem of study.json.
        costs: `cells` of costs.json.
    """

    def known(name: str) -> list[float]:
        values = [costs.get(cell["key"], {}).get(name) for cell in arm["cells"] if cell["score"] is not None]
        return [float(value) for value in values if isinstance(value, int | float)]

    seconds, speed, memory = known("seconds"), known("examples_per_second"), known("peak_memory_bytes")
    counted = (costs.get(cell["key"], {}).get("counts") for cell in arm["cells"])
    cells = []
    for cell in arm["cells"]:
        took = costs.get(cell["key"], {}).get("seconds")
        if cell["score"] is not None and isinstance(took, int | float) and took > 0:
            cells.append((float(took), cell["score"]))
    return Cost(
        statistics.median(seconds) if seconds else None,
        statistics.median(speed) if speed else None,
        next((each for each in counted if isinstance(each, str)), "examples"),
        arm["params"],
        max(memory) if memory else None,
        cells,
    )


def draw_costs(
    problem: Mapping[str, Any], costs: Mapping[str, Cost], named: Mapping[str, str], suffix: str
) -> list[Drawn]:
    """Draw the score against seconds of training and, where arms differ in it, against the number of parameters.

    Args:
        problem: of a study.json.
        costs: by arm.
        named: arms that have a colour; the others are grey.
        suffix: of the figures' names.
    """
    timed = {arm: cost.cells for arm, cost in costs.items() if cost.cells}
    sized = {
        arm["name"]: [(float(arm["params"]), cell["score"]) for cell in arm["cells"] if cell["score"] is not None]
        for arm in problem["arms"]
        if arm["params"]
    }
    drawn = []
    if timed:
        caption = "Each faint dot is a seed, each large one the mean of an arm; seconds are those of training alone"
        drawn.append(
            _draw(f"score-by-time{suffix}", "Score against time", "seconds of training", problem, timed, named, caption)
        )
    if len({x for cells in sized.values() for x, _ in cells}) > 1:
        caption = "Each faint dot is a seed, each large one the mean of an arm"
        drawn.append(
            _draw(f"score-by-size{suffix}", "Score against size", "parameters", problem, sized, named, caption)
        )
    return drawn


def _draw(
    name: str,
    title: str,
    quantity: str,
    problem: Mapping[str, Any],
    cells: Mapping[str, Sequence[tuple[float, float]]],
    named: Mapping[str, str],
    caption: str,
) -> Drawn:
    factor = scale(score_name(problem))
    everything = [x for each in cells.values() for x, _ in each]
    with style():
        figure = new_figure(WIDTH, 2.8)
        axes = figure.subplots()
        others = [arm for arm in cells if arm not in named]
        for arm in [*others, *(arm for arm in named if arm in cells)]:
            if not cells[arm]:
                continue
            x, y = zip(*cells[arm], strict=True)
            colour, y = named.get(arm, MUTED), [factor * value for value in y]
            label = arm if arm in named else ("others" if arm == others[0] else "_other")
            axes.plot(x, y, "o", color=colour, alpha=0.35, markersize=3.6, markeredgewidth=0)
            mean = ([statistics.fmean(x)], [statistics.fmean(y)])
            axes.plot(*mean, "o", color=colour, markersize=7.5 if arm in named else 5, label=label)
        if max(everything) / min(everything) > LOG_SPAN:
            log_axis(axes, "x", min(everything), max(everything))
            caption += "; the axis is logarithmic"
        else:
            axes.set_xlim(left=0, right=1.06 * max(everything))
            thousands(axes.xaxis)
        thousands(axes.yaxis)
        axes.set_title(title)
        axes.set_xlabel(quantity)
        axes.set_ylabel(score_axis(problem))
        legend_below(figure, axes)
    return Drawn(name, figure, f"{caption}.")
