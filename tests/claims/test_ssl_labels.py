"""What features learned from views bring, with networks and pictures small enough to try."""

import pytest

from fourfold.claims import ssl_labels as claim


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Let it be about digits of 8x8 and one hidden layer, in a moment."""
    monkeypatch.setattr(claim, "PICTURES", {"name": "digits"})
    monkeypatch.setattr(claim, "NETWORK", {"name": "mlp", "widths": [16]})
    monkeypatch.setattr(claim, "CHANGES", [{"name": "pad_crop", "pad": 1}])
    monkeypatch.setattr(claim, "RIVAL_CHANGES", [])
    monkeypatch.setitem(claim.VIEWED, "quick", 150)
    monkeypatch.setitem(claim.SORTED, "quick", 300)
    for cached in (claim.pictures, claim.viewed):
        cached.cache_clear()
    yield monkeypatch  # type: ignore[misc]
    for cached in (claim.pictures, claim.viewed):
        cached.cache_clear()


def test_each_arm_is_what_it_says(small: pytest.MonkeyPatch) -> None:
    scores = {arm: claim.score(arm, 1, "quick") for arm in claim.CLAIM.arms}
    assert scores["views, 100 labels"] > scores["as drawn, 100 labels"] + 0.03
    assert scores["labels, 1000 labels"] > scores["labels, 100 labels"] > 0.5  # it learns from the labels it has
    assert claim.score("views, 100 labels", 1, "quick") == scores["views, 100 labels"]
    small.setitem(claim.VIEWED, "quick", 0)  # who has seen nothing has features as drawn
    claim.viewed.cache_clear()
    assert abs(claim.score("views, 100 labels", 1, "quick") - scores["as drawn, 100 labels"]) < 0.15
