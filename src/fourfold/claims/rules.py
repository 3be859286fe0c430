"""Rules: what the scores of a claim must show, written before anything runs, and judged the same way for every claim.

A rule is put together from comparisons. Each ends in one of three words:

    holds      the 95 % interval lies wholly where the rule says, and the test, corrected, speaks against chance
    fails      the interval lies wholly where the rule does not say, and the test, corrected, speaks against chance
    undecided  anything else: a comparison that shows nothing is no evidence of nothing

So `greater("a", "b", by=0.01)` fails when there is evidence that a is not 0.01 above b: because it is below, or
because the two are too alike. Give `by` the smallest difference worth claiming; with `by=0` two arms that are in truth
alike stay undecided for ever.

A p-value says how often scores at least this far from where a comparison changes its mind would come about, if in truth
they lay there and chance alone decided on which side each seed falls. It is not how likely a verdict is to be wrong.
What is computed, and not drawn, has none: that is `exact`.

The p-values of all comparisons of a rule are corrected together by Holm's method. With n seeds no p is below
2 / 2^n, so k comparisons need at least 6 seeds for k = 1, 7 for k = 2 or 3, 8 for k up to 6, 9 for k up to 12.

Source: Holm, A Simple Sequentially Rejective Multiple Test Procedure, Scand. J. Statist. 6, 1979.
Departures: a rule that needs all of several comparisons could do without a correction to hold; it is corrected all the
same. What a single comparison does is in `comparisons`.
Checked by: scores made by hand for each branch.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from fourfold.claims.comparisons import (
    ALPHA,
    Comparison,
    Every,
    Exact,
    Greater,
    Outcome,
    Ratio,
    Rule,
    Scores,
    Tested,
    Unit,
    Within,
    sides,
)
from fourfold.core.errors import InputError
from fourfold.study.power import seeds_needed
from fourfold.study.statistics import holm


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


@dataclass(frozen=True)
class _Several(Rule):
    rules: Sequence[Rule]
    need: Literal["all", "any"]

    @property
    def words(self) -> str:
        joined = "; and " if self.need == "all" else "; or "
        return joined.join(_inner(rule) for rule in self.rules)

    def comparisons(self) -> list[Comparison]:
        return [each for rule in self.rules for each in rule.comparisons()]

    def combine(self, outcomes: Mapping[int, Outcome]) -> Outcome:
        decides, otherwise = sides(self.need == "all")  # one that fails decides all; one that holds decides any
        found = [rule.combine(outcomes) for rule in self.rules]
        return decides if decides in found else otherwise if set(found) == {otherwise} else "undecided"

    def set_aside(self, outcomes: Mapping[int, Outcome]) -> list[Comparison]:
        return [each for rule in self.rules for each in rule.set_aside(outcomes)]


@dataclass(frozen=True)
class _Provided(Rule):
    condition: Rule
    rule: Rule

    @property
    def words(self) -> str:
        return f"{_inner(self.rule)}, provided that {_inner(self.condition)}"

    def comparisons(self) -> list[Comparison]:
        return [*self.condition.comparisons(), *self.rule.comparisons()]

    def combine(self, outcomes: Mapping[int, Outcome]) -> Outcome:
        return self.rule.combine(outcomes) if self.condition.combine(outcomes) == "holds" else "undecided"

    def set_aside(self, outcomes: Mapping[int, Outcome]) -> list[Comparison]:
        if self.condition.combine(outcomes) != "holds":
            return self.rule.comparisons()
        return self.rule.set_aside(outcomes)


def greater(arm: str, other: str | float, by: float = 0.0) -> Rule:
    """Say that `arm` scores more than `other`, an arm or a number, by more than `by`.

    Args:
        arm: an arm's name.
        other: another's, at the same seeds; or a number.
        by: smallest difference worth claiming, in the measure's unit, at least 0.
    """
    _require_margin(by)
    return Greater(arm, other, by)


def not_greater(arm: str, other: str | float, by: float) -> Rule:
    """Say that `arm` does not score more than `other` by more than `by`: the opposite of `greater`.

    With `by=0` it can hold only where `arm` scores less; a margin above 0 also lets the two be alike.
    """
    _require_margin(by)
    return Greater(arm, other, by, denied=True)


def within(arm: str, other: str | float, by: float) -> Rule:
    """Say that `arm` and `other`, an arm or a number, differ by less than `by`, above 0, either way."""
    if not 0 < by < math.inf:
        raise InputError(f"within: the margin must be above 0, not {by}")
    return Within(arm, other, by)


def ratio(arm: str, other: str, above: float) -> Rule:
    """Say that `arm` scores more than `above` times what `other` does; both are above zero.

    Judged on logarithms, so the effect is the geometric mean of the ratios.
    """
    if not 0 < above < math.inf:
        raise InputError(f"ratio: above 0, not {above}")
    return Ratio(arm, other, above)


def every(arm: str, *, at_least: float = -math.inf, at_most: float = math.inf) -> Rule:
    """Say that `arm` is in a range at every seed; one counterexample makes it fail.

    The effect is the share of seeds at which it is so. There is no test: what was said is about every seed, and the
    interval (Clopper-Pearson's) says what other seeds may do.
    """
    if at_least > at_most or (math.isinf(at_least) and math.isinf(at_most)):
        raise InputError(f"every: at_least={at_least:g} and at_most={at_most:g} leave nothing to judge")
    return Every(arm, at_least, at_most)


def exact(arm: str, *, over: str | None = None, at_least: float = -math.inf, at_most: float = math.inf) -> Rule:
    """Say that `arm`, or `arm` over another, is in a range, where it is computed and not drawn: no test is needed.

    It has to be the same number at every seed, but for rounding; if it is not, this is undecided, and a comparison
    with a test is what is wanted.
    """
    if at_least > at_most or (math.isinf(at_least) and math.isinf(at_most)):
        raise InputError(f"exact: at_least={at_least:g} and at_most={at_most:g} leave nothing to judge")
    return Exact(arm, over, at_least, at_most)


def provided(condition: Rule, rule: Rule) -> Rule:
    """Say `rule`, of scores that mean something only where `condition` holds; where it does not, it is undecided.

    Such as a gap between training and test accuracy, of arms that were trained to a stated accuracy.
    """
    return _Provided(condition, rule)


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
        because = _because(test, comparison.unit, outcome, p_holm, len(tests))
        judged.append(
            Judged(
                comparison.words, comparison.unit, outcome, test.effect, test.low, test.high, test.n, p_holm, because
            )
        )
    outcomes = {id(c): j.outcome for c, j in zip(comparisons, judged, strict=True)}
    aside = {id(each) for each in rule.set_aside(outcomes)}
    shown = [
        j._replace(outcome="undecided", because=f"not judged, for its condition is not met; {j.because}")
        if id(c) in aside
        else j
        for c, j in zip(comparisons, judged, strict=True)
    ]
    return rule.combine(outcomes), shown


def _because(test: Tested, unit: Unit, outcome: Outcome, p_holm: float | None, tests: int) -> str:
    """Return one sentence: what was seen, how sure it is, and what would decide it."""
    if test.problem:
        return test.problem
    if p_holm is None and unit != "share":
        return f"{test.effect:.4g}, computed"
    if p_holm is None:
        return f"so at {round(test.effect * test.n)} of {test.n} seeds"
    seen = f"{test.effect:.3g} over {test.n} seeds"
    seen += f", plausibly {test.low:.3g} to {test.high:.3g}" if math.isfinite(test.low) else ""
    if outcome != "undecided":
        return f"{seen}; p = {p_holm:.2g}{' after correction' if tests > 1 else ''}"
    return f"{seen}; {_what_would_decide(test, tests)}"


def _what_would_decide(test: Tested, tests: int) -> str:
    spread = test.deviation if test.n > 1 else 0.0
    if not test.gap or (tests and ALPHA / tests < 1e-4):
        return "no number of seeds would decide that if it stays so"
    needed = seeds_needed(spread, test.gap, ALPHA / tests)
    return f"if it stays so, about {max(needed, test.n + 1):,} seeds would decide"


def _inner(rule: Rule) -> str:
    """Return a rule's words as a part of another rule's."""
    return f"({rule.words})" if isinstance(rule, _Several | _Provided) else rule.words


def _several(rules: Sequence[Rule], need: Literal["all", "any"]) -> Rule:
    if not rules:
        raise InputError("a rule of no rules says nothing")
    return _Several(rules, need)


def _require_margin(by: float) -> None:
    if not 0 <= by < math.inf:
        raise InputError(f"by: at least 0, not {by}; exchange the arms to claim the opposite")
