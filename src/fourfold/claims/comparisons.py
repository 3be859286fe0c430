"""Comparisons: what a rule is made of. Each says where the scores of an arm, or of two, must lie.

Scores at the same seed are compared with each other; a seed that lacks one of them is left out.

Source: intervals inside or outside a margin from Westlake, Symmetrical Confidence Intervals for Bioequivalence Trials,
Biometrics 32(4), 1976; the larger of two one-sided p-values from Schuirmann, J. Pharmacokinet. Biopharm. 15(6), 1987;
the interval of a share from Clopper and Pearson, Biometrika 26(4), 1934.
Departures: the interval is the 95 % one and the tests are two-sided, though a comparison has a side: stricter.
Checked by: scores made by hand for each branch; scipy.stats.binomtest.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from fourfold.core.errors import InputError, did_you_mean
from fourfold.study.statistics import Difference, paired_difference

Outcome = Literal["holds", "fails", "undecided"]
Unit = Literal["difference", "level", "ratio", "share"]
Scores = Mapping[str, Mapping[int, float]]  # arm -> seed -> score; NaN where there is none
ALPHA = 0.05
EXACT = 1e-6  # of itself: what is computed and not drawn differs from seed to seed by rounding alone


class Tested(NamedTuple):
    """One comparison, before the correction for being one of several.

    Attributes:
        side: where the interval lies wholly.
        effect: the mean over seeds, in the unit of the comparison; NaN without a score.
        low: lower end of its 95 % interval.
        high: upper end.
        n: seeds that have all the scores it needs.
        p: of the test that speaks for `side`; None where no test is needed.
        deviation: of what is compared, over seeds.
        gap: how far the mean is from where the rule changes its mind, for planning.
        problem: why it cannot be judged; empty if it can.
    """

    side: Outcome
    effect: float
    low: float
    high: float
    n: int
    p: float | None
    deviation: float = math.nan
    gap: float = math.nan
    problem: str = ""


class Rule:
    """What the scores must show."""

    @property
    def words(self) -> str:
        """The rule as a sentence."""
        raise NotImplementedError

    def comparisons(self) -> "list[Comparison]":
        """Return every comparison the rule is made of, in reading order."""
        raise NotImplementedError

    def combine(self, outcomes: Mapping[int, Outcome]) -> Outcome:
        """Return the rule's outcome from its comparisons', by their `id`."""
        raise NotImplementedError

    def set_aside(self, outcomes: Mapping[int, Outcome]) -> "list[Comparison]":
        """Return the comparisons whose condition is not met, so that their scores say nothing."""
        return []


class Comparison(Rule):
    """A rule that is one comparison."""

    @property
    def unit(self) -> Unit:
        """What its effect is, see `Judged`."""
        raise NotImplementedError

    def comparisons(self) -> "list[Comparison]":
        return [self]

    def combine(self, outcomes: Mapping[int, Outcome]) -> Outcome:
        return outcomes[id(self)]

    def test(self, scores: Scores) -> Tested:
        """Compare."""
        raise NotImplementedError


@dataclass(frozen=True)
class Greater(Comparison):
    """`arm` scores more than `other`, by more than `by`; or, denied, does not."""

    arm: str
    other: str | float
    by: float
    denied: bool = False

    @property
    def unit(self) -> Unit:
        return _unit(self.other)

    @property
    def words(self) -> str:
        margin = f" by more than {self.by:g}" if self.by else ""
        other = self.other if isinstance(self.other, str) else f"{self.other:g}"
        return f"{self.arm} {'does not exceed' if self.denied else 'exceeds'} {other}{margin}"

    def test(self, scores: Scores) -> Tested:
        arm, other = _paired(scores, self.arm, self.other)
        if not arm:
            return _nothing(f"no seed has the scores of {self.words!r}")
        difference = paired_difference(arm, [score + self.by for score in other])
        yes, no = sides(self.denied)
        side: Outcome = yes if difference.low > 0 else no if difference.high < 0 else "undecided"
        edge = self.by + _level(self.other)
        effect, low, high = (x + edge for x in (difference.mean, difference.low, difference.high))
        return Tested(side, effect, low, high, difference.n, difference.p, difference.deviation, abs(difference.mean))


@dataclass(frozen=True)
class Ratio(Comparison):
    """`arm` scores more than `above` times what `other` does."""

    arm: str
    other: str
    above: float

    @property
    def unit(self) -> Unit:
        return "ratio"

    @property
    def words(self) -> str:
        return f"{self.arm} is more than {self.above:g} times {self.other}"

    def test(self, scores: Scores) -> Tested:
        arm, other = _paired(scores, self.arm, self.other)
        if not arm:
            return _nothing(f"no seed has the scores of {self.words!r}")
        if min(*arm, *other) <= 0:
            return _nothing("a ratio needs scores above zero")
        logs = [math.log(a) - math.log(b) - math.log(self.above) for a, b in zip(arm, other, strict=True)]
        difference = paired_difference(logs, [0.0] * len(logs))
        side: Outcome = "holds" if difference.low > 0 else "fails" if difference.high < 0 else "undecided"
        effect, low, high = (self.above * _exp(x) for x in (difference.mean, difference.low, difference.high))
        return Tested(side, effect, low, high, difference.n, difference.p, difference.deviation, abs(difference.mean))


@dataclass(frozen=True)
class Within(Comparison):
    """`arm` and `other` differ by less than `by`, either way."""

    arm: str
    other: str | float
    by: float

    @property
    def unit(self) -> Unit:
        return _unit(self.other)

    @property
    def words(self) -> str:
        other = self.other if isinstance(self.other, str) else f"{self.other:g}"
        return f"{self.arm} differs from {other} by less than {self.by:g}"

    def test(self, scores: Scores) -> Tested:
        arm, other = _paired(scores, self.arm, self.other)
        if not arm:
            return _nothing(f"no seed has the scores of {self.words!r}")
        plain = paired_difference(arm, other)
        over, under = (paired_difference(arm, [x + edge for x in other]) for edge in (self.by, -self.by))
        side, p = self._side(plain, over, under)
        gap, level = abs(self.by - abs(plain.mean)), _level(self.other)
        effect, low, high = (x + level for x in (plain.mean, plain.low, plain.high))
        return Tested(side, effect, low, high, plain.n, p, plain.deviation, gap)

    def _side(self, plain: Difference, over: Difference, under: Difference) -> tuple[Outcome, float]:
        """Return where the interval lies, and the p of the edge, or of both edges, that it must keep clear of."""
        if over.low > 0:
            return "fails", over.p
        if under.high < 0:
            return "fails", under.p
        inside = over.high < 0 and under.low > 0
        return ("holds" if inside else "undecided"), (max(over.p, under.p) if abs(plain.mean) < self.by else 1.0)


@dataclass(frozen=True)
class Every(Comparison):
    """`arm` is in a range at every seed."""

    arm: str
    at_least: float
    at_most: float

    @property
    def unit(self) -> Unit:
        return "share"

    @property
    def words(self) -> str:
        return f"{self.arm} is {_range(self.at_least, self.at_most)} at every seed"

    def test(self, scores: Scores) -> Tested:
        all_scores = list(_arm(scores, self.arm).values())
        known = [score for score in all_scores if math.isfinite(score)]
        if not known:
            return _nothing(f"{self.arm} has no score")
        so = sum(self.at_least <= score <= self.at_most for score in known)
        low, high = _share_interval(so, len(known))
        missing = len(known) < len(all_scores)
        side: Outcome = "fails" if so < len(known) else "undecided" if missing else "holds"
        problem = f"{len(all_scores) - len(known)} seeds have no score" if side == "undecided" else ""
        return Tested(side, so / len(known), low, high, len(known), None, problem=problem)


@dataclass(frozen=True)
class Exact(Comparison):
    """`arm`, or what it is over another, is one and the same number at every seed, and in a range."""

    arm: str
    over: str | None
    at_least: float
    at_most: float

    @property
    def unit(self) -> Unit:
        return "level" if self.over is None else "ratio"

    @property
    def words(self) -> str:
        what = self.arm if self.over is None else f"{self.arm} over {self.over}"
        return f"{what} is {_range(self.at_least, self.at_most)}, exactly"

    def test(self, scores: Scores) -> Tested:
        arm, other = _paired(scores, self.arm, 1.0 if self.over is None else self.over)
        if not arm or 0 in other:
            return _nothing(f"no seed has the scores of {self.words!r}")._replace(p=None)
        values = [mine / theirs for mine, theirs in zip(arm, other, strict=True)]
        least, most = min(values), max(values)
        if most - least > EXACT * max(abs(least), abs(most)):
            problem = f"not one number but {least:.4g} to {most:.4g}, from seed to seed"
            return _nothing(problem)._replace(p=None, n=len(values))
        side: Outcome = "holds" if self.at_least <= values[0] <= self.at_most else "fails"
        return Tested(side, values[0], math.nan, math.nan, len(values), None)


def sides(denied: bool) -> tuple[Outcome, Outcome]:
    """Return the outcome of what was said and of its opposite, the other way round where it was denied."""
    return ("fails", "holds") if denied else ("holds", "fails")


def _paired(scores: Scores, arm: str, other: str | float) -> tuple[list[float], list[float]]:
    """Return the scores of the seeds that have both."""
    mine = _arm(scores, arm)
    theirs = _arm(scores, other) if isinstance(other, str) else dict.fromkeys(mine, float(other))
    seeds = [seed for seed in mine if math.isfinite(mine[seed]) and math.isfinite(theirs.get(seed, math.nan))]
    return [mine[seed] for seed in seeds], [theirs[seed] for seed in seeds]


def _arm(scores: Scores, name: str) -> Mapping[int, float]:
    if name not in scores:
        raise InputError(f"the rule names an arm '{name}' that there is not{did_you_mean(name, scores)}")
    return scores[name]


def _range(at_least: float, at_most: float) -> str:
    if math.isinf(at_most):
        return f"at least {at_least:g}"
    if math.isinf(at_least):
        return f"at most {at_most:g}"
    return f"between {at_least:g} and {at_most:g}"


def _share_interval(hits: int, n: int) -> tuple[float, float]:
    """Return Clopper and Pearson's 95 % interval of a share (Biometrika 26(4), 1934)."""
    from scipy.special import betaincinv

    low = float(betaincinv(hits, n - hits + 1, ALPHA / 2)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - ALPHA / 2)) if hits < n else 1.0
    return low, high


def _unit(other: str | float) -> Unit:
    return "difference" if isinstance(other, str) else "level"


def _level(other: str | float) -> float:
    """Return what is added to a difference so that an arm against a number shows where the arm itself is."""
    return 0.0 if isinstance(other, str) else other


def _nothing(problem: str) -> Tested:
    return Tested("undecided", math.nan, math.nan, math.nan, 0, 1.0, problem=problem)


def _exp(x: float) -> float:
    return math.exp(x) if x < 700 else math.inf
