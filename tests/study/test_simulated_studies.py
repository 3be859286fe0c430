"""Whole studies of which the truth is known: a thing against itself, and a planted difference."""

import numpy as np
import pytest
from scipy import stats

from fourfold.study.power import seeds_needed
from fourfold.study.statistics import holm, paired_difference
from fourfold.study.verdict import judge

STUDIES = 200
SURE = 1e-4  # how rarely a sound method may fail one of these tests; the draws are fixed

Scores = np.ndarray  # [studies, arms, seeds]


def noise(kind: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return {
        "normal": lambda: rng.normal(0, 0.01, shape),
        "skewed": lambda: rng.exponential(0.01, shape),
        "heavy": lambda: 0.01 * rng.standard_t(2, shape),
        "coarse": lambda: rng.binomial(100, 0.95, shape) / 100,  # accuracy on a hundred examples: many ties
        "two groups": lambda: rng.normal(0, 0.002, shape) + 0.1 * (rng.random(shape) < 0.2),  # some runs get stuck
    }[kind]()


def studies_of_itself(kind: str, arms: int, seeds: int, studies: int = STUDIES, first: int = 0) -> Scores:
    """Arms that are all alike; what a seed does to all of them is larger than what is theirs alone."""
    shared = np.random.default_rng(first + 1).normal(0.9, 0.02, (studies, 1, seeds))
    return shared + noise(kind, (studies, arms, seeds), first + 2)


def judged(scores: np.ndarray) -> list[tuple[str, float]]:
    """The verdicts of one study, `scores [arms, seeds]`, each arm against the first, and their corrected p."""
    found = [paired_difference(arm, scores[0], resamples=999) for arm in scores[1:]]
    corrected = holm([difference.p for difference in found])
    return [
        (judge(difference, p_holm=p, comparisons=len(found), higher_is_better=True, smallest=0.01).word, p)
        for difference, p in zip(found, corrected, strict=True)
    ]


def mistaken(studies: Scores) -> tuple[int, int]:
    """In how many studies at least one arm is called better or worse; and in how many the test alone would say so."""
    by_word = by_test = 0
    for scores in studies:
        arms = judged(scores)
        by_word += any(word in ("better", "worse") for word, _ in arms)
        by_test += any(p <= 0.05 for _, p in arms)
    return by_word, by_test


@pytest.mark.promise("R15")
@pytest.mark.parametrize("kind", ["normal", "skewed", "heavy", "coarse", "two groups"])
@pytest.mark.parametrize("seeds", [6, 10])
def test_a_thing_against_itself_is_called_different_no_oftener_than_stated(kind: str, seeds: int) -> None:
    by_word, by_test = mistaken(studies_of_itself(kind, arms=2, seeds=seeds))
    assert by_word <= by_test <= stats.binom(STUDIES, 0.05).isf(SURE)


@pytest.mark.promise("R15")
def test_over_a_thousand_studies_the_rate_is_the_nominal_one() -> None:
    counts = [mistaken(studies_of_itself("normal", 2, 9 + i, first=100 * i)) for i in range(5)]
    chance = stats.binom(5 * STUDIES, 0.05)
    for mistakes in np.sum(counts, axis=0):
        assert chance.ppf(SURE) <= mistakes <= chance.isf(SURE)


@pytest.mark.promise("R15")
@pytest.mark.parametrize("kind", ["normal", "skewed", "heavy", "coarse"])
def test_seven_arms_alike_are_all_left_alone_in_nineteen_of_twenty_studies(kind: str) -> None:
    by_word, by_test = mistaken(studies_of_itself(kind, arms=7, seeds=10))
    assert by_word <= by_test <= stats.binom(STUDIES, 0.05).isf(SURE)


@pytest.mark.promise("R15")
def test_a_thing_against_itself_is_said_to_make_no_difference_once_there_are_enough_seeds() -> None:
    seeds = 40  # the difference of two arms spreads by 0.014: the interval reaches about 0.0045 to each side
    said = [judged(scores)[0][0] for scores in studies_of_itself("normal", 2, seeds)]
    assert said.count("no difference") >= 0.9 * STUDIES
    assert said.count("better") + said.count("worse") <= stats.binom(STUDIES, 0.05).isf(SURE)


@pytest.mark.promise("R15")
@pytest.mark.parametrize(("spread", "comparisons"), [(0.005, 1), (0.01, 1), (0.02, 1), (0.005, 6), (0.01, 6)])
def test_a_planted_percent_is_found_as_often_as_stated(spread: float, comparisons: int) -> None:
    seeds = seeds_needed(spread * 2**0.5, 0.01, 0.05 / comparisons, power=0.8)
    shared = np.random.default_rng(11).normal(0.9, 0.03, (STUDIES, 1, seeds))
    own = np.random.default_rng(12).normal(0, spread, (STUDIES, 2, seeds))
    truly = shared + own + np.array([0.0, 0.01])[:, None]
    found = 0
    for scores in truly:
        difference = paired_difference(scores[1], scores[0], resamples=999)
        p_holm = min(1.0, comparisons * difference.p)  # among others that show nothing
        word = judge(difference, p_holm=p_holm, comparisons=comparisons, higher_is_better=True, smallest=0.01).word
        assert word != "worse"
        found += word == "better"
    chance = stats.binom(STUDIES, 0.8)
    assert chance.ppf(SURE) <= found
    assert found <= stats.binom(STUDIES, 0.9).isf(SURE)  # nor are far more seeds asked for than are needed


@pytest.mark.promise("R15")
@pytest.mark.parametrize("seeds", [6, 10, 60])
def test_a_difference_that_matters_is_hardly_ever_called_none(seeds: int) -> None:
    """A true difference of exactly the smallest that matters: `no difference` is a mistake, at 2.5 % at most."""
    missed = 0
    for own in np.random.default_rng(13).normal(0.01, 0.01 * 2**0.5, (STUDIES, seeds)):
        missed += judged(np.stack([np.zeros(seeds), own]))[0][0] == "no difference"
    assert missed <= stats.binom(STUDIES, 0.025).isf(SURE)
