"""Rules: what the scores of a claim must show, written before anything runs, and judged the same way for every claim.

A rule is put together from comparisons. Each ends in one of three words:

    holds      the 95 % interval lies wholly where the rule says, and the test, corrected, speaks against chance
    fails      the interval lies wholly where the rule does not say, and the test, corrected, speaks against chance
    undecided  anything else: a comparison that shows nothing is no evidence of nothing

So `greater("a", "b", by=0.01)` fails when there is evidence that a is not 0.01 above b: because it is below, or
because the two are too alike. Give `by` the smallest difference worth claiming; with `by=0` two arms that are in truth
alike stay undecided for ever.

The p-values of all comparisons of a rule are corrected together by Holm's method. With n seeds no p is below
2 / 2^n, so k comparisons need at least 6 seeds for k = 1, 7 for k = 2 or 3, 8 for k up to 6, 9 for k up to 12.

Source: intervals inside or outside a margin from Westlake, Symmetrical Confidence Intervals for Bioequivalence Trials,
Biometrics 32(4), 1976; the larger of two one-sided p-values from Schuirmann, J. Pharmacokinet. Biopharm. 15(6), 1987.
Departures: the interval is the 95 % one and the tests are two-sided, though a rule has a side: stricter. A rule that
needs all of several comparisons could do without a correction to hold; it is corrected all the same.
Checked by: scores made by hand for each branch.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from fourfold.core.errors import InputError, did_you_mean
from fourfold.study.power import seeds_needed
from fourfold.study.statistics import Difference, holm, paired_difference

Outcome = Literal["holds", "fails", "undecided"]
Unit = Literal["difference", "level", "ratio", "share"]
Scores = Mapping[str, Mapping[int, float]]  # arm -> seed -> score; NaN where there is none
ALPHA = 0.05


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


class Judged(NamedTuple):
    """One comparison, judged.

    Attributes:
        words: what the rule says.
        unit: what the effect is: a "difference" of arms, the "level" of one against a number, a "ratio", or a "share"
            of seeds.
        outcome: whether that is so.
        effect: see `Tested`.
        low: see `Tested`.
        high: see `Tested`.
        n: see `Tested`.
        p_holm: after the correction; None where no test is needed.
        because: one sentence.
    """

    words: str
    unit: Unit
    outcome: Outcome
    effect: float
    low: float
    high: float
    n: int
    p_holm: float | None
    because: str


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
class _Greater(Comparison):
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
        yes, no = _sides(self.denied)
        side: Outcome = yes if difference.low > 0 else no if difference.high < 0 else "undecided"
        edge = self.by + _level(self.other)
        effect, low, high = (x + edge for x in (difference.mean, difference.low, difference.high))
        return Tested(side, effect, low, high, difference.n, difference.p, difference.deviation, abs(difference.mean))


@dataclass(frozen=True)
class _Ratio(Comparison):
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
class _Within(Comparison):
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
class _Every(Comparison):
    arm: str
    at_least: float
    at_most: float

    @property
    def unit(self) -> Unit:
        return "share"

    @property
    def words(self) -> str:
        if math.isinf(self.at_most):
            return f"{self.arm} is at least {self.at_least:g} at every seed"
        if math.isinf(self.at_least):
            return f"{self.arm} is at most {self.at_most:g} at every seed"
        return f"{self.arm} is between {self.at_least:g} and {self.at_most:g} at every seed"

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
class _Several(Rule):
    rules: Sequence[Rule]
    need: Literal["all", "any"]

    @property
    def words(self) -> str:
        joined = "; and " if self.need == "all" else "; or "
        return joined.join(f"({r.words})" if isinstance(r, _Several) else r.words for r in self.rules)

    def comparisons(self) -> list[Comparison]:
        return [each for rule in self.rules for each in rule.comparisons()]

    def combine(self, outcomes: Mapping[int, Outcome]) -> Outcome:
        decides, otherwise = _sides(self.need == "all")  # one that fails decides all; one that holds decides any
        found = [rule.combine(outcomes) for rule in self.rules]
        return decides if decides in found else otherwise if set(found) == {otherwise} else "undecided"


def greater(arm: str, other: str | float, by: float = 0.0) -> Rule:
    """Say that `arm` scores more than `other`, an arm or a number, by more than `by`.

    Args:
        arm: an arm's name.
        other: another's, at the same seeds; or a number.
        by: smallest difference worth claiming, in the measure's unit, at least 0.
    """
    _require_margin(by)
    return _Greater(arm, other, by)


def not_greater(arm: str, other: str | float, by: float) -> Rule:
    """Say that `arm` does not score more than `other` by more than `by`: the opposite of `greater`.

    With `by=0` it can hold only where `arm` scores less; a margin above 0 also lets the two be alike.
    """
    _require_margin(by)
    return _Greater(arm, other, by, denied=True)


def within(arm: str, other: str | float, by: float) -> Rule:
    """Say that `arm` and `other`, an arm or a number, differ by less than `by`, above 0, either way."""
    if not 0 < by < math.inf:
        raise InputError(f"within: the margin must be above 0, not {by}")
    return _Within(arm, other, by)


def ratio(arm: str, other: str, above: float) -> Rule:
    """Say that `arm` scores more than `above` times what `other` does; both are above zero.

    Judged on logarithms, so the effect is the geometric mean of the ratios.
    """
    if not 0 < above < math.inf:
        raise InputError(f"ratio: above 0, not {above}")
    return _Ratio(arm, other, above)


def every(arm: str, *, at_least: float = -math.inf, at_most: float = math.inf) -> Rule:
    """Say that `arm` is in a range at every seed; one counterexample makes it fail.

    The effect is the share of seeds at which it is so. There is no test: what was said is about every seed, and the
    interval (Clopper-Pearson's) says what other seeds may do.
    """
    if at_least > at_most or (math.isinf(at_least) and math.isinf(at_most)):
        raise InputError(f"every: at_least={at_least:g} and at_most={at_most:g} leave nothing to judge")
    return _Every(arm, at_least, at_most)


def all_of(*rules: Rule) -> Rule:
    """Say all of `rules`: it holds where all do, and fails where one does."""
    return _several(rules, "all")


def any_of(*rules: Rule) -> Rule:
    """Say at least one of `rules`: it holds where one does, and fails where all do."""
    return _several(rules, "any")


def judge(rule: Rule, scores: Scores) -> tuple[Outcome, list[Judged]]:
    """Return whether a rule holds, and each of its comparisons.

    Raises:
        InputError: the rule names an arm without scores; the nearest is offered.
    """
    comparisons = rule.comparisons()
    tested = [each.test(scores) for each in comparisons]
    tests = [t.p for t in tested if t.p is not None]
    corrected = iter(holm(tests))
    judged = []
    for comparison, test in zip(comparisons, tested, strict=True):
        p_holm = None if test.p is None else next(corrected)
        outcome: Outcome = test.side if p_holm is None or p_holm <= ALPHA else "undecided"
        because = _because(test, outcome, p_holm, len(tests))
        judged.append(
            Judged(
                comparison.words, comparison.unit, outcome, test.effect, test.low, test.high, test.n, p_holm, because
            )
        )
    return rule.combine({id(c): j.outcome for c, j in zip(comparisons, judged, strict=True)}), judged


def _because(test: Tested, outcome: Outcome, p_holm: float | None, tests: int) -> str:
    """Return one sentence: what was seen, how sure it is, and what would decide it."""
    if test.problem:
        return test.problem
    if p_holm is None:
        return f"so at {round(test.effect * test.n)} of {test.n} seeds"
    seen = f"{test.effect:.3g} over {test.n} seeds"
    seen += f", plausibly {test.low:.3g} to {test.high:.3g}" if math.isfinite(test.low) else ""
    if outcome != "undecided":
        return f"{seen}; by chance in {100 * p_holm:.2g} % of studies"
    return f"{seen}; {_what_would_decide(test, tests)}"


def _what_would_decide(test: Tested, tests: int) -> str:
    spread = test.deviation if test.n > 1 else 0.0
    if not test.gap or (tests and ALPHA / tests < 1e-4):
        return "no number of seeds would decide that if it stays so"
    needed = seeds_needed(spread, test.gap, ALPHA / tests)
    return f"if it stays so, about {max(needed, test.n + 1):,} seeds would decide"


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


def _several(rules: Sequence[Rule], need: Literal["all", "any"]) -> Rule:
    if not rules:
        raise InputError("a rule of no rules says nothing")
    return _Several(rules, need)


def _require_margin(by: float) -> None:
    if not 0 <= by < math.inf:
        raise InputError(f"by: at least 0, not {by}; exchange the arms to claim the opposite")


def _sides(denied: bool) -> tuple[Outcome, Outcome]:
    return ("fails", "holds") if denied else ("holds", "fails")


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
