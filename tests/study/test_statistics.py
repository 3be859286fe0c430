"""Paired differences, their tests and Holm's correction."""

from math import inf, isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from fourfold.core.errors import InputError
from fourfold.study.statistics import holm, paired_difference

thousandths = st.integers(-1000, 1000).map(lambda number: number / 1000)  # coarse enough for ties
pairs = st.lists(st.tuples(thousandths, thousandths), min_size=2, max_size=12)


def drawn(kind: str, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    draw = {
        "normal": lambda: rng.normal(0.3, 1, n),
        "skewed": lambda: rng.exponential(1, n),
        "coarse": lambda: rng.integers(-3, 4, n) / 100,
    }[kind]
    return draw(), draw()


@pytest.mark.promise("R16")
@pytest.mark.parametrize("kind", ["normal", "skewed", "coarse"])
@pytest.mark.parametrize("n", [2, 3, 5, 8, 11])
def test_the_permutation_test_is_scipys(kind: str, n: int) -> None:
    x, y = drawn(kind, n, seed=n)
    expected = stats.permutation_test(
        (x, y),
        lambda x, y, axis: np.mean(x - y, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
    )
    assert paired_difference(x, y).p == pytest.approx(expected.pvalue, abs=1e-12)


@pytest.mark.promise("R16")
@pytest.mark.parametrize("shift", [0, 1, 2])
def test_beyond_twenty_pairs_draws_agree_with_the_exact_count(shift: int) -> None:
    steps = np.random.default_rng(5).integers(1, 9, 40)
    signs = np.where(np.arange(40) % 5 < shift, 1, np.where(np.arange(40) % 2, 1, -1))
    counts = np.ones(1)  # of patterns, by the sum of what is positive: a convolution a difference
    for step in steps:
        counts = np.convolve(counts, np.eye(step + 1)[[0, step]].sum(0))
    sums = 2 * np.arange(len(counts)) - steps.sum()
    exact = counts[abs(sums) >= abs((signs * steps).sum())].sum() / counts.sum()
    found = paired_difference(signs * steps, np.zeros(40))
    assert abs(found.p - exact) < 4 * (exact * (1 - exact) / 9999) ** 0.5 + 1e-4
    assert found.test == "paired permutation test, 9999 draws"


@pytest.mark.promise("R16")
def test_a_p_from_draws_is_never_zero() -> None:
    assert paired_difference(np.arange(1, 41), np.zeros(40), resamples=999).p == 1 / 1000  # no draw has 40 equal signs


@pytest.mark.promise("R16")
def test_a_study_of_five_seeds_by_hand() -> None:
    found = paired_difference([0.93, 0.95, 0.94, 0.96, 0.92], [0.91, 0.92, 0.93, 0.92, 0.92])
    # Differences 2, 3, 1, 4, 0 of a hundredth: the mean is 2, the squares about it add up to 10, and the sum of 10 is
    # reached by 2 signs of the last times both directions, of 32 patterns.
    assert found.mean == pytest.approx(0.02)
    assert found.deviation == pytest.approx(0.01 * (10 / 4) ** 0.5)
    assert found.effect_size == pytest.approx(2 / (10 / 4) ** 0.5)
    assert found.p == 4 / 32
    reach = 2.7764451 * 0.01 * (10 / 4) ** 0.5 / 5**0.5  # Student's 97.5 % point with 4 degrees of freedom
    assert (found.low, found.high) == pytest.approx((0.02 - reach, 0.02 + reach))
    assert found.test == "paired permutation test, exact"


@pytest.mark.promise("R16")
@pytest.mark.parametrize("n", [2, 7, 30])
def test_nothing_between_them(n: int) -> None:
    scores = np.linspace(0.1, 0.9, n)
    found = paired_difference(scores, scores)
    assert found[:5] == (n, 0, 0, 0, 1)
    assert found[6:] == (0, 0)


def test_what_rounding_leaves_is_nothing() -> None:
    found = paired_difference([0.1 + 0.2, 0.3, 0.7], [0.3, 0.1 + 0.2, 0.1 + 0.6])
    assert found[:5] == (3, 0, 0, 0, 1)
    even = paired_difference([0.92, 0.86, 0.12], [0.91, 0.85, 0.11])  # each a hundredth, none exactly
    assert even.deviation == 0
    assert even.effect_size == inf
    assert even.low == even.high == pytest.approx(0.01)
    assert even.p == 2 / 8


def test_differences_equal_but_for_rounding_are_ties() -> None:
    x, y = [0.92, 0.86, 0.12, 0.40, 0.70], [0.91, 0.85, 0.13, 0.42, 0.67]  # 1, 1, -1, -2, 3
    assert paired_difference(x, y).p == paired_difference([1, 1, -1, -2, 3], [0] * 5).p


def test_one_pair_says_nothing() -> None:
    found = paired_difference([0.9], [0.1])
    assert found[:5] == (1, pytest.approx(0.8), -inf, inf, 1)
    assert isnan(found.effect_size)
    assert isnan(found.deviation)


@settings(deadline=None)
@given(pairs, st.randoms())
def test_the_order_of_seeds_changes_nothing(scores, random) -> None:
    shuffled = random.sample(scores, len(scores))
    found, again = (paired_difference(*zip(*each, strict=True)) for each in (scores, shuffled))
    assert again.p == pytest.approx(found.p, abs=1e-12)
    assert (again.mean, again.deviation) == pytest.approx((found.mean, found.deviation), abs=1e-12)


@settings(deadline=None)
@given(pairs)
def test_exchanging_the_arms_turns_the_sign(scores) -> None:
    x, y = zip(*scores, strict=True)
    found, turned = paired_difference(x, y), paired_difference(y, x)
    assert turned.p == pytest.approx(found.p, abs=1e-12)
    assert (turned.mean, turned.low, turned.high) == pytest.approx((-found.mean, -found.high, -found.low), abs=1e-9)
    assert turned.effect_size == pytest.approx(-found.effect_size)


@settings(deadline=None)
@given(pairs, st.floats(0.01, 1000))
def test_other_units_change_the_units(scores, factor) -> None:
    x, y = np.array(scores).T
    found, scaled = paired_difference(x, y), paired_difference(factor * x, factor * y)
    assert scaled.p == pytest.approx(found.p, abs=1e-12)
    assert scaled.effect_size == pytest.approx(found.effect_size)
    for name in ("mean", "low", "high", "deviation"):
        assert getattr(scaled, name) == pytest.approx(factor * getattr(found, name), abs=1e-9 * factor)


@settings(deadline=None)
@given(pairs)
def test_p_is_a_share_and_the_interval_holds_the_mean(scores) -> None:
    found = paired_difference(*zip(*scores, strict=True))
    assert 2 / 2**found.n <= found.p <= 1
    assert found.low - 1e-12 <= found.mean <= found.high + 1e-12


def test_the_same_scores_give_the_same_bits() -> None:
    x, y = drawn("skewed", 25, seed=1)
    assert paired_difference(x, y) == paired_difference(x, y)
    assert paired_difference(x, y, seed=1) != paired_difference(x, y)


def test_mistakes_are_named() -> None:
    with pytest.raises(InputError, match="3 scores of the arm against 2"):
        paired_difference([1, 2, 3], [1, 2])
    with pytest.raises(InputError, match="no scores"):
        paired_difference([], [])
    with pytest.raises(InputError, match="score 2 of the reference is nan"):
        paired_difference([1, 2], [1, float("nan")])
    with pytest.raises(InputError, match="score 1 of the arm is inf"):
        paired_difference([inf, 2], [1, 2])


@pytest.mark.promise("R16")
def test_holm_by_hand() -> None:
    # 0.005 x 4, 0.01 x 3, 0.03 x 2, and 0.04 x 1 may not come out below 0.06.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.6]) == [1, 1]
    assert holm([0.2]) == [0.2]
    assert holm([]) == []
    with pytest.raises(InputError, match="between 0 and 1"):
        holm([0.5, float("nan")])


@pytest.mark.promise("R16")
@pytest.mark.parametrize("many", range(1, 9))
def test_holm_is_statsmodels(many: int) -> None:
    p_values = (np.random.default_rng(many).integers(0, 20, many) / 20) ** 3  # small ones, and some alike
    assert holm(p_values.tolist()) == pytest.approx(multipletests(p_values, method="holm")[1].tolist(), abs=1e-12)
