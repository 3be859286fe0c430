"""Two arms at the same seeds: the difference, how sure it is, and what remains when many are compared at once.

A difference is always arm minus reference at one seed, so what the seed gives to both (the split, the order, the
first weights) cancels. Float64 and fixed seeds throughout: the same scores give the same numbers.

Source: the sign-flip test from Fisher, The Design of Experiments, 1935, section 21; (1 + hits) / (1 + draws) from
Phipson & Smyth, Permutation P-values Should Never Be Zero, SAGMB 9(1), 2010; Holm, A Simple Sequentially Rejective
Multiple Test Procedure, Scand. J. Statist. 6, 1979; d_z from Cohen, Statistical Power Analysis, 2nd ed. 1988, section
2.3.5; pairing and what to vary with the seed from Bouthillier et al., Accounting for Variance in Machine Learning
Benchmarks, MLSys 2021.
Departures: none known.
Checked by: scipy.stats (permutation_test, bootstrap), statsmodels' Holm, hand computation; and simulated studies of a
thing with itself.
"""

from typing import NamedTuple, Sequence

import numpy as np

from fourfold.core.errors import InputError
from fourfold.study.intervals import RESAMPLES, mean_interval

EXACT_PAIRS = 20  # up to 2^19 patterns of signs are looked at one by one, in milliseconds
SAME = 1e-12  # scores that agree to so many digits are equal; a subtraction leaves a rest of rounding


class Difference(NamedTuple):
    """Arm minus reference, over paired seeds.

    Attributes:
        n: number of pairs.
        mean: mean difference, in the units of the score.
        low: lower end of the interval of the mean; -inf with one pair.
        high: upper end; inf with one pair.
        p: how often chance alone gives a mean difference at least this far from zero, in either direction.
        test: what gave `p`, in words.
        effect_size: Cohen's d_z, the mean in units of `deviation`, without Hedges' correction (so it is too large by
            about 3 / (4n - 7) of itself); 0 where all differences are zero, ±inf where they are equal and not zero,
            nan with one pair.
        deviation: standard deviation of the differences, divided by n - 1; nan with one pair.
    """

    n: int
    mean: float
    low: float
    high: float
    p: float
    test: str
    effect_size: float
    deviation: float


def paired_difference(
    arm: Sequence[float],
    reference: Sequence[float],
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Return the difference of two arms that ran at the same seeds.

    Were there nothing between the arms, each difference could as well have had the other sign. The test counts in
    what share of all 2^n patterns of signs the sum is at least as far from zero as it was. Up to 20 pairs every pattern
    is counted; beyond, `resamples` are drawn and p is (1 + hits) / (1 + draws), never zero.

    Scores that agree to 12 digits count as equal. All differences zero: p is 1 and the interval [0, 0].

    Args:
        arm: `[n]`, one score a seed.
        reference: `[n]`, the scores of the other arm at the same seeds, in the same order.
        level: of the interval of the mean, see `mean_interval`.
        resamples: draws of the bootstrap, and of the test beyond 20 pairs.
        seed: of those draws.

    Raises:
        InputError: no pair, different numbers of scores, or a score that is not finite. A run that failed has no
            score: leave out the pair, and tell the reader that it is missing.
    """
    x, y = _scores(arm, "arm"), _scores(reference, "reference")
    if x.size != y.size:
        raise InputError(f"{x.size} scores of the arm against {y.size} of the reference: one of each a seed is needed")
    scale = max(np.abs(x).max(), np.abs(y).max())
    differences = np.where(np.abs(x - y) <= SAME * scale, 0.0, x - y)
    mean = float(differences.mean())
    if np.ptp(differences) <= SAME * scale:
        differences = np.full_like(differences, mean)  # no spread but that of rounding
    deviation = float(differences.std(ddof=1)) if x.size > 1 else np.nan

    p, test = _sign_flip(differences, x.size * SAME * scale, resamples, seed)
    low, high = mean_interval(differences, level=level, resamples=resamples, seed=seed)
    return Difference(x.size, mean, low, high, p, test, _effect_size(mean, deviation), deviation)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return the p-values corrected for being many, in the same order.

    Holm's method keeps the chance that any of them is called real by mistake at the level of one. The smallest of k is
    multiplied by k, the next by k - 1 and so on; none may come out below one that was smaller, nor above 1.

    Raises:
        InputError: a value outside 0..1.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise InputError(f"p-values lie between 0 and 1, not {list(p_values)}")
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.minimum(1, np.maximum.accumulate(p[order] * np.arange(p.size, 0, -1)))
    return corrected.tolist()


def _scores(values: Sequence[float], whose: str) -> np.ndarray:
    scores = np.asarray(values, dtype=np.float64)
    if scores.ndim != 1 or not scores.size:
        raise InputError(f"the {whose} has no scores to compare")
    bad = np.flatnonzero(~np.isfinite(scores))
    if bad.size:
        raise InputError(f"score {bad[0] + 1} of the {whose} is {scores[bad[0]]}, not a finite number")
    return scores


def _effect_size(mean: float, deviation: float) -> float:
    if deviation == 0:
        return float(np.sign(mean) * np.inf) if mean else 0.0
    return mean / deviation


def _sign_flip(values: np.ndarray, slack: float, resamples: int, seed: int) -> tuple[float, str]:
    """Return the two-sided p of the sum of `values [n]` under random signs, and the test in words.

    Sums that differ by no more than `slack` are equal.
    """
    least = abs(values.sum()) - slack
    if values.size <= EXACT_PAIRS:
        sums = values[:1]  # one sign is held: the other half of the patterns mirrors this one
        for value in values[1:]:
            sums = np.concatenate([sums + value, sums - value])
        return float((np.abs(sums) >= least).mean()), "paired permutation test, exact"
    signs = 2 * np.random.default_rng(seed).integers(0, 2, (resamples, values.size), dtype=np.int8) - 1
    hits = int((np.abs(signs @ values) >= least).sum())
    return (1 + hits) / (1 + resamples), f"paired permutation test, {resamples} draws"
