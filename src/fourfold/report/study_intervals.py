"""Arms in rows, each with its mean, its interval, and every seed as a faint dot: scores, and paired differences.

Checked by: points, intervals and dots read back from the figures.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from fourfold.report.drawing import Drawn
from fourfold.report.numbers import quantity
from fourfold.report.study_words import (
    POINTS,
    best_first,
    difference,
    end_of_interval,
    fit,
    place_of,
    scale,
    score,
    score_axis,
    score_name,
    unit,
)
from fourfold.tasks.figure import (
    BLUE,
    FAINT,
    GREEN,
    INK,
    MUTED,
    ORANGE,
    PAPER,
    WIDTH,
    display_width,
    new_figure,
    style,
    thousands,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_ROWS = 30
COLOURS = {"better": GREEN, "worse": ORANGE, "no difference": BLUE, "undecided": MUTED}
IN_WORDS = {"better": "green", "worse": "orange", "no difference": "blue", "undecided": "grey"}
LETTERS = 56  # that fit on a row
UNDER_NAME = 0.58, 0.1  # below and above a row's line, in rows: as far as the next name, and as its own


class Row(NamedTuple):
    """One line of a figure; numbers are as they are drawn."""

    label: str
    says: str
    mean: float
    low: float | None
    high: float | None
    seeds: Sequence[float]
    colour: str


def draw_scores(problem: Mapping[str, Any], named: Mapping[str, str], suffix: str) -> Drawn | None:
    """Draw what each arm scored, the best first; None if none has a score.

    Args:
        problem: of a study.json.
        named: arms that have a colour; the others are grey.
        suffix: of the figure's name.
    """
    name, known = score_name(problem), [arm for arm in best_first(problem) if arm["mean"] is not None]
    if not known:
        return None
    factor = scale(name)
    rows = [
        Row(
            arm["name"],
            score(name, arm["mean"]),
            factor * arm["mean"],
            end_of_interval(name, arm["low"]),
            end_of_interval(name, arm["high"]),
            [factor * cell["score"] for cell in arm["cells"] if cell["score"] is not None],
            named.get(arm["name"], MUTED),
        )
        for arm in known[:MOST_ROWS]
    ]
    with style():
        figure = new_figure(WIDTH, 0.52 * len(rows) + 1.05)
        axes = figure.subplots()
        draw_rows(axes, rows)
        axes.margins(x=0.06)
        thousands(axes.xaxis)
        axes.set_xlabel(score_axis(problem))
        axes.set_title("Scores, the best on top")
    words = "Large dots: mean over seeds; lines: its 95 % interval; faint dots: each seed."
    return Drawn(f"scores{suffix}", figure, words + _only(len(rows), len(known)))


def draw_differences(problem: Mapping[str, Any], suffix: str) -> Drawn | None:
    """Draw every comparison of a problem, the best first; None if no arm has a difference.

    Args:
        problem: of a study.json.
        suffix: of the figure's name.
    """
    known = [row for row in problem["comparisons"] if row.get("difference") is not None]
    if not known:
        return None
    chosen = sorted(known, key=lambda row: place_of(problem, row))[:MOST_ROWS]
    name = score_name(problem)
    factor = scale(name)
    rows = [
        Row(
            row["arm"],
            difference(name, row).removesuffix(unit(name)),
            factor * row["difference"],
            _times(factor, row["low"]),
            _times(factor, row["high"]),
            [factor * each for each in seed_differences(problem, row["arm"], row["against"])],
            COLOURS[row["verdict"]],
        )
        for row in chosen
    ]
    with style():
        figure = new_figure(WIDTH, 0.52 * len(rows) + 1.05)
        axes = figure.subplots()
        draw_rows(axes, rows)
        _hold_zero(axes, factor * chosen[0]["smallest"], len(rows))
        thousands(axes.xaxis)
        what = quantity(name) if factor == 1 else f"{name.replace('_', ' ')} ({POINTS})"
        axes.set_xlabel(f"difference in {problem['metric'].partition('.')[0]} {what}")
        axes.set_title(f"Differences to {fit(chosen[0]['against'], 32)}")
    found = ", ".join(f"{IN_WORDS[word]}: {word}" for word in COLOURS if any(r["verdict"] == word for r in chosen))
    side = "Right" if problem["higher_is_better"] else "Left"
    words = (
        "Large dots: mean difference; lines: its 95 % interval; faint dots: each seed. "
        f"{side} of 0 is better; what lies in the shade is too little to matter. {found.capitalize()}."
    )
    return Drawn(f"differences{suffix}", figure, words + _only(len(rows), len(known)))


def seed_differences(problem: Mapping[str, Any], arm: str, against: str) -> list[float]:
    """Return arm minus reference at each seed that has a score of both."""
    cells = {each["name"]: each["cells"] for each in problem["arms"]}
    pairs = zip(cells[arm], cells[against], strict=True)
    return [a["score"] - b["score"] for a, b in pairs if a["score"] is not None and b["score"] is not None]


def draw_rows(axes: "Axes", rows: Sequence[Row]) -> None:
    """Draw rows from the top down: the name, the mean with its interval, each seed, and what it says."""
    for place, row in enumerate(rows):
        y, colour = -place, row.colour
        axes.plot(
            row.seeds, [y - 0.2] * len(row.seeds), "o", color=colour, alpha=0.35, markersize=3.6, markeredgewidth=0
        )
        if row.low is not None and row.high is not None:
            axes.plot([row.low, row.high], [y, y], color=colour, linewidth=2.2, solid_capstyle="round")
        axes.plot([row.mean], [y], "o", color=colour, markersize=6.5)
        label = fit(row.label, LETTERS - display_width(row.says) - 2)
        behind = {"facecolor": PAPER, "edgecolor": "none", "pad": 0.6}  # no line runs through a name
        for x, text, side, paint in ((0.0, label, "left", INK), (1.0, row.says, "right", MUTED)):
            across = axes.get_yaxis_transform()
            axes.text(x, y + 0.24, text, color=paint, fontsize=9, ha=side, va="center", transform=across, bbox=behind)
    axes.set_ylim(-len(rows) + 0.6, 0.52)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.grid(False, axis="y")


def _hold_zero(axes: "Axes", smallest: float, rows: int) -> None:
    """Set limits that hold zero and every interval; mark zero, and shade what is too little to matter.

    Both stand beside a row's dots and not behind its name; the shade may reach out of sight.
    """
    low, high = min(axes.dataLim.x0, 0.0), max(axes.dataLim.x1, 0.0)
    if 0 < smallest < 4 * max(high, -low) or low == high:
        low, high = min(low, -smallest), max(high, smallest)
    room = 0.05 * (high - low) or 1.0
    bottoms = [max(-place - UNDER_NAME[0], 0.6 - rows) for place in range(rows)]  # not below the axis
    for place, bottom in enumerate(bottoms):
        top = -place + UNDER_NAME[1]
        axes.fill_betweenx([bottom, top], -smallest, smallest, color=FAINT, alpha=0.7, linewidth=0, zorder=0)
        axes.vlines(0, bottom, top, color=MUTED, linewidth=1, zorder=1)
    axes.set_xlim(low - room, high + room)


def _times(factor: float, value: float | None) -> float | None:
    return None if value is None else factor * value


def _only(shown: int, known: int) -> str:
    return f" The {shown} best of {known}." if known > shown else ""
