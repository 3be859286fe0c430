"""Intervals by resampling, and the interquartile mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fourfold.core.errors import InputError
from fourfold.study.intervals import interquartile_mean, interquartile_mean_interval, mean_interval

finite = st.floats(-1e6, 1e6)


@pytest.mark.promise("R16")
@pytest.mark.parametrize("n", [20, 21, 50])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_the_interval_of_a_mean_is_scipys_at_the_wider_level(n: int, level: float) -> None:
    x = np.random.default_rng(n).exponential(1, n)
    reach = stats.t(n - 1).ppf((1 + level) / 2) * (n / (n - 1)) ** 0.5
    scipys = stats.bootstrap(
        (x,),
        np.mean,
        n_resamples=2000,
        confidence_level=1 - 2 * stats.norm.sf(reach),
        method="BCa",
        vectorized=True,
        rng=np.random.default_rng(3),
    ).confidence_interval
    assert mean_interval(x, level=level, resamples=2000, seed=3) == pytest.approx(scipys, abs=1e-9)


@pytest.mark.promise("R16")
def test_means_that_tie_count_half_even_where_rounding_parts_them() -> None:
    coarse = np.array([0.0] * 18 + [1.0] * 3 + [2.0] * 3)  # a tenth of its resamples has the same mean
    scipys = stats.bootstrap(
        (coarse,),
        np.mean,
        n_resamples=2000,
        confidence_level=1 - 2 * stats.norm.sf(stats.t(23).ppf(0.975) * (24 / 23) ** 0.5),
        method="BCa",
        rng=np.random.default_rng(3),
    ).confidence_interval
    for unit in (1, 0.1, 0.7, 1.1, 3.3):
        found = mean_interval(coarse * unit, resamples=2000, seed=3)
        assert found == pytest.approx([unit * end for end in scipys], abs=1e-12)


@pytest.mark.promise("R16")
@pytest.mark.parametrize("n", [5, 19, 20, 40])
@pytest.mark.parametrize(
    ("kind", "least"), [("normal", 0.95), ("heavy", 0.95), ("difference of skewed", 0.95), ("skewed", 0.90)]
)
def test_the_interval_holds_the_mean_about_as_often_as_it_says(n: int, kind: str, least: float) -> None:
    rng = np.random.default_rng(n)
    samples = {
        "normal": lambda: rng.normal(0, 1, (400, n)),
        "heavy": lambda: rng.standard_t(3, (400, n)),
        "difference of skewed": lambda: rng.exponential(1, (400, n)) - rng.exponential(1, (400, n)),
        "skewed": lambda: rng.exponential(1, (400, n)) - 1,
    }[kind]()
    held = sum(low <= 0 <= high for low, high in (mean_interval(x, resamples=999) for x in samples))
    assert held >= 400 * (least - 0.05)
    if kind == "normal":
        assert held >= stats.binom(400, least).ppf(0.001)
        assert held <= 399


@pytest.mark.promise("R16")
@pytest.mark.parametrize("n", [2, 5, 19])
def test_few_values_have_students_interval(n: int) -> None:
    x = np.random.default_rng(n).normal(2, 1, n)
    assert mean_interval(x, level=0.9) == pytest.approx(stats.ttest_1samp(x, 0).confidence_interval(0.9))


def test_no_width_and_no_end() -> None:
    assert mean_interval([0.25] * 30) == (0.25, 0.25)
    assert mean_interval([0.25]) == (-np.inf, np.inf)


@pytest.mark.promise("R16")
@settings(deadline=None)
@given(st.lists(finite, min_size=1, max_size=40))
def test_the_interquartile_mean_is_scipys(values) -> None:
    assert interquartile_mean(values) == pytest.approx(stats.trim_mean(values, 0.25), rel=1e-9, abs=1e-6)


def test_the_interquartile_mean_by_hand() -> None:
    assert interquartile_mean([100, 1, 2, 3, -100]) == 2  # of five, one at each end is left out
    assert interquartile_mean([4, 1, 2, 9]) == 3
    assert interquartile_mean([7, 1, 4]) == 4  # of three, none
    with pytest.raises(InputError, match="at least one score"):
        interquartile_mean([])
    with pytest.raises(InputError, match="finite"):
        interquartile_mean([1, float("nan")])


@pytest.mark.promise("R16")
@pytest.mark.parametrize("sizes", [(5,), (5, 5), (4, 9, 6)])
def test_the_interval_of_an_interquartile_mean_is_scipys(sizes) -> None:
    rng = np.random.default_rng(8)
    tasks = [rng.normal(place, 1, size) for place, size in enumerate(sizes)]

    def pooled(*samples: np.ndarray, axis: int) -> np.ndarray:
        return stats.trim_mean(np.concatenate(samples, axis=axis), 0.25, axis=axis)

    scipys = stats.bootstrap(
        tasks, pooled, n_resamples=2000, method="percentile", vectorized=True, rng=np.random.default_rng(3)
    ).confidence_interval
    found = interquartile_mean_interval([task.tolist() for task in tasks], resamples=2000, seed=3)
    assert found == pytest.approx(scipys, abs=1e-9)


def test_seeds_are_drawn_within_their_task() -> None:
    # Tasks far apart, seeds equal within each: whatever is drawn, the middle half is the same.
    assert interquartile_mean_interval([[0.0] * 6, [1.0] * 6]) == (0.5, 0.5)


def test_scores_that_are_missing_are_named() -> None:
    for scores in ([], [[]], [[1.0], []], [[1.0, float("inf")]]):
        with pytest.raises(InputError, match="at least one score of each task"):
            interquartile_mean_interval(scores)
