"""A study's findings in words: scores, differences, verdicts, and which arms figures name.

Checked by: every verdict, of a metric where more is better and of one where less is, as a sentence.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from fourfold.report.numbers import SHARES, metric, quantity
from fourfold.study.design import RANDOM_TRIALS
from fourfold.tasks.figure import SERIES, display_width

MOST_NAMED = 8  # arms that a figure tells apart by colour
ROUNDING = 1e-9  # differences of two shares that are less than this are none
POINTS = "points"  # of a share: 97 % is two points above 95 %


def score_name(problem: Mapping[str, Any]) -> str:
    """Return the metric without its split."""
    return problem["metric"].partition(".")[2]


def scale(name: str) -> int:
    """Return what a score is multiplied with on an axis: shares are drawn in percent."""
    return 100 if name in SHARES else 1


def possible(name: str, value: float | None) -> float | None:
    """Return an end of a score's interval, or the nearest that can be: a share's, of few seeds, may lie beyond."""
    return value if value is None or name not in SHARES else min(max(value, 0.0), 1.0)


def end_of_interval(name: str, value: float | None) -> float | None:
    """Return an end of a score's interval as it is drawn."""
    end = possible(name, value)
    return None if end is None else scale(name) * end


def score_axis(problem: Mapping[str, Any], split: str | None = None) -> str:
    """Return an axis label: `test accuracy (%)`."""
    own, _, name = problem["metric"].partition(".")
    return f"{split or own} {quantity(name)}"


def signed(name: str, value: float) -> str:
    """Return a difference without its unit: `+1.23`, in points where the metric is a share."""
    value = 0.0 if name in SHARES and abs(value) < ROUNDING else value
    return f"{scale(name) * value:+.3g}".replace("-", "−")


def unit(name: str) -> str:
    """Return the unit of a difference with a space before it, empty where there is none."""
    return f" {POINTS}" if name in SHARES else ""


def difference(name: str, row: Mapping[str, Any]) -> str:
    """Return a difference with its interval: `+1.23 [+0.81, +1.64] points`; `–` where there is none."""
    if row.get("difference") is None:
        return "–"
    return f"{signed(name, row['difference'])}{_interval(name, row)}{unit(name)}"


def verdict(name: str, row: Mapping[str, Any], higher: bool) -> list[tuple[str, bool]]:
    """Return a verdict as one sentence: pieces, and whether each is an arm's name.

    Args:
        name: the metric without its split.
        row: one of a problem's comparisons.
        higher: whether more is better.
    """
    arm, against, word = (row["arm"], True), (row["against"], True), row["verdict"]
    if row.get("difference") is None:
        return [
            arm,
            (" cannot be compared with ", False),
            against,
            (": there is no seed at which both finished.", False),
        ]
    if word in ("better", "worse"):
        turned = 1 if (row["difference"] > 0) else -1
        ends = sorted(turned * row[end] for end in ("low", "high"))
        by = f"{_plain(name, turned * row['difference'])} [{', '.join(_plain(name, end) for end in ends)}]{unit(name)}"
        return [arm, (f" is {word} than ", False), against, (f" by {by}.", False)]
    if word == "no difference":
        said = f": {difference(name, row)}."
        return [("There is no difference that matters between ", False), arm, (" and ", False), against, (said, False)]
    seeds = "1 seed" if row["n"] == 1 else f"{row['n']} seeds"
    said = f": {difference(name, row)} over {seeds}."
    return [("It is undecided whether ", False), arm, (" is better or worse than ", False), against, (said, False)]


