"""The Frechet distance between two sets of features, each taken for a sample of a normal distribution.

    d^2 = |m_1 - m_2|^2 + tr(C_1 + C_2 - 2 (C_1 C_2)^(1/2))

The trace of the root is the sum of the roots of the eigenvalues of C_1^(1/2) C_2 C_1^(1/2), which is symmetric; so no
root of a matrix that is not symmetric is taken, whose rounding errors may be complex numbers. What is returned is d^2,
as everyone who reports it does. It is biased upwards where there are few examples: compare like numbers of them.

Papers: Dowson and Landau, The Frechet Distance between Multivariate Normal Distributions, Journal of Multivariate
Analysis 12, 1982; for features of pictures Heusel et al., GANs Trained by a Two Time-Scale Update Rule, NeurIPS 2017,
arXiv:1706.08500, Eq. 6.
Checked by: scipy.linalg.sqrtm; the closed form for diagonal covariances; a case by hand.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor


class Moments(NamedTuple):
    """Of a set of features."""

    mean: Tensor  # float64 [features]
    covariance: Tensor  # float64 [features, features], divided by examples - 1


def moments(features: Tensor) -> Moments:
    """Return mean and covariance of features `[examples, features]`."""
    wide = features.double()
    return Moments(wide.mean(0), torch.cov(wide.T).reshape(wide.shape[1], -1))


def frechet_distance(a: Moments, b: Moments) -> float:
    """Return the squared distance, at least 0; infinite where a moment is not finite."""
    if not all(part.isfinite().all() for part in (*a, *b)):
        return math.inf
    values, vectors = torch.linalg.eigh(a.covariance)
    root = (vectors * values.clamp(min=0).sqrt()) @ vectors.T  # C_1^(1/2)
    cross = torch.linalg.eigvalsh(root @ b.covariance @ root).clamp(min=0).sqrt().sum()
    squared = (a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2 * cross
    return max(0.0, float(squared))
