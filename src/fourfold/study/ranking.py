"""Many arms over many problems: ranks, performance profiles, and how often one arm beats another.

Source: Friedman, The Use of Ranks, JASA 32(200), 1937; Nemenyi's critical difference and how to use both from Demšar,
Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7, 2006, section 3.2; performance profiles from
Dolan & Moré, Benchmarking Optimization Software with Performance Profiles, Math. Program. 91, 2002, section 2;
probability of improvement from Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice,
NeurIPS 2021, section 4.3.
Departures: Friedman's p is that of the chi-square approximation, fair from about 10 problems and 5 arms on.
Checked by: scipy.stats (rankdata, friedmanchisquare, mannwhitneyu); Demšar's table of critical values; by hand.
"""

import math
from typing import NamedTuple, Sequence

import numpy as np

from fourfold.core.errors import InputError


class Ranks(NamedTuple):
    """Who comes first, over all problems.

    Attributes:
        average: each arm's rank, averaged over problems, `[arms]`; 1 is best.
        statistic: Friedman's chi-square, corrected for ties.
        p: how often ranks this uneven come up where all arms are alike.
        critical_difference: average ranks that lie less than this apart are not told apart (Nemenyi).
    """

    average: list[float]
    statistic: float
    p: float
    critical_difference: float


class Profile(NamedTuple):
    """Performance profile: the share of problems on which an arm is within a factor of the best.

    Attributes:
        factors: every factor at which some arm's share grows, from 1 on, `[steps]`.
        shares: 0..1, `[arms][steps]`; between two factors the share is that of the smaller one.
    """

    factors: list[float]
    shares: list[list[float]]


def midranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks of `values [n]`, the smallest being 1; equal values share the mean of their ranks."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[place]


def average_ranks(scores: Sequence[Sequence[float]], *, higher_is_better: bool, alpha: float = 0.05) -> Ranks:
    """Rank the arms on each problem and average the ranks.

    Args:
        scores: `[problems][arms]`, finite; at least one problem and two arms. Equal scores share their mean rank.
        higher_is_better: True for accuracy, False for loss.
        alpha: level of the critical difference.

    Raises:
        InputError: rows of different length, fewer than two arms, or a score that is not finite.
    """
    from scipy.special import chdtrc
    from scipy.stats import studentized_range

    table = _table(scores)
    if not np.isfinite(table).all():
        raise InputError("ranks need a finite score of every arm on every problem")
    problems, arms = table.shape
    ranks = np.array([midranks(-row if higher_is_better else row) for row in table])
    average = ranks.mean(axis=0)
    between = ((average - (arms + 1) / 2) ** 2).sum() * problems * problems
    within = ((ranks - (arms + 1) / 2) ** 2).sum() / (arms - 1)  # ties make it smaller: Friedman's correction
    statistic = float(between / within) if within else 0.0
    spread = math.sqrt(arms * (arms + 1) / (6 * problems))
    critical = float(studentized_range.ppf(1 - alpha, arms, np.inf)) / math.sqrt(2) * spread
    return Ranks(average.tolist(), statistic, float(chdtrc(arms - 1, statistic)), critical)


def performance_profile(scores: Sequence[Sequence[float]], *, higher_is_better: bool) -> Profile:
    """Return how often each arm is within a factor of the best arm.

    The factor of an arm on a problem, 1 for the best arm:

    - lower is better (loss, error, seconds): the arm's score divided by the smallest on that problem;
    - higher is better (accuracy, reward): the largest score on that problem divided by the arm's.

    A score of zero that is not the best has an infinite factor, for higher is better; so has every other arm where the
    best of a lower-is-better score is zero. Equals of the best have factor 1. Near the top of a bounded score the
    factors are all near 1 (0.98 and 0.99 of accuracy): there give errors, 0.02 and 0.01, with lower is better.

    Args:
        scores: `[problems][arms]`, >= 0; nan where the arm failed on the problem, which is an infinite factor. Failed
            problems stay in the count.
        higher_is_better: True for accuracy, False for loss.

    Raises:
        InputError: a score below zero, of which no ratio makes sense, or rows of different length.
    """
    table = _table(scores)
    if (table < 0).any() or np.isinf(table).any():
        raise InputError("a performance profile needs finite scores of zero or more; give nan where an arm failed")
    worst = -1.0 if higher_is_better else np.inf
    filled = np.where(np.isnan(table), worst, table)
    best = filled.max(axis=1, keepdims=True) if higher_is_better else filled.min(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        factors = best / table if higher_is_better else table / best
    factors = np.where(np.isnan(table), np.inf, np.where(table == best, 1.0, factors))
    steps = np.unique(np.append(factors[np.isfinite(factors)], 1.0))
    shares = (factors[:, :, None] <= steps).mean(axis=0)
    return Profile(steps.tolist(), shares.tolist())


def probability_of_improvement(
    arm: Sequence[Sequence[float]], reference: Sequence[Sequence[float]], *, higher_is_better: bool
) -> float:
    """Return the chance that a run of the arm is better than a run of the reference, on a task drawn at random.

    P(X > Y) + P(X = Y) / 2 over all pairs of runs of a task, averaged over tasks; 0.5 where they are alike. It says how
    often, never by how much.

    Args:
        arm: `[tasks][seeds]`; numbers of seeds may differ.
        reference: `[tasks][seeds]`, the same tasks in the same order.
        higher_is_better: True for accuracy, False for loss.

    Raises:
        InputError: different numbers of tasks, a task without scores, or a score that is not finite.
    """
    if len(arm) != len(reference) or not len(arm):
        raise InputError(f"{len(arm)} tasks of the arm against {len(reference)} of the reference")
    chances = []
    for ours, theirs in zip(arm, reference, strict=True):
        x, y = np.asarray(ours, dtype=np.float64), np.asarray(theirs, dtype=np.float64)
        if not x.size or not y.size or not (np.isfinite(x).all() and np.isfinite(y).all()):
            raise InputError("the chance of improvement needs finite scores of both arms on every task")
        gap = x[:, None] - y if higher_is_better else y - x[:, None]
        chances.append(((gap > 0) + (gap == 0) / 2).mean())
    return float(np.mean(chances))


def _table(scores: Sequence[Sequence[float]]) -> np.ndarray:
    if len({len(row) for row in scores}) != 1 or len(scores[0]) < 2:
        raise InputError("every problem needs one score of each of two or more arms")
    return np.asarray(scores, dtype=np.float64)
