"""Verdicts and the sentences that say why."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fourfold.core.errors import InputError
from fourfold.study.statistics import Difference, paired_difference
from fourfold.study.verdict import Verdict, judge


def verdict(
    differences: list[float],
    *,
    higher_is_better: bool = True,
    smallest: float = 0.01,
    comparisons: int = 1,
) -> Verdict:
    """The verdict on differences of which the other comparisons of the study have larger p-values."""
    found = paired_difference(differences, [0.0] * len(differences))
    p_holm = min(1.0, comparisons * found.p)
    return judge(found, p_holm=p_holm, comparisons=comparisons, higher_is_better=higher_is_better, smallest=smallest)


UP = [0.02, 0.03, 0.025, 0.015, 0.02, 0.03, 0.035, 0.02]
DOWN = [-d for d in UP]
TINY = [0.001, -0.002, 0.0, 0.002, -0.001, 0.001, 0.0, -0.001]


@pytest.mark.promise("R16")
def test_the_direction_is_the_score_s() -> None:
    assert verdict(UP).word == verdict(DOWN, higher_is_better=False).word == "better"
    assert verdict(DOWN).word == verdict(UP, higher_is_better=False).word == "worse"


def test_a_real_difference_says_how_large_and_how_sure() -> None:
    found = verdict(DOWN, comparisons=6)
    # mean 0.195 / 8, deviation 0.00678, Student's 97.5 % point with 7 degrees of freedom 2.365: 0.0244 -+ 0.0057;
    # 2 of 2^8 patterns, times 6.
    assert found.because == (
        "0.0244 lower on average over 8 seeds (plausibly -0.03 to -0.0187), "
        "and were the arms alike, chance would do as much in 4.7 % of studies at most"
    )
    assert found.seeds_needed == 8


def test_a_real_difference_too_small_to_matter_says_so() -> None:
    found = verdict(UP, smallest=0.1)
    assert found.word == "better"
    assert found.because.endswith("; yet less than the 0.1 that matters")


@pytest.mark.promise("R16")
@pytest.mark.parametrize(("n", "comparisons", "fewest"), [(1, 1, 6), (5, 1, 6), (5, 6, 8), (7, 6, 8), (9, 20, 10)])
def test_too_few_seeds_are_undecided_however_large_the_difference(n: int, comparisons: int, fewest: int) -> None:
    found = verdict([10 + 1e-5 * i for i in range(n)], comparisons=comparisons)
    assert found.word == "undecided"
    assert found.minimum_detectable == inf
    assert found.seeds_needed == fewest
    assert f"that takes {fewest}" in found.because
    if n > 1:  # and as many seeds as it says are enough, of these differences
        assert verdict([10 + 1e-5 * i for i in range(fewest)], comparisons=comparisons).word == "better"


@pytest.mark.promise("R16")
def test_too_few_seeds_say_how_many_would_do() -> None:
    found = verdict([0.01, 0.02, -0.01, 0.03, 0.0], comparisons=6)
    # Deviation 0.0158: for 0.01 at 0.05 / 6, statsmodels' TTestPower asks for 34 pairs.
    assert found == (
        "undecided",
        "5 seeds cannot decide 6 comparisons at once: even a win at every seed could be chance; "
        "that takes 8; to see a difference of 0.01, about 34 would tell",
        inf,
        34,
    )
    assert verdict([0.3]).because == "1 seed cannot decide: even a win at every seed could be chance; that takes 6"


@pytest.mark.promise("R16")
def test_no_difference_needs_an_interval_that_is_too_small_to_matter() -> None:
    found = verdict(TINY)
    assert found.word == "no difference"
    # mean 0, deviation 0.00131, Student's 97.5 % point 2.365: -+ 0.0011
    assert found.because == (
        "over 8 seeds the difference is plausibly -0.00109 to 0.00109, all of it less than the 0.01 that matters"
    )
    assert verdict(TINY, smallest=0.001).word == "undecided"
    assert verdict([0.02, *TINY]).word == "no difference"
    assert verdict([0.04, *TINY]).word == "undecided"  # nothing found is not no difference


@pytest.mark.promise("R16")
def test_equal_scores_are_no_difference() -> None:
    found = verdict([0.0] * 5, comparisons=6)
    assert found[:2] == ("no difference", "the scores are equal at each of the 5 seeds")
    assert verdict([0.0]).word == "undecided"  # one seed may be chance


def test_undecided_plans_for_what_matters() -> None:
    uneven = [0.03, -0.02, 0.02, -0.03, 0.05, -0.01, 0.0, 0.02]
    found = verdict(uneven)
    # deviation 0.0271; TTestPower asks for 60 pairs to see 0.01
    assert found.because == (
        "over 8 seeds the difference is plausibly -0.0152 to 0.0302, and chance alone may do that; "
        "to see a difference of 0.01, about 60 seeds would tell"
    )
    assert found.seeds_needed == 60


def test_a_difference_that_is_plain_is_planned_for_as_it_is() -> None:
    found = verdict([0.69, 0.71, 0.70], comparisons=2)
    assert found.because.endswith("even a win at every seed could be chance; that takes 7")
    assert found.seeds_needed == 7, "not the hundreds that a difference of 0.01 would take"


def test_enough_seeds_and_still_undecided_plans_for_the_farther_side() -> None:
    even = np.linspace(-1, 1, 10)
    differences = 0.005 + 0.01 * even / even.std(ddof=1)  # mean 0.005, deviation 0.01: ten seeds see 0.01
    found = verdict(differences.tolist())
    assert found.minimum_detectable < 0.01
    # Half a deviation, either to zero or to what matters: 34 pairs by Cohen's tables.
    assert found[:2] == (
        "undecided",
        "over 10 seeds the difference is plausibly -0.00215 to 0.0122, and chance alone may do that; "
        "if it stays about 0.005, about 34 seeds would tell",
    )
    assert found.seeds_needed == 34


def test_convincing_alone_but_not_among_many() -> None:
    found = verdict([0.02, 0.03, 0.025, 0.015, 0.02, 0.03, 0.035, -0.012], comparisons=6)
    assert found.word == "undecided"
    assert "but were all arms alike, one of 6 comparisons would look like this by chance" in found.because


def test_a_test_without_its_interval_is_undecided() -> None:
    odd = Difference(10, 0.02, -0.001, 0.05, 0.03, "paired permutation test, exact", 0.7, 0.03)
    found = judge(odd, p_holm=0.03, comparisons=1, higher_is_better=True, smallest=0.01)
    assert found.word == "undecided"
    assert "which holds 0" in found.because
    sure = odd._replace(low=0.001)
    assert judge(sure, p_holm=0.051, comparisons=1, higher_is_better=True, smallest=0.01).word == "undecided"
    assert judge(sure, p_holm=0.05, comparisons=1, higher_is_better=True, smallest=0.01).word == "better"


@settings(deadline=None)
@given(
    st.lists(st.integers(-50, 50).map(lambda number: number / 1000), min_size=1, max_size=14),
    st.integers(1, 10),
    st.sampled_from([0.001, 0.01, 0.1]),
)
def test_every_verdict_has_one_sentence_and_a_way_on(differences, comparisons, smallest) -> None:
    found = verdict(differences, comparisons=comparisons, smallest=smallest)
    mirrored = verdict([-d for d in differences], comparisons=comparisons, smallest=smallest)
    turned = {"better": "worse", "worse": "better"}
    assert mirrored.word == turned.get(found.word, found.word)
    assert "nan" not in found.because
    assert "inf" not in found.because
    assert "\n" not in found.because
    assert (found.seeds_needed > len(differences)) == (found.word == "undecided")
    assert found.minimum_detectable >= 0


def test_mistakes_are_named() -> None:
    for smallest in (0.0, -1.0, float("nan"), inf):
        with pytest.raises(InputError, match="smallest difference that matters"):
            verdict(UP, smallest=smallest)


def test_large_numbers_are_written_out() -> None:
    assert "12,500 higher" in verdict(np.linspace(12_000, 13_000, 8).tolist(), smallest=1).because
