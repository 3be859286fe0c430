"""Intervals by resampling: of a mean over seeds, and of the interquartile mean over seeds and tasks.

Source: BCa from Efron & Tibshirani, An Introduction to the Bootstrap, 1993, section 14.3. Interquartile mean and
stratified bootstrap from Agarwal et al., Deep Reinforcement Learning at the Edge of the Statistical Precipice,
NeurIPS 2021, section 4. The wider percentiles from Hesterberg, What Teachers Should Know about the Bootstrap, The
American Statistician 69(4), 2015: there the expanded percentile interval.
Departures: below TOO_FEW_FOR_BOOTSTRAP values `mean_interval` is Student's, and from there on the percentiles of BCa
are Hesterberg's: plain BCa says 95 % and holds the mean of 10 normal values in 88 %, of 20 in 91 %.
Checked by: scipy.stats.bootstrap, to rounding, with the same draws; scipy.stats.trim_mean; coverage in simulation.
"""

from typing import NamedTuple, Sequence

import numpy as np

from fourfold.core.errors import InputError

RESAMPLES = 9_999
TOO_FEW_FOR_BOOTSTRAP = 20


class Interval(NamedTuple):
    """What the data leave plausible.

    Attributes:
        low: lower end, in the units of the scores.
        high: upper end.
    """

    low: float
    high: float


def mean_interval(
    values: Sequence[float] | np.ndarray, *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Return an interval that holds the true mean in a share `level` of studies.

    From 20 values on it is the bootstrap's, bias-corrected and accelerated (BCa), which leans to the side that the
    values lean to; its percentiles are moved outward so that for normal values it is as wide as Student's. Fewer values
    are too few to resample: the bootstrap would call the mean surer than it is, so there it is Student's t interval,
    exact for normal values. One value says nothing about its spread: the interval is the whole line. Equal values give
    an interval of no width.

    Args:
        values: `[n]`, finite, n >= 1.
        level: between 0 and 1.
        resamples: how many samples the bootstrap draws.
        seed: of those draws.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.size == 1:
        return Interval(-np.inf, np.inf)
    if np.ptp(x) == 0:
        return Interval(float(x[0]), float(x[0]))
    return _student(x, level) if x.size < TOO_FEW_FOR_BOOTSTRAP else _bca(x, level, resamples, seed)


def _student(x: np.ndarray, level: float) -> Interval:
    from scipy.special import stdtrit

    reach = stdtrit(x.size - 1, (1 + level) / 2) * x.std(ddof=1) / np.sqrt(x.size)
    return Interval(float(x.mean() - reach), float(x.mean() + reach))


def _bca(x: np.ndarray, level: float, resamples: int, seed: int) -> Interval:
    from scipy.special import ndtr, ndtri, stdtrit

    n, mean = x.size, x.mean()
    draws = np.random.default_rng(seed).integers(0, n, (resamples, n))
    means = x[draws].mean(axis=1)
    tie = 1e-12 * np.abs(x).max()  # equal means come out apart by rounding
    below = ((means < mean - tie).mean() + (means <= mean + tie).mean()) / 2
    bias = ndtri(below)  # z_0, equation 14.14; ties counted half
    deviations = x - mean
    acceleration = (deviations**3).sum() / (6 * (deviations**2).sum() ** 1.5)  # a, equation 14.15
    reach = stdtrit(n - 1, (1 + level) / 2) * np.sqrt(n / (n - 1))  # Hesterberg (2015); plain BCa: ndtri
    outward = bias + np.array([-reach, reach])
    low, high = np.quantile(means, ndtr(bias + outward / (1 - acceleration * outward)))  # equation 14.10
    return Interval(float(low), float(high))


def interquartile_mean(values: Sequence[float] | np.ndarray) -> float:
    """Return the mean of the middle half of `values`.

    A quarter of the values, rounded down, is left out at each end: few runs that fail or shine move it little, and it
    uses more of the data than the median.

    Raises:
        InputError: no value, or one that is not finite.
    """
    x = np.asarray(values, dtype=np.float64).ravel()
    if not x.size or not np.isfinite(x).all():
        raise InputError("an interquartile mean needs at least one score, and finite ones")
    return float(_middle_mean(x))


def interquartile_mean_interval(
    scores: Sequence[Sequence[float]], *, level: float = 0.95, resamples: int = RESAMPLES, seed: int = 0
) -> Interval:
    """Return an interval of the interquartile mean over all tasks and seeds.

    Each resample draws as many seeds as a task has, with replacement, within each task (a stratified bootstrap), and
    takes the interquartile mean of all scores together; the interval is between percentiles of those.

    Args:
        scores: `[tasks][seeds]`, finite; tasks may have different numbers of seeds. One task is allowed.
        level: between 0 and 1.
        resamples: how many samples the bootstrap draws.
        seed: of those draws.

    Raises:
        InputError: no task, a task without a score, or a score that is not finite.
    """
    tasks = [np.asarray(task, dtype=np.float64) for task in scores]
    if not tasks or not all(task.size and np.isfinite(task).all() for task in tasks):
        raise InputError("an interquartile mean needs at least one score of each task, and finite ones")
    rng = np.random.default_rng(seed)
    drawn = [task[rng.integers(0, task.size, (resamples, task.size))] for task in tasks]
    low, high = np.quantile(_middle_mean(np.concatenate(drawn, axis=1)), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(low), float(high))


def _middle_mean(x: np.ndarray) -> np.ndarray:
    cut = x.shape[-1] // 4
    return np.sort(x, axis=-1)[..., cut : x.shape[-1] - cut].mean(axis=-1)
