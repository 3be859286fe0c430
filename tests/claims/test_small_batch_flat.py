"""The arms are what their names say, and the sharpness is that of the trained network on its training split."""

from pathlib import Path

import pytest
import torch

from fourfold.claims.measures import run_of
from fourfold.claims.small_batch_flat import ARMS, CLAIM, sharpness_at_end
from fourfold.run.parts import load_recipe
from fourfold.study.cells import Cell, Store, run_cell


def finished(arm: str, tmp_path: Path, **more):
    _, recipe = load_recipe("digits-mlp", {**CLAIM.shared, **ARMS[arm], **more})
    cell = Cell("digits-mlp", recipe.to_mapping())
    run_cell(cell, tmp_path)
    result = Store(tmp_path).result(cell.key)
    assert result is not None
    return result


def test_equal_epochs_and_equal_steps_are_that(tmp_path: Path):
    small, epochs, steps = (finished(arm, tmp_path) for arm in ARMS)
    assert small.result["planned_steps"] == steps.result["planned_steps"] == 24 * epochs.result["planned_steps"]
    assert small.metrics["train"]["accuracy"] == steps.metrics["train"]["accuracy"] == 1.0


def test_sharpness_is_more_than_the_rise_to_any_corner_that_was_drawn(tmp_path: Path):
    result = finished("small", tmp_path, **{"budget.epochs": 3})
    run = run_of(result)
    (batch,), found = list(run.parts.source.split("train", 10_000)), sharpness_at_end(result)
    here = float(run.parts.loss(run.model(*batch.inputs), batch).mean.detach())
    assert here == pytest.approx(result.metrics["train"]["loss"], rel=1e-5)
    draw, rises = torch.Generator().manual_seed(0), []
    weights = {name: param.detach() for name, param in run.model.named_parameters()}
    for _ in range(20):  # corners of the box, Eq. 3
        corner = {
            name: each + 1e-3 * (each.abs() + 1) * (2.0 * torch.randint(2, each.shape, generator=draw) - 1)
            for name, each in weights.items()
        }
        loss = run.parts.loss(torch.func.functional_call(run.model, corner, batch.inputs), batch).mean
        rises.append(100 * (float(loss.detach()) - here) / (1 + here))
    assert found > max(rises) > 0
    assert found < 100  # percent, of a box that is a thousandth of the weights
