"""Training without a record, against a recorded run of the same recipe."""

from pathlib import Path

import pytest
import torch

import fourfold
from fourfold.claims.in_process import outputs_on_test, replicates, train

SHORT = {"model.widths": [4], "budget.steps": 20, "seed": 3}


@pytest.mark.parametrize(
    ("recipe", "more"),
    [
        ("curve-mlp", {}),
        ("curve-mlp", {"algorithm": {"name": "bagging", "members": 2}}),
        ("moons-mlp", {"algorithm": {"name": "boosting", "members": 2}}),
        ("moons-mlp", {"model.dropout": 0.5, "algorithm.regularizers": [{"name": "ema"}]}),
    ],
)
def test_the_network_is_that_of_a_recorded_run_to_the_bit(recipe: str, more: dict, tmp_path: Path):
    run = fourfold.run(recipe, {**SHORT, **more}, workspace=tmp_path)
    torch.manual_seed(12345)
    before = torch.random.get_rng_state()
    _, parts = train(recipe, {**SHORT, **more})
    assert torch.equal(before, torch.random.get_rng_state())
    assert not parts.model.training
    theirs, ours = run.model.state_dict(), parts.model.state_dict()
    assert theirs.keys() == ours.keys()
    assert all(torch.equal(theirs[name], ours[name]) for name in theirs)


def test_numbers_come_back_in_their_own_units(tmp_path: Path):
    settings = {"data.name": "diabetes", **SHORT}
    run = fourfold.run("curve-mlp", settings, workspace=tmp_path)
    outputs, targets = replicates("curve-mlp", settings, range(3, 5))
    assert outputs.shape == targets.shape == (2, run.parts.source.sizes["test"], 1)
    rmse = (outputs[0] - targets[0]).square().mean().sqrt()
    assert float(rmse) == pytest.approx(run.metrics["test"]["rmse"], rel=1e-5)
    assert not torch.equal(outputs[0], outputs[1])


def test_classes_come_back_as_scores():
    _, parts = train("moons-mlp", SHORT)
    outputs, targets = outputs_on_test(parts)
    assert outputs.shape == (len(targets), 2)
    assert targets.dtype == torch.int64
