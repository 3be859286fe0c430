"""Combinations of members' outputs against scikit-learn's ensembles of the same members, and by hand."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import AdaBoostClassifier, AdaBoostRegressor, BaggingClassifier, BaggingRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor
from torch import Tensor

from fourfold.algorithms.combining import (
    NO_VOTE,
    mean,
    mean_probabilities,
    mixture_of_gaussians,
    vote_shares,
    weighted_median,
    weighted_votes,
)

IRIS: Any = load_iris(return_X_y=True)
DIABETES: Any = load_diabetes(return_X_y=True)
MEMBERS = 7


def scores(trees: list[DecisionTreeClassifier], x: np.ndarray) -> Tensor:
    """Class scores whose softmax is what each tree says, `[members, batch, classes]`."""
    return torch.tensor(np.stack([tree.predict_proba(x) for tree in trees])).clamp(min=1e-300).log()


def test_mean_probabilities_are_those_of_scikit_learns_bagging() -> None:
    x, y = IRIS
    theirs = BaggingClassifier(DecisionTreeClassifier(max_depth=2), MEMBERS, random_state=0).fit(x, y)
    ours = mean_probabilities(scores(theirs.estimators_, x), torch.ones(MEMBERS, dtype=torch.float64))
    np.testing.assert_allclose(ours.exp().numpy(), theirs.predict_proba(x), atol=1e-12)
    torch.testing.assert_close(ours.softmax(1), ours.exp())  # scores whose softmax they are already


def test_the_mean_is_that_of_scikit_learns_bagging() -> None:
    x, y = DIABETES
    theirs = BaggingRegressor(DecisionTreeRegressor(max_depth=3), MEMBERS, random_state=0).fit(x, y)
    outputs = torch.tensor(np.stack([tree.predict(x) for tree in theirs.estimators_])).unsqueeze(2)
    np.testing.assert_allclose(mean(outputs, torch.ones(MEMBERS)).squeeze(1).numpy(), theirs.predict(x))


def test_weighted_votes_are_those_of_scikit_learns_adaboost() -> None:
    x, y = IRIS
    theirs = AdaBoostClassifier(DecisionTreeClassifier(max_depth=1), n_estimators=MEMBERS, random_state=0).fit(x, y)
    weights = torch.tensor(theirs.estimator_weights_)
    ours = weighted_votes(scores(list(theirs.estimators_), x), weights)
    assert (ours.argmax(1).numpy() == theirs.predict(x)).all()
    total, classes = weights.sum(), 3
    coded = (ours * classes - total) / (classes - 1) / total  # theirs: 1 for the class, -1 / (K - 1) for the others
    np.testing.assert_allclose(coded.numpy(), theirs.decision_function(x), atol=1e-12)


def test_the_weighted_median_is_that_of_scikit_learns_adaboost() -> None:
    x, y = DIABETES
    tree = DecisionTreeRegressor(max_depth=2)
    theirs = AdaBoostRegressor(tree, n_estimators=MEMBERS, random_state=0).fit(x, y)
    outputs = torch.tensor(np.stack([each.predict(x) for each in theirs.estimators_])).unsqueeze(2)
    ours = weighted_median(outputs, torch.tensor(theirs.estimator_weights_[: len(outputs)]))
    np.testing.assert_array_equal(ours.squeeze(1).numpy(), theirs.predict(x))


def test_a_median_by_hand() -> None:
    outputs = torch.tensor([[[5.0]], [[1.0]], [[3.0]], [[100.0]]])
    assert weighted_median(outputs, torch.tensor([1.0, 1.0, 1.0, 0.0])).item() == 3
    assert weighted_median(outputs, torch.tensor([1.0, 1.0, 1.0, 4.0])).item() == 100
    assert weighted_median(outputs, torch.tensor([1.0, 2.0, 1.0, 0.0])).item() == 1  # just half of the weight
    assert weighted_median(outputs, torch.tensor([0.0, 0.0, 0.0, 1.0])).item() == 100


def test_vote_shares_count_one_vote_a_member() -> None:
    sure, unsure = [0.0, 9.0, 0.0], [0.1, 0.0, 0.0]
    outputs = torch.tensor([[sure], [unsure], [unsure], [sure]])
    shares = vote_shares(outputs, torch.tensor([1.0, 1.0, 1.0, 0.0]))
    torch.testing.assert_close(shares.softmax(1), torch.tensor([[2 / 3, 1 / 3, NO_VOTE]]), rtol=1e-5, atol=1e-7)
    assert mean_probabilities(outputs, torch.ones(4)).argmax() == 1  # the mean listens to who is sure
    assert shares.argmax() == 0


def test_a_mixture_of_gaussians_has_the_mean_and_variance_of_its_samples() -> None:
    means, deviations = torch.tensor([-1.0, 0.0, 4.0]), torch.tensor([0.5, 1.0, 2.0])
    outputs = torch.stack([means, 2 * deviations.log()], 1).view(3, 1, 2)
    weights = torch.tensor([1.0, 2.0, 1.0])
    centre, log_variance = mixture_of_gaussians(outputs, weights)[0].tolist()
    generator = torch.Generator().manual_seed(0)
    chosen = torch.multinomial(weights, 400_000, replacement=True, generator=generator)
    samples = means[chosen] + deviations[chosen] * torch.randn(400_000, generator=generator)
    assert centre == pytest.approx(float(samples.mean()), abs=0.02)
    assert math.exp(log_variance) == pytest.approx(float(samples.var()), rel=0.01)


@pytest.mark.parametrize("combine", [mean, mean_probabilities, vote_shares, weighted_votes, weighted_median])
def test_a_member_without_weight_changes_nothing(combine) -> None:
    generator = torch.Generator().manual_seed(0)
    outputs = torch.randn(4, 5, 3, generator=generator, dtype=torch.float64)
    weights = torch.tensor([1.0, 0.0, 2.0, 0.5], dtype=torch.float64)
    outputs[1] = 1000  # if it had a say, it would be heard
    there = weights > 0
    torch.testing.assert_close(combine(outputs, weights), combine(outputs[there], weights[there]))
