"""How several networks answer as one: means, votes and medians of their outputs.

Each takes the members' outputs `[members, batch, outputs]` and their weights `[members]`, none negative, not all zero,
and returns one output `[batch, outputs]` of the kind that one network gives.

Source: plurality votes and means of probabilities from Breiman, Bagging Predictors, Machine Learning 24, 1996, sections
1 and 6.1; sums of weighted votes from Zhu et al., Multi-class AdaBoost, Statistics and Its Interface 2, 2009, Algorithm
2; the weighted median from Drucker, Improving Regressors using Boosting Techniques, ICML 1997, section 2; the Gaussian
of a mixture from Lakshminarayanan et al., NeurIPS 2017, section 2.4, arXiv:1612.01474.
Checked by: scikit-learn's BaggingClassifier, AdaBoostClassifier and AdaBoostRegressor, given the same members.
"""

import torch
from torch import Tensor

NO_VOTE = 1e-6  # the share of a class that nobody voted for, so that its logarithm is a number


def mean(outputs: Tensor, weights: Tensor) -> Tensor:
    """Return the mean output."""
    return (_shares(weights) * outputs).sum(0)


def mean_probabilities(outputs: Tensor, weights: Tensor) -> Tensor:
    """Return the logarithm of the mean of class probabilities, from class scores."""
    return (outputs.log_softmax(2) + _shares(weights).log()).logsumexp(0)


def mixture_of_gaussians(outputs: Tensor, weights: Tensor) -> Tensor:
    """Return mean and log variance of the mixture, from the members' means and log variances (side by side)."""
    shares = _shares(weights)
    means, log_variances = outputs.chunk(2, dim=2)
    centre = (shares * means).sum(0)
    variance = (shares * (log_variances.exp() + (means - centre).square())).sum(0)
    return torch.cat([centre, variance.log()], 1)


def vote_shares(outputs: Tensor, weights: Tensor) -> Tensor:
    """Return the logarithm of each class's share of the votes, from class scores; one vote a member."""
    return (_shares(weights) * _votes(outputs)).sum(0).clamp(min=NO_VOTE).log()


def weighted_votes(outputs: Tensor, weights: Tensor) -> Tensor:
    """Return the weight of the votes for each class, from class scores.

    These are class scores again: the largest wins, and their softmax is the class probabilities that the minimum of
    SAMME's exponential loss stands for: there the score of class k is log p_k, but for a term that all classes share.
    """
    return (weights.view(-1, 1, 1) * _votes(outputs)).sum(0)


def weighted_median(outputs: Tensor, weights: Tensor) -> Tensor:
    """Return the smallest output that, with those below it, has at least half of the weight.

    Each member is compared with each: a cumulative sum has no deterministic kernel on a GPU.
    """
    at_most = (outputs.unsqueeze(0) <= outputs.unsqueeze(1)).to(outputs.dtype)  # [members, others, batch, outputs]
    below = (at_most * weights.view(1, -1, 1, 1)).sum(1)
    return torch.where(below >= 0.5 * weights.sum(), outputs, torch.inf).amin(0)


def _shares(weights: Tensor) -> Tensor:
    """Return `[members, 1, 1]` that add up to 1."""
    return (weights / weights.sum()).view(-1, 1, 1)


def _votes(outputs: Tensor) -> Tensor:
    """Return 1 for each member's likeliest class and 0 for the others, `[members, batch, classes]`."""
    classes = torch.arange(outputs.shape[2], device=outputs.device)
    return (outputs.argmax(2, keepdim=True) == classes).to(outputs.dtype)
