"""How many seeds, and how small a difference."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.power import TTestPower

from fourfold.core.errors import InputError
from fourfold.study.power import minimum_detectable_effect, seeds_needed, smallest_p
from fourfold.study.statistics import paired_difference


@pytest.mark.parametrize("n", [1, 2, 5, 6, 20, 21])
def test_the_smallest_p_is_that_of_a_win_at_every_seed(n: int) -> None:
    assert smallest_p(n) == paired_difference(np.full(n, 2.0) + np.arange(n), np.zeros(n)).p


@pytest.mark.promise("R16")
@pytest.mark.parametrize(("d", "power", "pairs"), [(0.5, 0.8, 34), (0.2, 0.8, 199), (0.8, 0.8, 15), (0.5, 0.95, 54)])
def test_pairs_as_in_published_tables(d: float, power: float, pairs: int) -> None:
    assert seeds_needed(1.0, d, power=power) == pairs


@pytest.mark.promise("R16")
@pytest.mark.parametrize("alpha", [0.05, 0.01, 0.05 / 6])
@pytest.mark.parametrize("d", [0.1, 0.3, 0.6])
def test_seeds_needed_is_statsmodels(d: float, alpha: float) -> None:
    assert seeds_needed(2.0, 2 * d, alpha) == np.ceil(TTestPower().solve_power(d, alpha=alpha, power=0.8))


@pytest.mark.promise("R16")
@pytest.mark.parametrize("n", [12, 20, 30, 100])
def test_minimum_detectable_effect_is_statsmodels(n: int) -> None:
    expected = TTestPower().solve_power(nobs=n, alpha=0.01, power=0.9)
    assert minimum_detectable_effect(0.5, n, 0.01, 0.9) == pytest.approx(0.5 * expected, rel=1e-5)


@pytest.mark.promise("R16")
@pytest.mark.parametrize("n", [6, 7, 8, 11])
def test_where_only_a_win_at_every_seed_counts_its_chance_is_known(n: int) -> None:
    found = minimum_detectable_effect(1.0, n, alpha=smallest_p(n))
    assert stats.norm.cdf(found) ** n == pytest.approx(0.8, abs=0.03)  # three errors of the draws


@pytest.mark.promise("R16")
@pytest.mark.parametrize(("n", "alpha"), [(6, 0.05), (7, 0.05), (9, 0.05), (8, 0.05 / 6), (10, 0.05 / 6)])
def test_few_pairs_find_it_with_the_stated_power(n: int, alpha: float) -> None:
    effect = minimum_detectable_effect(2.0, n, alpha, power=0.9)
    samples = np.random.default_rng(n).normal(effect, 2.0, (1000, n))
    found = sum(paired_difference(sample, np.zeros(n)).p <= alpha for sample in samples)
    assert found / 1000 == pytest.approx(0.9, abs=0.035)


@pytest.mark.promise("R16")
def test_power_is_that_of_scipys_noncentral_t() -> None:
    shift = minimum_detectable_effect(1.0, 25) * 5
    far = stats.t(24).ppf(0.975)
    assert stats.nct(24, shift).sf(far) + stats.nct(24, shift).cdf(-far) == pytest.approx(0.8)


@pytest.mark.promise("R16")
@pytest.mark.parametrize(("comparisons", "fewest"), [(1, 6), (2, 7), (3, 7), (4, 8), (6, 8), (7, 9)])
def test_never_fewer_seeds_than_the_test_can_decide(comparisons: int, fewest: int) -> None:
    alpha = 0.05 / comparisons
    assert smallest_p(fewest) <= alpha < smallest_p(fewest - 1)
    assert seeds_needed(1e-9, 1.0, alpha) == seeds_needed(0.0, 1.0, alpha) == fewest
    assert minimum_detectable_effect(0.5, fewest - 1, alpha) == inf
    assert minimum_detectable_effect(0.5, fewest, alpha) < inf
    assert minimum_detectable_effect(float("nan"), 1, alpha) == inf  # one pair has no spread


@settings(deadline=None)
@given(st.integers(6, 60), st.floats(0.001, 10), st.floats(0.01, 0.3), st.floats(0.5, 0.95))
def test_more_seeds_see_smaller_differences(n: int, deviation: float, alpha: float, power: float) -> None:
    fewer, more = (minimum_detectable_effect(deviation, pairs, alpha, power) for pairs in (n, n + 1))
    assert more < fewer or more == fewer == inf


@settings(deadline=None)
@given(st.integers(8, 60), st.floats(0.001, 10))
def test_what_can_be_detected_needs_those_seeds(n: int, deviation: float) -> None:
    effect = minimum_detectable_effect(deviation, n)
    assert seeds_needed(deviation, -1.000001 * effect) == n
    assert seeds_needed(deviation, 0.999999 * effect) == n + 1


@pytest.mark.promise("R16")
@pytest.mark.parametrize("d", [0.0285, 0.027, 0.01])
def test_very_many_seeds_are_statsmodels_to_one(d: float) -> None:
    assert abs(seeds_needed(1.0, d) - TTestPower().solve_power(d, alpha=0.05, power=0.8)) <= 1


def test_a_difference_that_no_study_shows_has_an_end() -> None:
    assert seeds_needed(1.0, 1e-4) == pytest.approx(7.849e8, rel=1e-3)  # ((1.960 + 0.842) / d)^2
    for effect in (1e-5, 1e-12, 1e-200, 5e-324):
        assert seeds_needed(1.0, effect) == 10**9


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="0 seeds"):
        smallest_p(0)
    with pytest.raises(InputError, match="difference of 0"):
        seeds_needed(1.0, 0.0)
    with pytest.raises(InputError, match="too many comparisons"):
        seeds_needed(1.0, 1.0, alpha=1e-5)
    for alpha, power in ((0, 0.8), (0.8, 0.5), (0.05, 1)):
        with pytest.raises(InputError, match="alpha < power"):
            minimum_detectable_effect(1.0, 10, alpha, power)
