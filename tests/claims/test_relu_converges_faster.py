"""Steps to a level: found once, they are found again however long one looks, and never where there are too few."""

from fourfold.claims import relu_converges_faster as claim


def test_the_level_is_reached_at_a_step_and_not_before():
    found = claim.steps_to_level("tanh", 0.1, 0, 60)
    assert 2 < found < 60
    assert claim.steps_to_level("tanh", 0.1, 0, found + 1) == found
    assert claim.steps_to_level("tanh", 0.1, 0, found - 1) == found - 1  # it counts all its steps


def test_the_fastest_step_size_counts(monkeypatch):
    needs = {0.1: 30, 1.0: 12, 10.0: 99}
    monkeypatch.setattr(claim, "LRS", tuple(needs))
    monkeypatch.setattr(claim, "steps_to_level", lambda activation, lr, seed, most: min(needs[lr], most))
    assert claim.fastest("relu", 0, "quick") == 12
