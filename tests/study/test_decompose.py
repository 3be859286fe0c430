"""Bias, variance and noise: by hand, the identities, and predictors whose parts are known."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fourfold.core.errors import InputError
from fourfold.study.decompose import decompose_squared, decompose_zero_one


def test_squared_error_by_hand() -> None:
    """Two replicates of two examples: predictions 1, 3 and 5, 5; targets 0 and 6."""
    parts = decompose_squared([[1, 5], [3, 5]], [0, 6])
    assert parts.error.value == pytest.approx(((1 + 9) / 2 + 1) / 2)
    assert parts.variance.value == pytest.approx((2 + 0) / 2)
    assert parts.bias.value == pytest.approx((4 - 2 / 2 + 1) / 2)  # less what two replicates' mean varies itself
    assert parts.noise is None
    assert parts.gap.value == pytest.approx(0, abs=1e-15)


def test_the_jackknife_of_a_mean_is_student_s_interval() -> None:
    """One test example and a target of 0, so error is the mean of squares: scipy's interval of a mean."""
    from scipy import stats

    values = np.array([0.5, 1.5, -2.0, 3.0, 0.1])
    error = decompose_squared(values[:, None], [0.0]).error
    squares = values**2
    low, high = stats.t.interval(0.95, 4, squares.mean(), stats.sem(squares))
    assert (error.low, error.high) == pytest.approx((low, high))


def test_of_two_replicates_there_is_no_interval() -> None:
    error = decompose_squared([[1.0], [2.0]], [0.0]).error
    assert (error.low, error.high) == (-math.inf, math.inf)


@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 10_000))
def test_squared_error_is_bias_and_variance_whatever_the_predictions(replicates: int, examples: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    predictions, targets = generator.normal(size=(replicates, examples)), generator.normal(size=examples)
    parts = decompose_squared(predictions, targets)
    assert parts.error.value == pytest.approx(((predictions - targets) ** 2).mean())
    assert parts.error.value == pytest.approx(parts.bias.value + parts.variance.value)
    assert parts.variance.value >= 0


NOISE, DEVIATION, OFFSET = 0.5, 0.7, 0.3


def simulated(seed: int, replicates: int = 10, examples: int = 40) -> Any:
    """A predictor that is off by OFFSET on average and by DEVIATION at random; targets with NOISE."""
    generator = np.random.default_rng(seed)
    truth = np.sin(np.linspace(0, 5, examples))
    predictions = truth + OFFSET + DEVIATION * generator.normal(size=(replicates, examples))
    targets = truth + NOISE * generator.normal(size=(replicates, examples))
    return decompose_squared(predictions, targets, truth, NOISE**2)


def test_known_parts_are_found_without_bias_and_intervals_hold_them_as_often_as_they_say() -> None:
    studies = [simulated(seed) for seed in range(400)]
    known = {
        "error": OFFSET**2 + DEVIATION**2 + NOISE**2,
        "bias": OFFSET**2,
        "variance": DEVIATION**2,
        "gap": 0.0,
    }
    for name, value in known.items():
        found = [getattr(study, name) for study in studies]
        spread = np.std([each.value for each in found]) / math.sqrt(len(found))
        assert abs(np.mean([each.value for each in found]) - value) < 4 * spread, name
        covered = np.mean([each.low <= value <= each.high for each in found])
        assert 0.91 < covered < 0.985, (name, covered)  # 0.95, give or take 0.011 of chance
    assert all(study.noise == NOISE**2 for study in studies)


def test_zero_one_error_by_hand() -> None:
    """Four replicates of three examples, of classes 0, 1, 2.

    First: main prediction 0, right; one of four strays. Second: main prediction 2, wrong; one of four is right, one
    says a third class. Third: main prediction 1, wrong, and nobody is right.
    """
    predictions = [[0, 2, 1], [0, 2, 1], [0, 1, 1], [1, 0, 1]]
    parts = decompose_zero_one(predictions, [0, 0, 2])
    assert parts.error == pytest.approx((1 / 4 + 3 / 4 + 1) / 3)
    assert parts.bias == pytest.approx(2 / 3)
    assert parts.unbiased_variance == pytest.approx(1 / 4 / 3)
    assert parts.biased_variance == pytest.approx(1 / 4 / 3)
    assert parts.variance == pytest.approx(0)


def test_of_two_classes_all_variance_on_biased_examples_helps() -> None:
    """Domingos 2000: of two classes the net variance is V on unbiased examples less V on biased ones."""
    generator = np.random.default_rng(0)
    predictions, targets = generator.integers(0, 2, size=(9, 200)), generator.integers(0, 2, size=200)
    main = (predictions.mean(axis=0) > 0.5).astype(int)
    variance = (predictions != main).mean(axis=0)
    sign = np.where(main == targets, 1, -1)
    assert decompose_zero_one(predictions, targets).variance == pytest.approx((sign * variance).mean())


@given(st.integers(1, 7), st.integers(1, 6), st.integers(2, 5), st.integers(0, 10_000))
def test_zero_one_error_is_bias_and_variance_whatever_the_predictions(
    replicates: int, examples: int, classes: int, seed: int
) -> None:
    generator = np.random.default_rng(seed)
    predictions = generator.integers(0, classes, size=(replicates, examples))
    targets = generator.integers(0, classes, size=examples)
    parts = decompose_zero_one(predictions, targets)
    assert parts.error == pytest.approx((predictions != targets).mean())
    assert parts.error == pytest.approx(parts.bias + parts.unbiased_variance - parts.biased_variance)
    assert min(parts) >= 0


def test_where_replicates_are_divided_the_lowest_class_is_the_main_prediction() -> None:
    assert decompose_zero_one([[4], [2]], [2]).bias == 0
    assert decompose_zero_one([[4], [2]], [4]).bias == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (([[1.0]], [1.0]), "at least 2 replicates"),
        (([1.0, 2.0], [1.0, 2.0]), "at least 2 replicates"),
        (([[1.0], [2.0]], [1.0, 2.0]), r"targets: \[2\] does not fit predictions \[2, 1\]"),
        (([[1.0], [2.0]], [[1.0], [2.0]]), "bias needs the targets without noise"),
        (([[1.0], [2.0]], [1.0], [1.0]), "truth and noise"),
        (([[1.0], [math.nan]], [1.0]), "predictions: a value is not finite"),
        (([[1.0], [2.0]], [1.0], [1.0, 2.0], 0.1), "truth:"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        decompose_squared(*arguments)


def test_classes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="do not fit"):
        decompose_zero_one([[1, 2]], [1])
