"""Scores of several arms side by side, a dot a seed and a bar at the mean, as a drawing that loads nothing.

Checked by: as many dots as scores; each dot where its score is on the axis.
"""

import math
import statistics
from collections.abc import Mapping, Sequence
from html import escape

from fourfold.report.numbers import number

WIDTH, ROW, LEFT, RIGHT = 640, 26, 190, 24
WIDE = 50.0  # scores above zero that lie farther apart than this are drawn on a log axis


def draw_strips(scores: Mapping[str, Sequence[float | None]], measure: str) -> str:
    """Return a figure of HTML with a strip for each arm; empty if there are no scores.

    Args:
        scores: of each arm; None where there is none.
        measure: what they are, for the caption.
    """
    known = [score for each in scores.values() for score in each if score is not None]
    if not known:
        return ""
    low, high = min(known), max(known)
    log = low > 0 and high / low > WIDE
    rows = "".join(_strip(i, name, each, low, high, log) for i, (name, each) in enumerate(scores.items()))
    bottom = ROW * len(scores) + 6
    ends = "".join(
        f'<text x="{_place(value, low, high, log):.1f}" y="{bottom + 14}" text-anchor="middle" font-size="12" '
        f'fill="var(--muted)">{escape(number(value))}</text>'
        for value in dict.fromkeys((low, high))
    )
    axis = f'<path d="M{LEFT} {bottom}H{WIDTH - RIGHT}" stroke="var(--faint)"/>'
    caption = f"{measure}; a dot is a seed, a bar the mean" + (", log scale" if log else "")
    return (
        f'<figure style="--width: {WIDTH}px; --least: 24rem" class="scroll"><svg viewBox="0 0 {WIDTH} {bottom + 20}" '
        f'role="img" aria-label="{escape(measure)} by arm">{rows}{axis}{ends}</svg>'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _strip(row: int, name: str, scores: Sequence[float | None], low: float, high: float, log: bool) -> str:
    """Return an arm's name, and its dots and bar where it has scores."""
    y = ROW * row + ROW // 2 + 4
    known = [score for score in scores if score is not None]
    places = [_place(score, low, high, log) for score in known]
    dots = "".join(f'<circle cx="{x:.1f}" cy="{y}" r="4" fill="var(--blue)" fill-opacity=".45"/>' for x in places)
    mean = f"M{_place(statistics.fmean(known), low, high, log):.1f} {y - 8}v16" if known else ""
    bar = f'<path d="{mean}" stroke="var(--ink)" stroke-width="2"/>' if known else ""
    label = name if len(name) <= 26 else name[:25] + "…"
    return (
        f'<text x="{LEFT - 14}" y="{y + 4}" text-anchor="end" font-size="13" fill="var(--ink)">{escape(label)}</text>'
        f"{dots}{bar}"
    )


def _place(value: float, low: float, high: float, log: bool) -> float:
    """Return where on the axis a score is, in the drawing's units."""
    if low == high:
        return (LEFT + WIDTH - RIGHT) / 2
    share = math.log(value / low) / math.log(high / low) if log else (value - low) / (high - low)
    return LEFT + share * (WIDTH - RIGHT - LEFT)
