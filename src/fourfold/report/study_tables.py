"""The tables of a study's page, each a piece of HTML; every name is escaped.

Checked by: arms of each kind, and what a browser makes of a name that is HTML.
"""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from fourfold.report.drawing import VARIABLES
from fourfold.report.numbers import count, duration, number
from fourfold.report.study_costs import Cost
from fourfold.report.study_words import best_first, difference, end_of_interval, scale, score, score_name, unit

MOST_ROWS = 20  # that are seen at once; the others are a click away


def arms_table(problem: Mapping[str, Any], named: Mapping[str, str]) -> str:
    """Return what each arm scored, the best first."""
    name = score_name(problem)
    compared = {row["arm"]: row for row in problem["comparisons"]}
    against = problem["comparisons"][0]["against"] if problem["comparisons"] else None
    head = ["mean", "±", "interquartile mean", "seeds"]
    if against is not None:
        head += [f"difference{unit(name) and ' (points)'}", "p", "P(better)", "verdict"]
    rows = []
    for arm in best_first(problem):
        cells = [
            _with_ends(name, arm["mean"], arm["low"], arm["high"]),
            escape(_spread(name, arm["deviation"])),
            _with_ends(name, arm["interquartile_mean"], arm["interquartile_low"], arm["interquartile_high"]),
            f"{arm['finished']} of {len(arm['cells'])}",
        ]
        row = compared.get(arm["name"])
        if row is not None:
            p = f"{row['p_holm']:.2g}" if "p_holm" in row else ""
            by = _over_ends(difference(name, row).removesuffix(unit(name)))
            cells += [by, p, _chance(row.get("probability_of_improvement")), pill(row["verdict"])]
        elif against is not None:
            cells += ["", "", "", '<span class="muted">reference</span>']
        told = "".join(f'<td data-title="{title}">{cell}</td>' for title, cell in zip(head, cells, strict=True))
        rows.append(f"<tr>{_named(arm['name'], named)}{told}</tr>")
    return _table(["arm", *head], rows, "scored")


def verdict_table(study: Mapping[str, Any]) -> str:
    """Return each arm's verdict on each recipe, with the difference, in the order asked."""
    rows = []
    for arm in (arm["name"] for arm in study["asked"]["arms"] if arm["name"] != study["asked"]["against"]):
        cells = ""
        for problem in study["problems"]:
            row = next(row for row in problem["comparisons"] if row["arm"] == arm)
            cells += f"<td>{pill(row['verdict'])}<br>{escape(difference(score_name(problem), row))}</td>"
        rows.append(f"<tr>{_named(arm, {})}{cells}</tr>")
    return _table([f"against {study['asked']['against']}", *(problem["recipe"] for problem in study["problems"])], rows)


def overall_table(study: Mapping[str, Any], named: Mapping[str, str]) -> str:
    """Return each arm over all recipes, by its average rank; interquartile means where all share a metric."""
    overall, name = study["overall"], score_name(study["problems"][0])
    middles = overall["interquartile"]
    head = ["arm", "average rank", *(["interquartile mean"] if middles else []), "P(better)"]
    rows = []
    for place, rank in sorted(enumerate(overall["ranks"]["average"]), key=lambda each: each[1]):
        cells = [f"{rank:.3g}"]
        if middles:
            middle = middles[place]
            cells.append(_with_ends(name, middle["mean"], middle["low"], middle["high"]))
        cells.append(_chance(overall["probability_of_improvement"][place]))
        told = "".join(f"<td>{cell}</td>" for cell in cells)
        rows.append(f"<tr>{_named(overall['arms'][place], named)}{told}</tr>")
    return _table(head, rows)


