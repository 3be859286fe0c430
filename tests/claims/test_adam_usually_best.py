"""Who is near the best: hand-made losses; and a network of the stack is the run that its recipe gives."""

import math
from pathlib import Path

import pytest

from fourfold.claims import adam_usually_best as claim
from fourfold.run.parts import load_recipe
from fourfold.run.run import start

INF = math.inf


def test_near_is_a_tenth_above_the_lowest():
    assert claim.near_best({"a": 1.0, "b": 1.1, "c": 1.11, "d": INF}) == {"a": 1, "b": 1, "c": 0, "d": 0}
    assert claim.near_best({"a": INF, "b": INF}) == {"a": 0, "b": 0}  # where all diverge nobody is near anything


def test_ranks_begin_with_the_lowest_loss_and_equals_share_theirs():
    assert claim.ranks({"a": 0.3, "b": 0.1, "c": 0.3, "d": INF}) == {"a": 2.5, "b": 1, "c": 2.5, "d": 4}


def test_each_optimizer_has_the_test_loss_of_its_own_tuned_run(monkeypatch, tmp_path: Path):
    monkeypatch.setattr(claim, "SEEDS", {"quick": 2})
    monkeypatch.setattr(claim, "STEPS", {"quick": 20})
    monkeypatch.setattr(claim, "LRS", (1e-3, 1e-1))
    claim.test_losses.cache_clear()
    try:
        found = claim.test_losses("iris", "quick")[1]
    finally:
        claim.test_losses.cache_clear()
    assert list(found) == list(claim.OPTIMIZERS)
    for name in ("adam", "nesterov"):
        tried = []
        for lr in (1e-3, 1e-1):
            fields = {
                "data.split_seed": None,
                "model": {"name": "mlp", "widths": [32]},
                "algorithm.optimizer": {"name": name, "lr": lr},
                "budget": {"steps": 20, "batch_size": 32},
                "runtime.device": "cpu",
                "seed": 1,
            }
            metrics = start("iris", load_recipe("iris-softmax", fields)[1], tmp_path).metrics
            tried.append((metrics["validation"]["loss"], metrics["test"]["loss"]))
        assert found[name] == pytest.approx(min(tried)[1], rel=1e-4)
