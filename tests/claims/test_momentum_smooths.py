"""Cosines of which something is known."""

from fourfold.claims import momentum_smooths as claim


def test_without_momentum_it_is_plain_descent(monkeypatch):
    settings = {**claim.SETTINGS, "momentum": {"name": "momentum", "lr": 0.1, "momentum": 0.0}}
    monkeypatch.setattr(claim, "SETTINGS", settings)
    claim.cosines.cache_clear()
    found = claim.cosines("momentum", 0, 20), claim.cosines("descent", 0, 20)
    claim.cosines.cache_clear()
    assert found[0] == found[1]


def test_updates_lead_down_and_momentum_turns_less():
    descent, momentum = claim.cosines("descent", 0, 20), claim.cosines("momentum", 0, 20)
    assert 0.2 < descent[0] < 0.9
    assert 0.2 < momentum[0] < 0.9
    assert descent[1] < 0.6 < 0.8 < momentum[1] < 1
