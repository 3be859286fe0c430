"""A trial of a tuning cannot read the test split, whichever way it tries."""

from pathlib import Path

import pytest
import torch
from torch import nn

from fourfold.core.errors import InputError
from fourfold.run.blind import SealedError, without
from fourfold.run.parts import load_recipe
from fourfold.run.run import start
from fourfold.tasks.seam import Order, Source


def source() -> Source:
    _, recipe = load_recipe("iris-softmax")
    return recipe.data.build(0, Path("unused"))  # type: ignore[attr-defined]


@pytest.mark.promise("R15")
def test_every_way_to_the_sealed_split_is_shut() -> None:
    sealed = without("test", source())
    assert "test" not in sealed.sizes
    ways = [
        lambda: list(sealed.split("test", 8)),
        lambda: list(sealed.scored("test", 8)),
        lambda: sealed.raw("test", [0]),
        lambda: sealed.evaluate(nn.Identity(), "test"),
        lambda: list(sealed.to(torch.device("cpu")).split("test", 8)),
    ]
    for way in ways:
        with pytest.raises(SealedError, match="the test split is sealed"):
            way()


def test_everything_else_is_as_it_was() -> None:
    plain, sealed = source(), without("test", source())
    assert sealed.spec == plain.spec
    assert sealed.notes == plain.notes
    assert sealed.sizes == {name: size for name, size in plain.sizes.items() if name != "test"}
    ours, theirs = next(sealed.train(Order(0, 8))), next(plain.train(Order(0, 8)))
    torch.testing.assert_close(ours, theirs, rtol=0, atol=0)
    for a, b in zip(sealed.split("validation", 7), plain.split("validation", 7), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    assert sealed.evaluate(nn.Identity(), "validation") is None


@pytest.mark.promise("R15")
def test_a_run_of_two_splits_has_no_test_score_and_the_same_weights(tmp_path: Path) -> None:
    _, recipe = load_recipe("iris-softmax", {"budget.epochs": 2})
    whole = start("iris-softmax", recipe, tmp_path)
    trial = start("iris-softmax", recipe, tmp_path, splits=("train", "validation"), label="trial")
    assert set(trial.metrics) == {"train", "validation"}
    assert trial.metrics["validation"] == whole.metrics["validation"]
    assert trial.folder.path.name == "trial-1"
    assert trial.result["recipe"] == "iris-softmax"
    for a, b in zip(trial.model.parameters(), whole.model.parameters(), strict=True):
        assert torch.equal(a, b)


@pytest.mark.promise("R15")
def test_a_part_that_peeks_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from fourfold.algorithms.supervised import Supervised

    _, recipe = load_recipe("iris-softmax", {"budget.epochs": 1})
    built = Supervised.__init__

    def peek(self: Supervised, model: nn.Module, loss: object, source: Source, *rest: object) -> None:
        list(source.split("test", 8))
        built(self, model, loss, source, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(Supervised, "__init__", peek)
    with pytest.raises((SealedError, InputError), match="sealed"):
        start("iris-softmax", recipe, tmp_path, splits=("train", "validation"))
    assert not tmp_path.exists() or not list(tmp_path.iterdir())
