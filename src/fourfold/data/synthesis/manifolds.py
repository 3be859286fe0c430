"""Precision and recall of what was made: how much of it is like given examples, and how much of those it covers.

    precision   share of made examples that lie in the manifold of given ones
    recall      share of given examples that lie in the manifold of made ones

A set's manifold is the union of balls around its examples' features, each as wide as the distance to the k-th nearest
other example of the set.

Paper: Kynkaanniemi et al., Improved Precision and Recall Metric for Assessing Generative Models, NeurIPS 2019,
arXiv:1904.06991, Eqs. 1 and 2, k = 3.
Checked by: a double loop; scikit-learn's nearest neighbours; sets that are equal, apart, or one within the other.
"""

import torch
from torch import Tensor

NEAREST = 3
ROWS = 1024  # of distances at once


def precision_and_recall(given: Tensor, made: Tensor) -> tuple[float, float]:
    """Return precision and recall of features `[examples, features]`."""
    return share_within(made, given), share_within(given, made)


def share_within(examples: Tensor, others: Tensor) -> float:
    """Return the share of `examples` that lie in the manifold of `others`."""
    radii = radii_of(others)
    within = [(_distances(rows, others) <= radii).any(1) for rows in examples.split(ROWS)]
    return float(torch.cat(within).float().mean())


def radii_of(examples: Tensor) -> Tensor:
    """Return each example's distance to its third nearest other one, or to the farthest where they are fewer."""
    nearest = min(NEAREST, len(examples) - 1)
    rows = [_distances(part, examples).kthvalue(nearest + 1, dim=1).values for part in examples.split(ROWS)]
    return torch.cat(rows)  # the nearest of all is the example itself


def _distances(a: Tensor, b: Tensor) -> Tensor:
    # differences are squared one by one: |a|^2 + |b|^2 - 2ab would give an example a distance to itself
    return torch.cdist(a, b, compute_mode="donot_use_mm_for_euclid_dist")