def costs_table(problem: Mapping[str, Any], costs: Mapping[str, Cost], named: Mapping[str, str]) -> str:
    """Return what each arm took, in the order asked; empty where nothing is known."""
    rows = []
    for arm in problem["arms"]:
        cost = costs[arm["name"]]
        cells = [
            "–" if cost.seconds is None else duration(cost.seconds),
            "–" if cost.examples_per_second is None else count(cost.examples_per_second),
            "–" if arm["planned_steps"] is None else count(arm["planned_steps"]),
            "–" if cost.params is None else count(cost.params),
            "–" if cost.peak_memory_bytes is None else memory(cost.peak_memory_bytes),
        ]
        rows.append(f"<tr>{_named(arm['name'], named)}{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>")
    counted = sorted({cost.counts for cost in costs.values()})
    return _table(["arm", "training", f"{' or '.join(counted)} a second", "steps", "parameters", "peak memory"], rows)


def chosen_table(problem: Mapping[str, Any], seeds: Sequence[int], named: Mapping[str, str]) -> str:
    """Return what the tuning chose for each arm at each seed; empty if nothing was tuned."""
    rows = []
    for arm in problem["arms"]:
        if not any(cell["trials"] for cell in arm["cells"]):
            cells = f'<td colspan="{len(seeds)}"><span class="muted">not tuned</span></td>'
        else:
            cells = "".join(f"<td>{_chosen(cell)}</td>" for cell in arm["cells"])
        rows.append(f"<tr>{_named(arm['name'], named)}{cells}</tr>")
    return _table(["arm", *(f"seed {seed}" for seed in seeds)], rows)


def pill(word: str) -> str:
    """Return a verdict as a coloured word."""
    return f'<span class="pill {escape(word.replace(" ", "-"))}">{escape(word)}</span>'


def memory(size: float) -> str:
    """Return bytes for reading: `385 MB`."""
    return f"{size / 1e9:.3g} GB" if size >= 1e9 else f"{size / 1e6:.3g} MB"


def _chosen(cell: Mapping[str, Any]) -> str:
    if not cell["tuned"]:
        return '<span class="muted">all diverged</span>'
    several = len(cell["tuned"]) > 1
    texts = [
        f"{key.rsplit('.', 1)[-1]} {number(value)}" if several else number(value)
        for key, value in cell["tuned"].items()
    ]
    return "<br>".join(escape(text) for text in texts)


def _named(name: str, named: Mapping[str, str]) -> str:
    dot = f'<i style="background:var(--{VARIABLES[named[name]]})"></i>' if name in named else ""
    return f'<th scope="row" class="name">{dot}{escape(name)}</th>'


def _table(head: Sequence[str], rows: Sequence[str], kind: str = "plain") -> str:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)

    def table(some: Sequence[str]) -> str:
        inside = f"<thead><tr>{titles}</tr></thead><tbody>{''.join(some)}</tbody>"
        return f'<div class="scroll"><table class="{kind}">{inside}</table></div>'

    if len(rows) <= MOST_ROWS:
        return table(rows)
    rest = f"<details><summary>{len(rows) - MOST_ROWS:,} more</summary>{table(rows[MOST_ROWS:])}</details>"
    return table(rows[:MOST_ROWS]) + rest


def _with_ends(name: str, mean: float | None, low: float | None, high: float | None) -> str:
    if mean is None:
        return "–"
    low, high = end_of_interval(name, low), end_of_interval(name, high)
    ends = "" if low is None or high is None else f" [{low:.4g}, {high:.4g}]".replace("-", "−")
    return _over_ends(f"{score(name, mean)}{ends}")


def _over_ends(text: str) -> str:
    """Return a number as HTML, with its interval, if it has one, under it."""
    middle, bracket, ends = escape(text).partition(" [")
    return f'{middle} <span class="ends">[{ends}</span>' if bracket else middle


def _chance(probability: float | None) -> str:
    return "" if probability is None else f"{100 * probability:.0f}\u00a0%"


def _spread(name: str, deviation: float | None) -> str:
    return "–" if deviation is None else f"{scale(name) * deviation:.3g}"
