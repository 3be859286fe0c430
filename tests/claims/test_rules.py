"""Rules, each branch by scores made by hand; what is behind them is tested with the statistics."""

import math

import pytest
from scipy.stats import binomtest

from fourfold.claims.comparisons import Rule
from fourfold.claims.rules import (
    Judged,
    all_of,
    any_of,
    every,
    exact,
    greater,
    judge,
    not_greater,
    provided,
    ratio,
    within,
)
from fourfold.core.errors import InputError

NAN = math.nan
LOW = [0.50, 0.52, 0.49, 0.51, 0.50, 0.53, 0.48, 0.50]
WOBBLE = [0.01, -0.01, 0.012, -0.009, 0.008, -0.011, 0.0, 0.0]


def arms(**scores: list[float]) -> dict[str, dict[int, float]]:
    return {name: dict(enumerate(values)) for name, values in scores.items()}


def only(rule: Rule, **scores: list[float]) -> Judged:
    verdict, (judged,) = judge(rule, arms(**scores))
    assert verdict == judged.outcome
    return judged


def shifted(by: float) -> list[float]:
    return [x + by + w / 10 for x, w in zip(LOW, WOBBLE, strict=True)]


@pytest.mark.parametrize(
    ("shift", "by", "outcome"),
    [
        (0.10, 0.0, "holds"),
        (-0.10, 0.0, "fails"),
        (0.10, 0.05, "holds"),
        (0.02, 0.05, "fails"),  # more, but not by as much as was said
        (0.0, 0.05, "fails"),  # alike: evidence of no difference that matters
        (0.0, 0.0, "undecided"),  # alike, and no margin: nothing can be shown
        (0.05, 0.05, "undecided"),  # just at the edge
    ],
)
def test_greater(shift: float, by: float, outcome: str):
    judged = only(greater("a", "b", by), a=shifted(shift), b=LOW)
    assert judged.outcome == outcome
    assert judged.effect == pytest.approx(shift, abs=1e-3)
    assert judged.low < shift < judged.high
    opposite = {"holds": "fails", "fails": "holds", "undecided": "undecided"}
    assert only(not_greater("a", "b", by), a=shifted(shift), b=LOW).outcome == opposite[outcome]


def test_a_noisy_difference_is_undecided_and_says_what_would_decide():
    judged = only(greater("a", "b"), a=[0.9, 0.1, 0.8, 0.2, 0.9, 0.3, 0.7, 0.2], b=LOW)
    assert judged.outcome == "undecided"
    assert "seeds would decide" in judged.because


def test_five_seeds_decide_nothing_and_six_do():
    """Even a win at every seed: 2 / 2^5 is above 0.05."""
    wide = {"a": [x + 1 for x in LOW], "b": LOW}
    assert only(greater("a", "b"), **{k: v[:5] for k, v in wide.items()}).outcome == "undecided"
    assert only(greater("a", "b"), **{k: v[:6] for k, v in wide.items()}).outcome == "holds"
    assert only(greater("a", "b"), **{k: v[:1] for k, v in wide.items()}).outcome == "undecided"


def test_an_arm_against_a_number():
    assert only(greater("a", 0.4), a=LOW).outcome == "holds"
    assert only(greater("a", 0.6), a=LOW).outcome == "fails"
    judged = only(greater("a", 0.4, by=0.05), a=LOW)
    assert (judged.words, judged.unit) == ("a exceeds 0.4 by more than 0.05", "level")
    assert judged.effect == pytest.approx(sum(LOW) / len(LOW))  # where the arm is, not how far from the number
    assert judged.low < judged.effect < judged.high
    judged = only(within("a", 0.5, by=0.1), a=LOW)
    assert (judged.outcome, judged.unit) == ("holds", "level")
    assert judged.effect == pytest.approx(sum(LOW) / len(LOW))


@pytest.mark.parametrize(
    ("shift", "outcome"),
    [(0.0, "holds"), (0.02, "holds"), (0.05, "undecided"), (0.2, "fails"), (-0.2, "fails"), (-0.049, "undecided")],
)
def test_within(shift: float, outcome: str):
    noisy = [x + shift + w for x, w in zip(LOW, WOBBLE, strict=True)]
    assert only(within("a", "b", 0.05), a=noisy, b=LOW).outcome == outcome


def test_within_needs_evidence_not_silence():
    """A wide interval around zero is no equality."""
    assert only(within("a", "b", 0.05), a=[0.9, 0.1, 0.8, 0.2, 0.9, 0.3, 0.7, 0.2], b=LOW).outcome == "undecided"


