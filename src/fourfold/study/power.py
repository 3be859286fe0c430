"""How small a difference a study can see, and how many seeds it takes to see one.

From FEW_PAIRS on it is reckoned for the paired t test, whose power is known in closed form (noncentral t) and which the
permutation test then equals to a hundredth. With fewer pairs the permutation test is weaker: its p is a multiple of
2 / 2^n, and six seeds find a difference only where the arm wins at every one. There the power is that of the
permutation test itself, over a fixed draw of normal differences; for each, the shift from which on it is found is
worked out exactly.

Source: Cohen, Statistical Power Analysis for the Behavioral Sciences, 2nd ed. 1988, chapter 2.
Departures: the differences are taken as normal.
Checked by: statsmodels' TTestPower; scipy.stats.nct; the closed form where only a win at every seed counts; studies
with a planted difference.
"""

import math
from functools import lru_cache

import numpy as np

from fourfold.core.errors import InputError
from fourfold.study.intervals import RESAMPLES
from fourfold.study.statistics import EXACT_PAIRS

FEW_PAIRS = 12
DRAWS = 2_000  # the error of a power of 0.8 is then 0.01
MANY_PAIRS = 10_000  # from here on the t test's answer has a formula, right to one pair
MOST_PAIRS = 10**9


def smallest_p(n: int) -> float:
    """Return the smallest p that the permutation test can give with `n` pairs, when the arm wins at every seed."""
    if n < 1:
        raise InputError(f"{n} seeds are none to test")
    return 2.0 ** (1 - n) if n <= EXACT_PAIRS else 1 / (1 + RESAMPLES)


def fewest_seeds(alpha: float = 0.05) -> int:
    """Return how many pairs the permutation test needs to decide at all, when the arm wins at every seed.

    Args:
        alpha: level of the test; of k comparisons under Holm's correction, alpha / k.

    Raises:
        InputError: `alpha` is below what any number of seeds can decide.
    """
    if alpha < 1 / (1 + RESAMPLES):
        raise InputError(f"no number of seeds decides at a level of {alpha:.2g}: too many comparisons at once")
    return next(n for n in range(1, EXACT_PAIRS + 2) if smallest_p(n) <= alpha)


def minimum_detectable_effect(deviation: float, n: int, alpha: float = 0.05, power: float = 0.8) -> float:
    """Return the smallest true mean difference that a study of `n` pairs finds with probability `power`.

    Args:
        deviation: standard deviation of the differences, in the units of the score, >= 0.
        n: number of pairs.
        alpha: level of the test; of k comparisons under Holm's correction, alpha / k.
        power: between `alpha` and 1.

    Returns:
        In the units of the score; inf where `n` pairs can never decide at this level.
    """
    _check(alpha, power)
    detectable = _detectable(n, alpha, power)
    return detectable * deviation if detectable < math.inf else math.inf


def seeds_needed(deviation: float, effect: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Return how many pairs find a true mean difference of `effect` with probability `power`.

    Never fewer than the permutation test needs to decide at all: 6 at a level of 0.05. A thousand million stands for
    that many or more.

    Args:
        deviation: standard deviation of the differences, in the units of the score, >= 0.
        effect: the difference to be seen, in the same units, not 0; its sign does not matter.
        alpha: level of the test; of k comparisons under Holm's correction, alpha / k.
        power: between `alpha` and 1.

    Raises:
        InputError: `effect` is 0, or `alpha` is below what any number of seeds can decide.
    """
    from scipy.special import ndtri

    _check(alpha, power)
    if effect == 0 or not math.isfinite(effect) or not math.isfinite(deviation):
        raise InputError(f"no number of seeds shows a difference of {effect} with a spread of {deviation}")
    fewest = fewest_seeds(alpha)
    if deviation == 0:
        return fewest
    d = abs(effect) / deviation
    wanted = ndtri(1 - alpha / 2)
    if d * MOST_PAIRS**0.5 <= wanted + ndtri(power):
        return MOST_PAIRS
    known = ((wanted + ndtri(power)) / d) ** 2  # pairs, were the spread known: too few, by about wanted^2 / 2
    if known > MANY_PAIRS:
        return math.ceil(known + wanted**2 / 2)
    n = max(fewest, math.ceil(known))
    while _detectable(n, alpha, power) > d:
        n += 1
    return n


def _check(alpha: float, power: float) -> None:
    if not 0 < alpha < power < 1:
        raise InputError(f"0 < alpha < power < 1 is needed, not alpha {alpha} and power {power}")


@lru_cache(maxsize=256)
def _detectable(n: int, alpha: float, power: float) -> float:
    """Return the smallest mean that is found with probability `power`, in deviations; inf if none ever is."""
    if smallest_p(n) > alpha:
        return math.inf
    return _for_few(n, alpha, power) if n < FEW_PAIRS else _for_many(n, alpha, power)


def _for_few(n: int, alpha: float, power: float) -> float:
    """Return it for the permutation test, over DRAWS samples of n standard normal differences."""
    z = np.random.default_rng(0).normal(size=(DRAWS, n))
    signs = 1 - 2 * (np.arange(1, 2 ** (n - 1))[:, None] >> np.arange(n) & 1)  # all but their mirror images and all +
    sums, seen = z @ signs.T, z.sum(axis=1, keepdims=True)
    balance = signs.sum(axis=1)
    # Shifted by d, the differences add up to seen + n d, and under these signs to sums + balance d. Up to which d does
    # a pattern, or its mirror image, come out at least as far from zero as what was seen?
    up_to = np.maximum((sums - seen) / (n - balance), (-sums - seen) / (n + balance))
    allowed = math.floor(alpha / smallest_p(n))  # patterns that may, the one that was seen included
    found_from = np.partition(up_to, -allowed, axis=1)[:, -allowed]
    return max(0.0, float(np.quantile(found_from, power)))


def _for_many(n: int, alpha: float, power: float) -> float:
    """Return it for the two-sided paired t test."""
    from scipy.special import nctdtr, stdtrit

    critical = stdtrit(n - 1, 1 - alpha / 2)

    def found(shift: float) -> float:
        return nctdtr(n - 1, shift, -critical) + 1 - nctdtr(n - 1, shift, critical)

    low, high = 0.0, 1.0
    while found(high) < power:
        low, high = high, 2 * high
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if found(middle) < power else (low, middle)
    return high / math.sqrt(n)