def reason(name: str, row: Mapping[str, Any]) -> str:
    """Return why a verdict is what it is, in sentences.

    Args:
        name: the metric without its split.
        row: one of a problem's comparisons.
    """
    size = _plain(name, row["smallest"])
    matters = f"{size}{unit(name).removesuffix('s') if size == '1' else unit(name)}, the smallest that matters."
    if row["verdict"] in ("better", "worse"):
        share, seeds = f"{100 * row['p_holm']:.2g} %", row["n"]
        chance = f"Were they alike, chance would do as much in at most {share} of studies of {seeds} seeds."
        small = max(abs(row["low"]), abs(row["high"])) < row["smallest"]
        return chance + (f" Yet all of it is less than {matters}" if small else "")
    if row["verdict"] == "no difference":
        return f"Over {row['n']} seeds all that is plausible is less than {matters}"
    because = f"{row['because'][:1].upper()}{row['because'][1:]}."
    return f"{because} Here 0.01 is one point." if name in SHARES and "0." in because else because


def strength(name: str, row: Mapping[str, Any]) -> str:
    """Return how large a difference is beside its spread, and what so many seeds would find; empty where unknown.

    Args:
        name: the metric without its split.
        row: one of a problem's comparisons.
    """
    size, least = row.get("effect_size"), row.get("minimum_detectable")
    said = []
    if size is not None:
        said.append(f"Effect size {size:.2g} (mean difference over its standard deviation).".replace("-", "−"))
    if least is not None:
        found = f"{_plain(name, least)}{unit(name)}"
        said.append(f"With {row['n']} seeds, differences from {found} on are found in 80 % of studies.")
    return " ".join(said)


def search(study: Mapping[str, Any]) -> str:
    """Return how settings were looked for, in a sentence, which says so where they were drawn at random."""
    sampler, trials = study["sampler"], study["asked"]["trials"]
    how = f"{sampler}, {trials} trials for each arm and seed, on validation"
    random = f"{sampler} draws its first {RANDOM_TRIALS} at random, so this is a random search"
    return how if trials > RANDOM_TRIALS else f"{how}; {random}"


def best_first(problem: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return a problem's arms by their mean, those without one last."""
    sign = -1 if problem["higher_is_better"] else 1
    arms = problem["arms"]
    return sorted(arms, key=lambda arm: (arm["mean"] is None, sign * (arm["mean"] or 0.0)))


def place_of(problem: Mapping[str, Any], row: Mapping[str, Any]) -> tuple[bool, float]:
    """Return what sorts comparisons, the best first and those without a difference last."""
    found = row.get("difference")
    return found is None, (-1 if problem["higher_is_better"] else 1) * (found or 0.0)


def named_arms(study: Mapping[str, Any]) -> dict[str, str]:
    """Return the arms that figures name, with their colours, in the order asked: the reference and the best."""
    names = [arm["name"] for arm in study["asked"]["arms"]]
    places = dict.fromkeys(names, 0)
    for problem in study["problems"]:
        for place, arm in enumerate(best_first(problem)):
            places[arm["name"]] += place
    reference = study["asked"]["against"]
    others = sorted((name for name in names if name != reference), key=lambda name: places[name])
    kept = {reference, *others[: MOST_NAMED - 1]}
    return dict(zip((name for name in names if name in kept), SERIES, strict=False))


def fit(text: str, width: int) -> str:
    """Return a name on one line, without its middle where it is wider than `width` Latin letters."""
    text = " ".join(text.split())
    if display_width(text) <= width:
        return text
    head, tail = "", ""
    while True:  # from both ends, a letter at a time
        longer = text[: len(head) + 1]
        if display_width(longer + tail) > width - 1:
            return f"{head}…{tail}"
        head = longer
        longer = text[len(text) - len(tail) - 1 :]
        if display_width(head + longer) > width - 1:
            return f"{head}…{tail}"
        tail = longer


def listed(words: Sequence[str], last: str = "and") -> str:
    """Return `a, b and c`."""
    return f" {last} ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def score(name: str, value: float | None) -> str:
    """Return a score for reading: `97.33 %`."""
    return metric(name, value)


def _plain(name: str, value: float) -> str:
    return f"{scale(name) * value:.3g}".replace("-", "−")


def _interval(name: str, row: Mapping[str, Any]) -> str:
    low, high = row.get("low"), row.get("high")
    return "" if low is None or high is None else f" [{signed(name, low)}, {signed(name, high)}]"