def test_a_small_p_alone_decides_nothing():
    """All seven seeds on one side give p = 2 / 2^7, while one that lies far out leaves the mean's interval wide."""
    lone = [0.01, 0.011, 0.012, 0.013, 0.014, 0.015, 5.0]
    judged = only(greater("a", 0.0), a=lone)
    assert (judged.p_holm, judged.outcome) == (2**-6, "undecided")
    assert judged.low < 0
    judged = only(within("a", 0.0, 1.0), a=[0.99, 0.985, 0.98, 0.99, 0.99, 0.98, -0.9])
    assert (judged.p_holm, judged.outcome) == (2**-6, "undecided")
    assert judged.high > 1


@pytest.mark.parametrize(("times", "outcome"), [(3.0, "holds"), (2.0, "undecided"), (1.2, "fails"), (0.5, "fails")])
def test_ratio(times: float, outcome: str):
    judged = only(ratio("a", "b", above=2.0), a=[times * x * (1 + w) for x, w in zip(LOW, WOBBLE, strict=True)], b=LOW)
    assert judged.outcome == outcome
    assert judged.effect == pytest.approx(times, rel=0.01)
    assert judged.low < times < judged.high


def test_a_ratio_of_what_is_not_above_zero_is_undecided():
    judged = only(ratio("a", "b", above=2.0), a=[0.0, *LOW[1:]], b=LOW)
    assert (judged.outcome, judged.because) == ("undecided", "a ratio needs scores above zero")


def test_every():
    assert only(every("a", at_least=0.48), a=LOW).outcome == "holds"
    judged = only(every("a", at_most=0.52), a=LOW)
    assert (judged.outcome, judged.effect) == ("fails", 7 / 8)
    share = binomtest(7, 8).proportion_ci(0.95, method="exact")
    assert (judged.low, judged.high) == pytest.approx((share.low, share.high))
    assert only(every("a", at_least=0.1), a=LOW).high == 1.0
    assert only(every("a", at_least=0.9), a=LOW).low == 0.0
    assert only(every("a", at_least=0.4), a=[*LOW, NAN]).outcome == "undecided"
    assert only(every("a", at_least=0.5), a=[*LOW, NAN]).outcome == "fails"  # one counterexample is enough


def test_what_is_computed_is_one_number_and_has_no_p():
    judged = only(exact("a", at_most=2.0), a=[1.5] * 8)
    assert (judged.outcome, judged.effect, judged.p_holm, judged.unit) == ("holds", 1.5, None, "level")
    assert (judged.words, judged.because) == ("a is at most 2, exactly", "1.5, computed")
    assert only(exact("a", at_least=2.0), a=[1.5] * 8).outcome == "fails"
    ten_times = [10 * x * (1 + 1e-9 * i) for i, x in enumerate(LOW)]
    judged = only(exact("a", over="b", at_least=9.0), a=ten_times, b=LOW)
    assert (judged.outcome, judged.p_holm, judged.unit) == ("holds", None, "ratio")
    assert judged.effect == pytest.approx(10)
    assert only(exact("a", over="b", at_least=11.0), a=ten_times, b=LOW).outcome == "fails"


def test_what_varies_from_seed_to_seed_is_not_exact():
    judged = only(exact("a", at_least=0.0), a=LOW)
    assert (judged.outcome, judged.p_holm) == ("undecided", None)
    assert judged.because == "not one number but 0.48 to 0.53, from seed to seed"
    assert only(exact("a", over="b", at_least=0.0), a=shifted(0.1), b=LOW).outcome == "undecided"
    assert only(exact("a", over="b", at_least=0.0), a=[1.0, 1.0], b=[0.0, 0.0]).outcome == "undecided"
    assert only(exact("a", at_least=0.0), a=[NAN] * 8).outcome == "undecided"


def test_it_takes_no_share_of_the_correction():
    six = {"a": [x + 1 for x in LOW[:6]], "b": LOW[:6], "c": [3.0] * 6}
    verdict, judged = judge(all_of(greater("a", "b"), exact("c", at_least=2.0)), arms(**six))
    assert (verdict, [each.p_holm for each in judged]) == ("holds", [0.03125, None])
    assert judged[0].because.endswith("; p = 0.031")


def test_a_corrected_p_is_called_so():
    verdict, judged = judge(all_of(greater("a", "b"), greater("a", 0.0)), arms(a=shifted(0.1), b=LOW))
    assert (verdict, judged[0].p_holm) == ("holds", 2 * 2**-7)
    assert judged[0].because.endswith("; p = 0.016 after correction")


