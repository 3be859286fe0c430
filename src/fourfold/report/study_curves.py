"""How the arms of a study learned: curves averaged over seeds, with a band from the lowest seed to the highest.

Returns of episodes, which single seeds may spoil or save, are averaged over the middle half of the seeds, and the band
is where that lies with 95 % by a bootstrap over seeds.

Source, for returns: Agarwal, Schwarzer, Castro, Courville and Bellemare, Deep Reinforcement Learning at the Edge of the
Statistical Precipice, NeurIPS 2021, arXiv:2108.13264, sections 4.1 and 4.3.
Checked by: lines and bands read back from the figure, for seeds that were logged at different steps too; the interval
of the last point against that of the scores.
"""

from collections.abc import Callable, Mapping, Sequence
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
from fourfold.study.intervals import interquartile_mean, interquartile_mean_interval
from fourfold.tasks.figure import WIDTH, new_figure, style, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 200  # of a curve on a page
RETURN = "return"  # of episodes


Fold = tuple[np.ndarray, np.ndarray, np.ndarray]  # middle, low and high of seeds, `[steps]` each


class Band(NamedTuple):
    """A curve over seeds, all `[steps]`."""

    steps: np.ndarray
    middle: np.ndarray
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
        fold = quarters if curve == f"validation.{RETURN}" else ends
        bands = {arm: band([each[curve] for each in curves if curve in each], fold) for arm, curves in arms.items()}
        known = {arm: each for arm, each in bands.items() if each is not None}
        if known:
            main = [arm for arm in auxiliary if arm in known and curve == "train.loss"]
            drawn.append(_draw(curve, known, named, suffix, [arm for arm in arms if arm not in known], main))
    return drawn


def ends(table: np.ndarray) -> Fold:
    """Return the mean of values `[seeds, steps]` at each step, the lowest and the highest."""
    return table.mean(axis=0), table.min(axis=0), table.max(axis=0)


def quarters(table: np.ndarray) -> Fold:
    """Return the interquartile mean of values `[seeds, steps]` at each step, and the ends of its interval."""
    intervals = np.array([interquartile_mean_interval([at_step]) for at_step in table.T])
    return np.array([interquartile_mean(at_step) for at_step in table.T]), intervals[:, 0], intervals[:, 1]


def band(curves: Sequence[Curve], fold: Callable[[np.ndarray], Fold] = ends) -> Band | None:
    """Return one arm's seeds as one curve, as far as every seed got; None where they share no two steps.

    Between the steps at which it was logged, a curve is a straight line.

    Args:
        curves: of the seeds.
        fold: gives the middle of the seeds, and the edges of the band: `ends` or `quarters`.
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
    return Band(steps, *fold(table), len(curves))


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
            axes.plot(each.steps, factor * each.middle, color=colour, label=arm)
        _scale(axes, [factor * edge for each in bands.values() for edge in (each.low, each.high)], name)
        thousands(axes.xaxis)
        axes.set_title(title)
        axes.set_xlabel("step")
        axes.set_ylabel(quantity(name))
        legend_below(figure, axes)
    words = f"{title}: {'interquartile mean' if name == RETURN else 'mean'} over the finished seeds"
    if any(each.seeds > 1 for each in bands.values()):
        edges = (
            "are its 95 % interval, by a bootstrap" if name == RETURN else "reach from the lowest seed to the highest"
        )
        words += f"; bands {edges}"
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
