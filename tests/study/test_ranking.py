"""Ranks, profiles and chances over many problems."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from fourfold.core.errors import InputError
from fourfold.study.ranking import average_ranks, midranks, performance_profile, probability_of_improvement

# Demšar (2006), table 6: AUC of four ways to run C4.5 on 14 data sets. The last of `voting`, printed as 0.975 too, is
# ranked by more digits there.
AUC = [
    [0.763, 0.768, 0.771, 0.798],
    [0.599, 0.591, 0.590, 0.569],
    [0.954, 0.971, 0.968, 0.967],
    [0.628, 0.661, 0.654, 0.657],
    [0.882, 0.888, 0.886, 0.898],
    [0.936, 0.931, 0.916, 0.931],
    [0.661, 0.668, 0.609, 0.685],
    [0.583, 0.583, 0.563, 0.625],
    [0.775, 0.838, 0.866, 0.875],
    [1.000, 1.000, 1.000, 1.000],
    [0.940, 0.962, 0.965, 0.962],
    [0.619, 0.666, 0.614, 0.669],
    [0.972, 0.981, 0.975, 0.9749],
    [0.957, 0.978, 0.946, 0.970],
]


@pytest.mark.promise("R16")
def test_ranks_as_published() -> None:
    found = average_ranks(AUC, higher_is_better=True)
    assert found.average == pytest.approx([3.143, 2.000, 2.893, 1.964], abs=5e-4)
    assert found.critical_difference == pytest.approx(1.25, abs=5e-3)


@pytest.mark.promise("R16")
@pytest.mark.parametrize("higher_is_better", [True, False])
@pytest.mark.parametrize("decimals", [1, 9])
def test_friedman_is_scipys(higher_is_better: bool, decimals: int) -> None:
    scores = np.round(np.random.default_rng(1).normal(size=(11, 5)) + np.arange(5) / 3, decimals)
    found = average_ranks(scores.tolist(), higher_is_better=higher_is_better)
    ranks = stats.rankdata(-scores if higher_is_better else scores, axis=1)
    assert found.average == pytest.approx(ranks.mean(0))
    assert (found.statistic, found.p) == pytest.approx(tuple(stats.friedmanchisquare(*scores.T)))


@pytest.mark.promise("R16")
@pytest.mark.parametrize(
    ("alpha", "arms", "q"), [(0.05, 2, 1.960), (0.05, 3, 2.343), (0.05, 7, 2.949), (0.05, 10, 3.164), (0.1, 5, 2.459)]
)
def test_the_critical_difference_is_that_of_published_tables(alpha: float, arms: int, q: float) -> None:
    scores = np.random.default_rng(2).normal(size=(20, arms)).tolist()
    found = average_ranks(scores, higher_is_better=True, alpha=alpha)
    assert found.critical_difference == pytest.approx(q * (arms * (arms + 1) / 120) ** 0.5, abs=1e-3)


def test_all_alike_are_not_told_apart() -> None:
    found = average_ranks([[1, 1, 1]] * 4, higher_is_better=True)
    assert found[:3] == ([2, 2, 2], 0, 1)


@pytest.mark.promise("R16")
@settings(deadline=None)
@given(arrays(np.float64, st.integers(1, 20), elements=st.integers(-5, 5).map(float)))
def test_midranks_are_scipys(values: np.ndarray) -> None:
    assert midranks(values).tolist() == stats.rankdata(values).tolist()


def test_a_profile_of_losses_by_hand() -> None:
    nan = float("nan")
    found = performance_profile([[1, 2, 4], [3, 3, 1], [5, nan, 5], [0, 0.1, 0]], higher_is_better=False)
    # factors: 1 2 4 / 3 3 1 / 1 inf 1 / 1 inf 1
    assert found.factors == [1, 2, 3, 4]
    assert found.shares == [[0.75, 0.75, 1, 1], [0, 0.25, 0.5, 0.5], [0.75, 0.75, 0.75, 1]]


def test_a_profile_of_rewards_by_hand() -> None:
    nan = float("nan")
    found = performance_profile([[1, 2, 4], [3, 3, 1], [0, nan, 5], [0, nan, 0]], higher_is_better=True)
    # factors: 4 2 1 / 1 1 3 / inf inf 1 / 1 inf 1
    assert found.factors == [1, 2, 3, 4]
    assert found.shares == [[0.5, 0.5, 0.5, 0.75], [0.25, 0.5, 0.5, 0.5], [0.75, 0.75, 1, 1]]


def test_where_all_failed_nobody_is_near() -> None:
    nan = float("nan")
    for higher_is_better in (True, False):
        assert performance_profile([[nan, nan]], higher_is_better=higher_is_better) == ([1], [[0], [0]])


@settings(deadline=None)
@given(arrays(np.float64, (4, 3), elements=st.floats(0.01, 100)), st.booleans(), st.floats(0.1, 10))
def test_units_of_a_problem_do_not_matter(scores: np.ndarray, higher_is_better: bool, factor: float) -> None:
    found = performance_profile(scores.tolist(), higher_is_better=higher_is_better)
    scaled = performance_profile((scores * [[factor], [1], [1], [1]]).tolist(), higher_is_better=higher_is_better)
    for profile in (found, scaled):
        assert np.all(np.diff(profile.shares, axis=1) >= 0)
        assert [shares[-1] for shares in profile.shares] == [1, 1, 1]
        assert sum(shares[0] for shares in profile.shares) >= 1 - 1e-9  # somebody is best
    assert np.mean(scaled.factors) == pytest.approx(np.mean(found.factors)) or len(scaled.factors) != len(found.factors)


@pytest.mark.promise("R16")
@pytest.mark.parametrize("higher_is_better", [True, False])
def test_the_chance_of_improvement_is_mann_and_whitneys(higher_is_better: bool) -> None:
    rng = np.random.default_rng(4)
    ours, theirs = [rng.integers(0, 9, 6), rng.integers(2, 9, 4)], [rng.integers(0, 9, 5), rng.integers(0, 9, 7)]
    shares = [stats.mannwhitneyu(x, y).statistic / (len(x) * len(y)) for x, y in zip(ours, theirs, strict=True)]
    expected = np.mean(shares) if higher_is_better else 1 - np.mean(shares)
    assert expected != pytest.approx(0.5)
    assert probability_of_improvement(ours, theirs, higher_is_better=higher_is_better) == pytest.approx(expected)


def test_mistakes_are_named() -> None:
    for scores in ([], [[1]], [[1, 2], [1, 2, 3]]):
        with pytest.raises(InputError, match="two or more arms"):
            average_ranks(scores, higher_is_better=True)
    with pytest.raises(InputError, match="finite"):
        average_ranks([[1, float("nan")]], higher_is_better=True)
    with pytest.raises(InputError, match="zero or more"):
        performance_profile([[1, -1]], higher_is_better=False)
    with pytest.raises(InputError, match="1 tasks of the arm against 2"):
        probability_of_improvement([[1]], [[1], [2]], higher_is_better=True)
    with pytest.raises(InputError, match="every task"):
        probability_of_improvement([[1], []], [[1], [2]], higher_is_better=True)
