"""Expected test error in parts: what a method gets wrong on average, what varies with the sample, what is noise.

A replicate is the same method trained on another sample. For squared loss, over replicates and test examples,

    E (y - f)^2  =  (E f - t)^2  +  E (f - E f)^2  +  E (y - t)^2        error = bias^2 + variance + noise

where y is a test target and t its value without noise. For zero-one loss the main prediction of an example is what most
replicates say; bias is 1 where it is wrong; an example's variance is how often a replicate says something else. That
costs where the main prediction is right (unbiased), and helps where it is wrong and the replicate happens to be right:

    error = bias + unbiased variance - biased variance

Source: Geman, Bienenstock and Doursat, Neural Networks and the Bias/Variance Dilemma, Neural Computation 4, 1992,
equation 3.8, for squared loss; Domingos, A Unified Bias-Variance Decomposition and its Applications, ICML 2000,
sections 2 and 4, for zero-one loss; intervals by Tukey's jackknife, as in Efron, The Jackknife, the Bootstrap and Other
Resampling Plans, 1982, chapter 3.
Departures: of classes, labels are taken to be without noise, so noise counts as bias; as it does for squared loss where
t is not known. A replicate may also differ in its initial draw and order, which then are part of the variance.
Checked by: hand computation; both identities, exactly; simulated predictors of known bias and variance.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fourfold.core.errors import InputError

Array = NDArray[np.float64]
Chosen = NDArray[np.bool_]  # which replicates, [replicates]
LEVEL = 0.95  # of the intervals


class Estimate(NamedTuple):
    """A number from a sample of replicates, and its 95 % interval over replicates."""

    value: float
    low: float
    high: float


class SquaredDecomposition(NamedTuple):
    """Squared loss in parts, each a mean over test examples.

    Attributes:
        error: of a replicate against test targets.
        bias: squared, of the mean prediction; estimated without bias, so where it is zero it may come out just below.
        variance: of a replicate's prediction.
        noise: of the test targets, where it is known; else None, and bias holds it.
        gap: error - bias - variance - noise. Where noise is known all of these are measured apart, and the gap is zero
            but for chance; where it is not, the gap is zero by arithmetic.
    """

    error: Estimate
    bias: Estimate
    variance: Estimate
    noise: float | None
    gap: Estimate


class ZeroOneDecomposition(NamedTuple):
    """Zero-one loss in parts, each a mean over all test examples.

    Attributes:
        error: share of wrong predictions.
        bias: share of examples whose main prediction is wrong.
        unbiased_variance: how often a replicate leaves a main prediction that is right.
        biased_variance: how often a replicate is right where the main prediction is wrong.
    """

    error: float
    bias: float
    unbiased_variance: float
    biased_variance: float

    @property
    def variance(self) -> float:
        """What variance adds to the error: unbiased less biased."""
        return self.unbiased_variance - self.biased_variance


def decompose_squared(
    predictions: ArrayLike, targets: ArrayLike, truth: ArrayLike | None = None, noise: float | None = None
) -> SquaredDecomposition:
    """Return squared error as bias, variance and noise.

    Args:
        predictions: of each replicate, `[replicates, examples]`.
        targets: of the test split, `[examples]`; or `[replicates, examples]` where each replicate has its own draw.
        truth: targets without noise, `[examples]`, where they are known.
        noise: variance of the noise, given with `truth`.

    Raises:
        InputError: fewer than two replicates, no example, shapes that do not fit, a value that is not finite, or one of
            truth and noise without the other.
    """
    f, y = _array(predictions, "predictions"), _array(targets, "targets")
    if f.ndim != 2 or f.shape[0] < 2 or f.shape[1] < 1:
        raise InputError(f"predictions: at least 2 replicates of at least 1 example are needed, not {list(f.shape)}")
    if (truth is None) != (noise is None):
        raise InputError("truth and noise: targets without noise and its variance are known together, or neither")
    if truth is None and y.ndim != 1:
        raise InputError("targets: where each replicate has its own, bias needs the targets without noise")
    t = y if truth is None else _array(truth, "truth")
    for name, shape, fits in (("targets", y.shape, (f.shape, f.shape[1:])), ("truth", t.shape, (f.shape[1:],))):
        if shape not in fits:
            raise InputError(f"{name}: {list(shape)} does not fit predictions {list(f.shape)}")
    errors = (f - y) ** 2

    def parts(chosen: Chosen) -> Array:
        """Return error, bias, variance and gap over some replicates."""
        some = f[chosen]
        variance = some.var(axis=0, ddof=1)
        bias = (some.mean(axis=0) - t) ** 2 - variance / len(some)
        error = errors[chosen].mean()
        sums = np.array([error, bias.mean(), variance.mean()])
        return np.append(sums, sums[0] - sums[1] - sums[2] - (noise or 0.0))

    error, bias, variance, gap = _jackknife(parts, len(f))
    return SquaredDecomposition(error, bias, variance, noise, gap)


def decompose_zero_one(predictions: ArrayLike, targets: ArrayLike) -> ZeroOneDecomposition:
    """Return zero-one error as bias and variance, labels taken to be without noise.

    Where replicates are divided equally, the lowest class number is the main prediction.

    Args:
        predictions: class numbers that each replicate says, `[replicates, examples]`.
        targets: class numbers, `[examples]`.

    Raises:
        InputError: no replicate, no example, or shapes that do not fit.
    """
    said, true = np.asarray(predictions), np.asarray(targets)
    if said.ndim != 2 or not said.size or true.shape != said.shape[1:]:
        raise InputError(f"predictions {list(said.shape)} and targets {list(true.shape)} do not fit: one a replicate")
    classes = np.unique(said)
    counts = (said[:, :, None] == classes).sum(axis=0)  # [examples, classes]
    main = classes[counts.argmax(axis=1)]
    unbiased = main == true
    strays = (said != main).mean(axis=0)
    is_right = (said == true).mean(axis=0)
    return ZeroOneDecomposition(
        error=float((said != true).mean()),
        bias=float((~unbiased).mean()),
        unbiased_variance=float(np.where(unbiased, strays, 0).mean()),
        biased_variance=float(np.where(unbiased, 0, is_right).mean()),
    )


def _array(values: ArrayLike, name: str) -> Array:
    array = np.asarray(values, dtype=np.float64)
    if not np.isfinite(array).all():
        raise InputError(f"{name}: a value is not finite")
    return array


def _jackknife(statistics: Callable[[Chosen], Array], count: int) -> list[Estimate]:
    """Return each statistic of all replicates, with its interval from leaving out one at a time."""
    from scipy.stats import t as student

    every = np.ones(count, dtype=bool)
    whole = statistics(every)
    if count == 2:  # of a single replicate there is no variance
        return [Estimate(float(value), -np.inf, np.inf) for value in whole]
    left_out = np.stack([statistics(np.arange(count) != i) for i in range(count)])
    deviation = np.sqrt((count - 1) / count * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    reach = student.ppf((1 + LEVEL) / 2, count - 1) * deviation
    return [Estimate(float(value), float(value - r), float(value + r)) for value, r in zip(whole, reach, strict=True)]
