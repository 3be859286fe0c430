"""The same recipe gives the same bits; how a batch is cut up changes nothing but rounding."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from stopping import around_steps, differences, remains

from fourfold.algorithms.supervised import Supervised
from fourfold.core.document import read_yaml
from fourfold.core.recipe import parse_recipe
from fourfold.run.build import build_parts
from fourfold.run.parts import TABLES, load_recipe
from fourfold.run.run import start
from fourfold.tasks.seam import LossValue, Training

# 42 training examples in batches of 12: the last batch of an epoch has 6.
RECIPE: dict[str, Any] = {
    "data": {"name": "two_moons", "num_examples": 60},
    "model": {"name": "mlp", "widths": [6], "dropout": 0.2},
    "loss": "cross_entropy",
    "algorithm": "supervised",
    "budget": {"epochs": 2.5, "batch_size": 12},
}
ONE_THREAD = {"device": "cpu", "threads": 1, "precision": "fp32"}


@pytest.mark.promise("R12")
def test_the_same_seed_gives_the_same_bits_and_another_gives_others(tmp_path: Path) -> None:
    recipe = load_recipe({**RECIPE, "runtime": ONE_THREAD})[1]
    first = remains(start("run", recipe, tmp_path / "first"))
    torch.manual_seed(99)  # what was drawn before is nobody's business
    torch.rand(5)
    assert differences(remains(start("run", recipe, tmp_path / "again")), first) == []
    other = remains(start("run", recipe.model_copy(update={"seed": 1}), tmp_path / "other"))
    assert any(found.startswith(".model.") for found in differences(other, first))


@pytest.mark.promise("R12")
def test_a_run_leaves_the_random_stream_of_building_alone(tmp_path: Path) -> None:
    """The weights drawn depend on the seed and not on dropout, data order or another part's draws."""
    recipe = load_recipe({**RECIPE, "runtime": ONE_THREAD})[1]
    first = start("run", recipe, tmp_path).parts.model.state_dict()
    without = load_recipe({**RECIPE, "runtime": ONE_THREAD}, {"model.dropout": 0.0, "budget.batch_size": 3})[1]
    second = start("run", without, tmp_path).parts.model.state_dict()
    assert differences(list(first.values()), list(second.values())) == []
    other = build_parts(recipe.model_copy(update={"seed": 1})).model.state_dict()
    assert not torch.equal(other["layers.1.weight"], first["layers.1.weight"])


@pytest.mark.promise("R10")
def test_running_the_record_again_gives_the_same_bits(tmp_path: Path) -> None:
    """Nothing in the recipe says what device, precision, memory layout or threads; the record does."""
    run = start("run", load_recipe(RECIPE)[1], tmp_path / "first")
    written = read_yaml(run.folder.path / "recipe.yaml")
    runtime = written["runtime"]
    assert runtime["device"] != "auto"
    assert runtime["precision"] != "auto"
    assert runtime["channels_last"] is False
    assert runtime["threads"] >= 1
    assert written["data"]["split_seed"] == 0
    assert written["algorithm"]["optimizer"]["name"]
    assert parse_recipe(written, TABLES) == run.recipe
    again = start("run", parse_recipe(written, TABLES), tmp_path / "again")
    assert differences(remains(again), remains(run)) == []
    assert again.recipe.digest() == run.recipe.digest()


def gradients(recipe: dict[str, Any], workspace: Path) -> tuple[list[list[torch.Tensor]], list[float]]:
    """Return each step's gradients in float64, and each step's mean loss, of a run with plain steps."""
    seen: list[list[torch.Tensor]] = []
    losses: list[float] = []

    def change(training: Training, calls: int, step: Callable[[], LossValue]) -> LossValue:
        assert isinstance(training, Supervised)
        value = step()
        seen.append([p.grad.double() for p in training.network.parameters() if p.grad is not None])
        losses.append(float(value.total) / float(value.count))
        return value

    with around_steps(change):
        start("run", load_recipe(recipe)[1], workspace)
    return seen, losses


@pytest.mark.promise("R13")
@pytest.mark.parametrize("accumulate", [2, 4, 5, 12])
def test_a_batch_in_pieces_is_the_batch(accumulate: int, tmp_path: Path) -> None:
    plain = {**RECIPE, "model": {"name": "mlp", "widths": [6]}, "algorithm": {"name": "supervised", "optimizer": "sgd"}}
    whole, losses = gradients({**plain, "runtime": ONE_THREAD}, tmp_path / "whole")
    pieces, same = gradients({**plain, "runtime": {**ONE_THREAD, "accumulate": accumulate}}, tmp_path / "pieces")
    assert len(whole) == len(pieces) == 10
    for one, other in zip(whole, pieces, strict=True):
        for a, b in zip(one, other, strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-6)
    assert same == pytest.approx(losses, abs=1e-6)


@pytest.mark.promise("R13")
def test_the_gradient_is_that_of_the_mean_over_a_ragged_batch(tmp_path: Path) -> None:
    plain = {**RECIPE, "model": {"name": "mlp", "widths": [6]}, "runtime": {**ONE_THREAD, "accumulate": 4}}
    checked = 0

    def change(training: Training, calls: int, step: Callable[[], LossValue]) -> LossValue:
        nonlocal checked
        assert isinstance(training, Supervised)
        training._stream.seek(training._step)
        batch = next(training._stream)
        params = list(training.network.parameters())
        loss = torch.nn.functional.cross_entropy(training.network(*batch.inputs), batch.targets)
        expected = torch.autograd.grad(loss, params)
        training._stream.seek(training._step)
        value = step()
        assert float(value.count) == len(batch.targets) == (6 if calls % 4 == 0 else 12)
        for param, grad in zip(params, expected, strict=True):
            assert param.grad is not None
            torch.testing.assert_close(param.grad, grad, rtol=1e-5, atol=1e-7)
        checked += 1
        return value

    with around_steps(change):
        start("run", load_recipe(plain)[1], tmp_path)
    assert checked == 10
