"""A verdict on two arms, and why, in words that need no course in statistics.

`better` and `worse` ask for two things: the test, corrected for the number of comparisons, speaks against chance, and
the interval of the mean difference leaves zero out. `no difference` asks for an interval in which every difference is
too small to matter; that a test found nothing is no evidence of nothing. All else is `undecided`.

Source: equivalence by an interval within ± the smallest difference that matters from Westlake, Symmetrical Confidence
Intervals for Bioequivalence Trials, Biometrics 32(4), 1976; planning at that difference, and not at the one observed,
from Lakens, Equivalence Tests, Soc. Psychol. Personal. Sci. 8(4), 2017.
Departures: the interval is the 95 % one, not the 90 % one of Westlake's rule: a stricter `no difference`.
Checked by: each sentence against numbers worked out by hand; simulated studies of a thing with itself, and of one with
a planted difference.
"""

import math
from typing import Literal, NamedTuple

from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.study.power import fewest_seeds, minimum_detectable_effect, seeds_needed, smallest_p
from fourfold.study.statistics import Difference

Word = Literal["better", "worse", "no difference", "undecided"]
SEEN = 0.8  # of studies, by which "can be seen" is meant


class Verdict(NamedTuple):
    """What a comparison has shown.

    Attributes:
        word: about the arm, against its reference.
        because: one sentence.
        minimum_detectable: true difference that as many seeds would find in 4 of 5 studies, in the units of the score;
            inf where they can find none.
        seeds_needed: seeds that would decide; those there were, where they did.
    """

    word: Word
    because: str
    minimum_detectable: float
    seeds_needed: int


def judge(
    difference: Difference,
    *,
    p_holm: float,
    comparisons: int,
    higher_is_better: bool,
    smallest: float,
    alpha: float = 0.05,
) -> Verdict:
    """Return the verdict on an arm.

    Args:
        difference: arm minus reference, with its interval at level 1 - `alpha`.
        p_holm: its p after Holm's correction over all comparisons of the study.
        comparisons: how many those are, >= 1.
        higher_is_better: True for accuracy, False for loss.
        smallest: the smallest difference that matters, in the units of the score, above 0.
        alpha: how often a study may call something better or worse though all arms are alike.

    Raises:
        InputError: `smallest` is not above 0, or there are more comparisons than any number of seeds decides.
    """
    if not 0 < smallest < math.inf:
        raise InputError(f"the smallest difference that matters must be above 0, not {smallest}")
    share = alpha / comparisons  # what Holm asks of the smallest p
    detectable = minimum_detectable_effect(difference.deviation, difference.n, share, SEEN)

    def decided(word: Word, because: str) -> Verdict:
        return Verdict(word, because, detectable, difference.n)

    if p_holm <= alpha and (difference.low > 0 or difference.high < 0):
        up = difference.mean > 0
        return decided("better" if up == higher_is_better else "worse", _because_real(difference, p_holm, smallest))
    if -smallest < difference.low and difference.high < smallest:
        return decided("no difference", _because_equal(difference, smallest))
    needed, because = _what_would_decide(difference, p_holm, comparisons, smallest, alpha)
    return Verdict("undecided", because, detectable, needed)


def too_few(n: int, comparisons: int, alpha: float = 0.05) -> str:
    """Return the sentence that says so, where `n` seeds can decide none of `comparisons`, and else an empty text.

    Raises:
        InputError: there are more comparisons than any number of seeds decides.
    """
    fewest = fewest_seeds(alpha / max(1, comparisons))
    if comparisons < 1 or n >= fewest:
        return ""
    among = f" {comparisons} comparisons at once" if comparisons > 1 else ""
    return f"{counted(n, 'seed')} cannot decide{among}: even a win at every seed could be chance; that takes {fewest}"


def _because_real(difference: Difference, p_holm: float, smallest: float) -> str:
    direction = "higher" if difference.mean > 0 else "lower"
    small = max(abs(difference.low), abs(difference.high)) < smallest
    return (
        f"{_number(abs(difference.mean))} {direction} on average over {difference.n} seeds ({_interval(difference)}), "
        f"and were the arms alike, chance would do as much in {_percent(p_holm)} of studies at most"
        + (f"; yet less than the {_number(smallest)} that matters" if small else "")
    )


def _because_equal(difference: Difference, smallest: float) -> str:
    if difference.mean == difference.deviation == 0:
        return f"the scores are equal at each of the {difference.n} seeds"
    return (
        f"over {difference.n} seeds the difference is {_interval(difference)}, "
        f"all of it less than the {_number(smallest)} that matters"
    )


def _what_would_decide(
    difference: Difference, p_holm: float, comparisons: int, smallest: float, alpha: float
) -> tuple[int, str]:
    """Return how many seeds would decide, and the sentence that says so."""
    n, share = difference.n, alpha / comparisons
    spread = difference.deviation if n > 1 else 0.0  # one seed knows none; the fewest that a test needs remain
    fewest = fewest_seeds(share)
    seen = abs(difference.mean)
    if seen >= smallest:
        needed, plan = seeds_needed(spread, seen, share, SEEN), f"if it stays about {_number(difference.mean)}"
    else:
        needed, plan = seeds_needed(spread, smallest, share, SEEN), f"to see a difference of {_number(smallest)}"
    if n < fewest:
        assert smallest_p(n) > share
        more = f"; {plan}, about {needed:,} would tell" if needed > fewest else ""
        return needed, too_few(n, comparisons, alpha) + more
    if needed <= n:
        # Enough seeds to see it, and yet the interval holds both zero and what matters. The difference that still has
        # to be seen is the farther one from the observed mean.
        farther = max(seen, smallest - seen)
        needed = max(n + 1, seeds_needed(spread, farther, share, SEEN))
        plan = f"if it stays about {_number(difference.mean)}"
    return needed, f"{_why_not_yet(difference, p_holm, comparisons, alpha)}; {plan}, about {needed:,} seeds would tell"


def _why_not_yet(difference: Difference, p_holm: float, comparisons: int, alpha: float) -> str:
    n, interval = difference.n, _interval(difference)
    if difference.p <= alpha < p_holm:
        return (
            f"over {n} seeds the difference is {interval}, convincing by itself, but were all arms alike, "
            f"one of {comparisons} comparisons would look like this by chance in up to {_percent(p_holm)} of studies"
        )
    if p_holm <= alpha:
        return f"the test speaks against chance, but over {n} seeds the difference is {interval}, which holds 0"
    return f"over {n} seeds the difference is {interval}, and chance alone may do that"


def _interval(difference: Difference) -> str:
    return f"plausibly {_number(difference.low)} to {_number(difference.high)}"


def _percent(p: float) -> str:
    return f"{100 * p:.2g} %"


def _number(value: float) -> str:
    return f"{value:,.0f}" if 1000 <= abs(value) < 1e15 else f"{value:.3g}"
