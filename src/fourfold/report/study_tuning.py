"""What a tuning tried for each arm, how that did on validation, and what was chosen.

Checked by: every trial and every choice read back from the figure.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from fourfold.report.curves import LOG_SPAN
from fourfold.report.drawing import Drawn
from fourfold.report.study_axes import legend_below, log_axis
from fourfold.report.study_words import fit, scale, score_axis, score_name
from fourfold.study.design import Space, parse_space
from fourfold.tasks.figure import INK, WIDTH, new_figure, style, thousands

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_SPACES = 4  # that are drawn of one problem


def draw_tuning(
    study: Mapping[str, Any], problem: Mapping[str, Any], named: Mapping[str, str], suffix: str
) -> list[Drawn]:
    """Draw the values that were tried in each space against their validation score; a space nobody tried is left out.

    Args:
        study: content of a study.json.
        problem: one of its problems.
        named: arms that are drawn, and their colours.
        suffix: of the figures' names.
    """
    drawn = []
    for number, text in enumerate(study["asked"]["tune"][:MOST_SPACES], start=1):
        space = parse_space(text)
        arms = [arm for arm in problem["arms"] if arm["name"] in named and _trials(arm, space.key)]
        if arms:
            drawn.append(_draw(space, problem, arms, named, f"tuning-{number}{suffix}"))
    return drawn


def _trials(arm: Mapping[str, Any], key: str) -> list[tuple[float, float | None]]:
    """Return every value that was tried, and its score."""
    trials = [trial for cell in arm["cells"] for trial in cell["trials"] if key in trial["values"]]
    return [(trial["values"][key], trial["score"]) for trial in trials]


def _chosen(arm: Mapping[str, Any], key: str) -> list[tuple[float, float]]:
    """Return the value chosen at each seed, and the score that it was chosen for."""
    found = []
    for cell in arm["cells"]:
        of_it = [trial["score"] for trial in cell["trials"] if trial["values"] == cell["tuned"]]
        if of_it and of_it[0] is not None:
            found.append((cell["tuned"][key], of_it[0]))
    return found


def _draw(space: Space, problem: Mapping[str, Any], arms: list[Any], named: Mapping[str, str], name: str) -> Drawn:
    factor = scale(score_name(problem))
    failed = 0
    with style():
        figure = new_figure(WIDTH, 2.8)
        axes = figure.subplots()
        for arm in arms:
            colour, tried = named[arm["name"]], _trials(arm, space.key)
            scored = [(x, factor * y) for x, y in tried if y is not None]
            chosen = [(x, factor * y) for x, y in _chosen(arm, space.key)]
            lost = [x for x, y in tried if y is None]
            failed += len(lost)
            _dots(axes, scored, "o", color=colour, alpha=0.45, markersize=4.2, markeredgewidth=0)
            _dots(axes, chosen, "o", color=colour, markersize=7.5, markeredgecolor=INK, markeredgewidth=1.2)
            axes.plot([], [], "o", color=colour, markersize=7.5, label=arm["name"])
            if lost:
                at_bottom = axes.get_xaxis_transform()
                axes.plot(lost, [0.02] * len(lost), "x", color=colour, markersize=5, transform=at_bottom, clip_on=False)
        _scale(axes, [factor * y for arm in arms for _, y in _trials(arm, space.key) if y is not None], factor)
        if space.log:
            log_axis(axes, "x", space.low, space.high)
            room = (space.high / space.low) ** 0.04
            axes.set_xlim(space.low / room, space.high * room)
        else:
            room = 0.04 * (space.high - space.low)
            axes.set_xlim(space.low - room, space.high + room)
            thousands(axes.xaxis)
        axes.set_title(f"Tried values of {fit(space.key.rsplit('.', 1)[-1].replace('_', ' '), 34)}")
        axes.set_xlabel(fit(space.key, 52))
        axes.set_ylabel(score_axis(problem, "validation"))
        legend_below(figure, axes)
    caption = "Each dot is a trial, at any seed; ringed: chosen for a seed, then trained again and tested"
    crosses = f"; crosses: {failed} that diverged" if failed else ""
    return Drawn(name, figure, f"{caption}{crosses}.")


def _dots(axes: "Axes", places: list[tuple[float, float]], *marker: str, **look: Any) -> None:
    x, y = zip(*places, strict=True) if places else ((), ())
    axes.plot(x, y, *marker, **look)


def _scale(axes: "Axes", values: list[float], factor: int) -> None:
    if values and factor == 1 and min(values) > 0 and max(values) / min(values) > LOG_SPAN:
        log_axis(axes, "y", min(values), max(values))
    else:
        thousands(axes.yaxis)
