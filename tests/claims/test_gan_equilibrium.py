"""What is read of a run of two players: a planted drift is found, a planted rise is not; a game that never moved."""

import math
from pathlib import Path

import pytest

import fourfold.claims.gan_equilibrium as claim
from fourfold.claims.gan_equilibrium import CLAIM, correlation, drift, late_gap
from fourfold.claims.rules import judge
from fourfold.study.cells import CellResult


def scored(monkeypatch: pytest.MonkeyPatch, distances: list[float], shares: list[float]) -> CellResult:
    monkeypatch.setattr(claim, "validations", lambda _cell: (distances, shares))
    return CellResult("done", {}, Path("nowhere"), {}, {})


def test_correlation_and_drift_by_hand(monkeypatch) -> None:
    cell = scored(monkeypatch, [9.0, 7.0, 8.0, 2.0, 1.0], [1.0, 0.8, 0.9, 0.6, 0.45])
    assert correlation(cell) == pytest.approx(1.0)
    assert drift(cell) == pytest.approx(0.5 - 0.05)
    assert late_gap(cell) == pytest.approx(0.05)
    cell = scored(monkeypatch, [9.0, 7.0, 5.0, 2.0, 1.0], [0.6, 0.7, 0.8, 0.9, 1.0])
    assert correlation(cell) == pytest.approx(-1.0)
    assert drift(cell) == pytest.approx(0.1 - 0.5)


def test_what_never_changes_has_no_correlation(monkeypatch) -> None:
    assert math.isnan(correlation(scored(monkeypatch, [1.0, 1.0, 1.0], [0.5, 0.6, 0.7])))


@pytest.mark.parametrize(("sign", "outcome"), [(1, "holds"), (-1, "fails")])
def test_the_rule_decides_planted_scores(sign, outcome) -> None:
    noise = [0.01 * seed for seed in range(10)]
    scores = {
        "non-saturating": {seed: sign * 0.3 + each for seed, each in enumerate(noise)},
        "non-saturating: correlation": {seed: sign * 0.7 + each for seed, each in enumerate(noise)},
    }
    assert judge(CLAIM.rule, scores)[0] == outcome
