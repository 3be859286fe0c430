"""The line through losses, what it counts as weights, and which step size a network has."""

import random
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from fourfold.claims import scale_helps
from fourfold.claims.in_process import train
from fourfold.claims.scale_helps import fitted, loss_on, weights_of
from fourfold.models.gpt import GPT
from fourfold.run.evaluate import evaluate


def test_a_power_law_is_found_and_a_bend_in_it_told():
    sizes = [6_000, 24_000, 96_000, 384_000]
    line = fitted({n: (8.8e13 / n) ** 0.076 for n in sizes})  # Eq. 1.1 with the paper's numbers
    assert tuple(line) == (pytest.approx(0.076), pytest.approx(1))
    assert fitted({n: 2.0 + i % 2 for i, n in enumerate(sizes)}).explained < 0.5
    assert fitted({n: (1e6 * n) ** 0.1 for n in sizes}).exponent == pytest.approx(-0.1)  # worse when larger


def test_weights_are_counted_without_embeddings():
    width, layers = 8, 3
    matrices = 12 * layers * width**2  # Eq. 2.1
    biases = layers * (3 + 1 + 4 + 1) * width
    normalisations = (2 * layers + 1) * 2 * width
    assert weights_of(GPT(vocab_size=50, context=16, layers=layers, width=width, heads=2)) == (
        matrices + biases + normalisations
    )


def test_a_loss_is_that_of_the_first_windows(tmp_path: Path):
    path = tmp_path / "text.txt"
    path.write_text("".join(random.Random(0).choices("ab c\n", k=40_000)), encoding="utf-8")
    recipe = {**scale_helps.RECIPE, "data": {"name": "text", "path": str(path), "length": 16}}
    _, parts = train(recipe, {"model.width": 4, "budget.steps": 1, "seed": 0})
    whole = evaluate(parts.model, parts.loss, parts.source, "test")["loss"]
    assert loss_on("test", parts, 10_000) == pytest.approx(whole, rel=1e-5)
    first = next(iter(parts.source.split("test", 64)))
    with torch.inference_mode():
        part = parts.loss(parts.model(*first.inputs), first)
    assert loss_on("test", parts, 64) == pytest.approx(float(part.total) / int(part.count))
    assert loss_on("test", parts, 64) != pytest.approx(whole, rel=1e-5)


def test_the_step_size_is_chosen_on_the_validation_plays_and_scored_on_those_of_the_test(monkeypatch):
    validation = {0.002: 2.0, 0.004: 1.0, 0.008: 3.0}
    monkeypatch.setattr(
        scale_helps,
        "train",
        lambda recipe, overrides: (recipe, SimpleNamespace(model=overrides["algorithm.optimizer.lr"])),
    )
    monkeypatch.setattr(scale_helps, "weights_of", lambda model: 1)
    monkeypatch.setattr(
        scale_helps,
        "loss_on",
        lambda split, parts, n: validation[parts.model] if split == "validation" else parts.model,
    )
    scale_helps.trained.cache_clear()
    try:
        assert scale_helps.trained(16, 0, "full").loss == 0.004
    finally:
        scale_helps.trained.cache_clear()


def test_a_score_is_a_loss_or_what_the_line_through_them_is_like(monkeypatch):
    monkeypatch.setattr(
        scale_helps, "trained", lambda width, seed, size: scale_helps.Trained(width**2, 2.0 * width**-0.2 + seed)
    )
    assert scale_helps.score("width 32", 1, "quick") == pytest.approx(2 * 32**-0.2 + 1)
    assert scale_helps.score("exponent", 0, "quick") == pytest.approx(0.1)
    assert scale_helps.score("explained", 0, "quick") == pytest.approx(1)
