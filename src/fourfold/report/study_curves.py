"""How the arms of a study learned: curves averaged over seeds, with a band from the lowest seed to the highest.

Checked by: lines and bands read back from the figure, for seeds that were logged at different steps too.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fourfold.core.errors import InputError
from fourfold.records.points import read_points
from fourfold.report.curves import LOG_SPAN, Curve, collect
from fourfold.report.drawing import Drawn
from fourfold.report.numbers import quantity
from fourfold.report.study_axes import legend_below, log_axis
from fourfold.report.study_words import listed, scale, score_name
from fourfold.tasks.figure import WIDTH, new_figure, style, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 200  # of a curve on a page


class Band(NamedTuple):
    """A curve over seeds, all `[steps]`."""

    steps: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    seeds: int


def draw_study_curves(problem: Mapping[str, Any], named: Mapping[str, str], cells: Path, suffix: str) -> list[Drawn]:
    """Draw training loss and the validation score of the arms that are named; what was not recorded is left out.

    Args:
        problem: of a study.json.
        named: arms and their colours.
        cells: where the runs are.
        suffix: of the figures' names.
    """
    name = score_name(problem)
    wanted = ["train.loss", f"validation.{name}"]
    arms = {arm["name"]: _curves(arm, cells, wanted) for arm in problem["arms"] if arm["name"] in named}
    auxiliary = [arm for arm, curves in arms.items() if any("train.auxiliary" in each for each in curves)]
    drawn = []
    for curve in wanted:
        bands = {arm: band([each[curve] for each in curves if curve in each]) for arm, curves in arms.items()}
        known = {arm: each for arm, each in bands.items() if each is not None}
        if known:
            main = [arm for arm in auxiliary if arm in known and curve == "train.loss"]
            drawn.append(_draw(curve, known, named, suffix, [arm for arm in arms if arm not in known], main))
    return drawn


def band(curves: Sequence[Curve]) -> Band | None:
    """Return mean and range of one arm's seeds, as far as every seed got; None where they share no two steps.

    Between the steps at which it was logged, a curve is a straight line.
    """
    curves = [curve for curve in curves if len(curve) > 1]
    if not curves:
        return None
    first, last = max(curve[0][0] for curve in curves), min(curve[-1][0] for curve in curves)
    steps = np.array(sorted({step for curve in curves for step, _ in curve if first <= step <= last}))
    if steps.size < 2:
        return None
    if steps.size > MOST_POINTS:
        steps = steps[np.linspace(0, steps.size - 1, MOST_POINTS).round().astype(int)]
    table = np.array([np.interp(steps, *np.array(curve, dtype=np.float64).T) for curve in curves])
    return Band(steps, table.mean(axis=0), table.min(axis=0), table.max(axis=0), len(curves))


def _curves(arm: Mapping[str, Any], cells: Path, wanted: Sequence[str]) -> list[dict[str, Curve]]:
    """Return the wanted curves of an arm's finished cells; a run that is gone or damaged has none.

    The training loss of a network with auxiliary outputs is that of its main output, which others can be held against.
    """
    found = []
    for cell in arm["cells"]:
        if cell["status"] == "done" and cell["folder"] is not None:
            try:
                names = [*wanted, "train.main", "train.auxiliary"]
                curves = collect(list(read_points(cells / cell["folder"] / "metrics.jsonl", names)))
            except InputError:
                continue
            found.append(curves | ({"train.loss": curves["train.main"]} if "train.auxiliary" in curves else {}))
    return found


def _draw(
    curve: str, bands: Mapping[str, Band], named: Mapping[str, str], suffix: str, without: list[str], main: list[str]
) -> Drawn:
    split, _, name = curve.partition(".")
    factor = scale(name)
    title = "Training loss" if split == "train" else f"Validation {name.replace('_', ' ')}"
    with style():
        figure = new_figure(WIDTH, 2.8)
        axes = figure.subplots()
        for arm, each in bands.items():
            colour = named[arm]
            if each.seeds > 1:
                low, high = factor * each.low, factor * each.high
                axes.fill_between(each.steps, low, high, color=colour, alpha=0.16, linewidth=0)
            axes.plot(each.steps, factor * each.mean, color=colour, label=arm)
        _scale(axes, [factor * edge for each in bands.values() for edge in (each.low, each.high)], name)
        thousands(axes.xaxis)
        axes.set_title(title)
        axes.set_xlabel("step")
        axes.set_ylabel(quantity(name))
        legend_below(figure, axes)
    words = f"{title}: mean over the finished seeds"
    if any(each.seeds > 1 for each in bands.values()):
        words += "; bands reach from the lowest seed to the highest"
    if main:
        words += f". Of {listed(main)} it is the main output's, without the auxiliary ones'"
    if without:
        words += f". No curve of {listed(without)}"
    return Drawn(f"{split}-{name}{suffix}", figure, f"{words}.")


def _scale(axes: "Axes", edges: Sequence[np.ndarray], name: str) -> None:
    """Choose a logarithmic axis for a loss that falls far."""
    low, high = min(edge.min() for edge in edges), max(edge.max() for edge in edges)
    if scale(name) == 1 and low > 0 and high / low > LOG_SPAN:
        log_axis(axes, "y", float(low), float(high))
    else:
        thousands(axes.yaxis)