@pytest.mark.parametrize(
    ("trained", "scores", "outcome"),
    [(1.0, 0.1, "holds"), (1.0, -0.1, "fails"), (0.8, 0.1, "undecided"), (0.8, -0.1, "undecided")],
)
def test_a_rule_with_a_condition(trained: float, scores: float, outcome: str):
    """Of networks that were not trained a gap says nothing, whichever way it goes."""
    rule = provided(every("t", at_least=0.99), greater("a", "b"))
    assert rule.words == "a exceeds b, provided that t is at least 0.99 at every seed"
    scored = arms(t=[1.0] * 7 + [trained], a=shifted(scores), b=LOW)
    verdict, (condition, judged) = judge(rule, scored)
    assert verdict == judged.outcome == outcome
    assert condition.outcome == ("holds" if trained == 1.0 else "fails")
    assert ("not judged" in judged.because) == (trained < 1.0)
    other = all_of(rule, greater("b", 0.0))
    assert judge(other, scored)[0] == outcome
    assert other.words.startswith("(a exceeds b, provided that t is at least 0.99 at every seed); and b")
    assert [each.outcome for each in judge(other, scored)[1]] == [condition.outcome, outcome, "holds"]


def test_only_seeds_with_both_scores_count():
    judged = only(greater("a", "b"), a=[*shifted(0.1), NAN, 0.9], b=[*LOW, -5.0, NAN])
    assert (judged.n, judged.outcome) == (8, "holds")
    judged = only(greater("a", "b"), a=[NAN] * 8, b=LOW)
    assert (judged.n, judged.outcome) == (0, "undecided")
    assert "no seed" in judged.because


def test_comparisons_are_corrected_together():
    """At six seeds p is 2 / 2^6 = 0.031 at best: enough for one comparison, not for two."""
    six = {name: [x + shift for x in LOW[:6]] for name, shift in (("a", 1.0), ("b", 0.5), ("c", 0.0))}
    one, two = greater("a", "b"), greater("b", "c")
    assert judge(one, arms(**six))[0] == "holds"
    verdict, judged = judge(all_of(one, two), arms(**six))
    assert verdict == "undecided"
    assert [each.p_holm for each in judged] == [0.0625, 0.0625]
    seven = {name: [*values, values[0]] for name, values in six.items()}
    assert judge(all_of(one, two), arms(**seven))[0] == "holds"


YES, NO, OPEN = every("a", at_least=0.0), every("a", at_least=2.0), greater("a", "a")


@pytest.mark.parametrize(
    ("rules", "all_outcome", "any_outcome"),
    [
        ([YES, YES], "holds", "holds"),
        ([YES, NO], "fails", "holds"),
        ([YES, OPEN], "undecided", "holds"),
        ([NO, OPEN], "fails", "undecided"),
        ([NO, NO], "fails", "fails"),
        ([OPEN, OPEN], "undecided", "undecided"),
    ],
)
def test_all_and_any(rules: list[Rule], all_outcome: str, any_outcome: str):
    assert judge(all_of(*rules), arms(a=LOW))[0] == all_outcome
    assert judge(any_of(*rules), arms(a=LOW))[0] == any_outcome


def test_rules_nest_and_read_as_sentences():
    rule = all_of(greater("deep", "shallow", by=0.01), any_of(not_greater("a", "b", by=0.5), every("a", at_most=1)))
    assert rule.words == (
        "deep exceeds shallow by more than 0.01; and (a does not exceed b by more than 0.5; or a is at most 1 at every "
        "seed)"
    )
    assert [each.words for each in rule.comparisons()] == [
        "deep exceeds shallow by more than 0.01",
        "a does not exceed b by more than 0.5",
        "a is at most 1 at every seed",
    ]


def test_mistakes_of_who_writes_a_rule():
    with pytest.raises(InputError, match="arm 'wiide' that there is not; did you mean 'wide'"):
        judge(greater("wiide", "b"), arms(wide=LOW, b=LOW))
    for wrong in (
        lambda: greater("a", "b", by=-1),
        lambda: within("a", "b", by=0),
        lambda: ratio("a", "b", above=0),
        lambda: every("a"),
        lambda: every("a", at_least=1, at_most=0),
        lambda: exact("a"),
        lambda: exact("a", at_least=1, at_most=0),
        lambda: all_of(),
    ):
        with pytest.raises(InputError):
            wrong()
