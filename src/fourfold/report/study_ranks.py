"""Arms over several problems: a critical-difference diagram, and performance profiles.

Source: Demšar, Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7, 2006, figure 1; Dolan & Moré,
Benchmarking Optimization Software with Performance Profiles, Math. Program. 91, 2002, figure 1.
Departures: names stand in rows beside their stems, the best on top, and not on two sides, so that long ones fit.
Checked by: groups worked out by hand; places and steps read back from the figures.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from fourfold.report.drawing import Drawn
from fourfold.report.numbers import number
from fourfold.report.study_axes import legend_below, log_axis
from fourfold.report.study_words import fit
from fourfold.tasks.figure import BLUE, INK, MUTED, ORANGE, WIDTH, blank, display_width, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOG_SPAN = 10.0  # factors that span more are drawn on a logarithmic axis
WIDEST = 30  # Latin letters of a name beside its stem
INCHES = 0.078  # of a letter


def groups(ranks: Sequence[float], critical: float) -> list[tuple[float, float]]:
    """Return first and last rank of each group of two or more that are not told apart, none inside another.

    Args:
        ranks: average ranks, in any order.
        critical: ranks that lie less than this apart are not told apart.
    """
    ordered = sorted(ranks)
    found: list[tuple[float, float]] = []
    reached = -1
    for first, low in enumerate(ordered):
        last = max(i for i, high in enumerate(ordered) if high == low or high - low < critical)
        if last > first and last > reached:
            found.append((low, ordered[last]))
            reached = last
    return found


def draw_ranks(overall: Mapping[str, Any], problems: int) -> Drawn:
    """Draw average ranks, and bars over those that are not told apart.

    Args:
        overall: of a study.json.
        problems: how many recipes were ranked.
    """
    ranks, critical = overall["ranks"]["average"], overall["ranks"]["critical_difference"]
    rows = sorted(zip(ranks, overall["arms"], strict=True))
    bars = groups(ranks, critical)
    top, step = 0.16 * len(bars) + 0.2, 0.27  # inches below the axis where names begin, and from name to name
    with style():
        figure = new_figure(WIDTH, 0.95 + top + step * len(rows))
        axes = figure.subplots()
        gap = _axis(axes, rows, critical)
        for place, (low, high) in enumerate(bars):
            y = -0.14 - 0.16 * place
            axes.plot([low - 0.04, high + 0.04], [y, y], color=ORANGE, linewidth=3.4, solid_capstyle="butt")
        for place, (rank, arm) in enumerate(rows):
            y = -top - step * place - 0.1
            axes.plot([rank, rank], [0, y], color=BLUE, linewidth=1)
            axes.plot([rank], [y], "o", color=BLUE, markersize=4.5)
            label = f"{fit(arm, WIDEST)}  {rank:.3g}"
            axes.text(rank - gap, y, label, fontsize=9, color=INK, ha="right", va="center")
        axes.set_ylim(-top - step * len(rows) - 0.05, 0.55 if _is_inside(critical, rows) else 0.3)
        axes.set_title("Average rank, 1 is best")
    chance = f"Were all arms alike, ranks this uneven would come up in {100 * overall['ranks']['p']:.2g} % of studies."
    told = f"Over {problems} recipes, arms are told apart where their ranks lie {number(critical)} or more apart"
    together = "; a bar joins those that are not" if bars else "; here all are"
    return Drawn("ranks", figure, f"{told}{together}. {chance}")


def _is_inside(critical: float, rows: Sequence[tuple[float, str]]) -> bool:
    """Return whether a critical difference is short enough to be drawn above the axis."""
    return critical <= len(rows) - 1


def _axis(axes: "Axes", rows: Sequence[tuple[float, str]], critical: float) -> float:
    """Draw the axis of ranks on top, with room for names on its left, and the critical difference above it.

    Returns:
        A letter's width, in ranks.
    """
    count, inside = len(rows), 0.93 * WIDTH
    needed = max(  # where a rank's name begins, in shares of the ranks' own width, is the room that it needs
        (INCHES * (display_width(fit(arm, WIDEST)) + 6)) - (inside - 2.2) * (rank - 1) / max(count - 1, 1)
        for rank, arm in rows
    )
    room = min(max(needed, 0.2), 2.6)
    per_rank = (inside - room) / max(count - 1, 1)
    axes.set_xlim(1 - room / per_rank, count + 0.12 / per_rank)
    axes.plot([1, count], [0, 0], color=MUTED, linewidth=1)
    every = max(1, round(count / 8))
    for rank in [*(rank for rank in range(1, count, every) if count - rank >= every), count]:
        axes.plot([rank, rank], [0, 0.07], color=MUTED, linewidth=1)
        axes.text(rank, 0.1, str(rank), ha="center", va="bottom", fontsize=9, color=MUTED)
    if _is_inside(critical, rows):
        axes.plot([1, 1 + critical], [0.4, 0.4], color=ORANGE, linewidth=1.4, marker="|", markersize=7)
        axes.text(1 + critical + 0.08 / per_rank, 0.4, "critical difference", fontsize=9, color=MUTED, va="center")
    blank(axes)
    return INCHES / per_rank


def draw_profile(overall: Mapping[str, Any], named: Mapping[str, str]) -> Drawn | None:
    """Draw on what share of the problems each arm is within a factor of the best; None where that makes no sense.

    Args:
        overall: of a study.json.
        named: arms that are drawn, and their colours.
    """
    profile = overall["profile"]
    if profile is None:
        return None
    factors = profile["factors"]
    end = factors[-1] * 1.03 if factors[-1] > 1 else 1.1
    with style():
        figure = new_figure(WIDTH, 2.8)
        axes = figure.subplots()
        for arm, shares in zip(overall["arms"], profile["shares"], strict=True):
            if arm in named:
                y = [100 * share for share in [*shares, shares[-1]]]
                axes.step([*factors, end], y, where="post", color=named[arm], label=arm, alpha=0.9)
        if end > LOG_SPAN:
            log_axis(axes, "x", 1, end)
        axes.set_xlim(1 if end > LOG_SPAN else 1 - 0.02 * (end - 1), end)
        axes.set_ylim(-3, 103)
        axes.set_title("Performance profile")
        axes.set_xlabel("factor of the best arm's score")
        axes.set_ylabel("recipes (%)")
        legend_below(figure, axes)
    return Drawn(
        "profile", figure, "On how many recipes an arm is within a factor of the best; a line further up is better."
    )
