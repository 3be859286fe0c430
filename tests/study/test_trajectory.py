from pathlib import Path
from typing import Any

import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.run.api import run
from fourfold.run.build import build_parts
from fourfold.run.run import Run
from fourfold.study.objective import Objective, split_batches
from fourfold.study.trajectory import weights_along

RECIPE: dict[str, Any] = {
    "data": "iris",
    "model": {"name": "mlp", "widths": [5], "dropout": 0.3},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "schedule": "cosine", "optimizer": "momentum"},
    "budget": {"steps": 21, "batch_size": 16},
}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(RECIPE, workspace=tmp_path_factory.mktemp("runs"))


def _objective(of: Run) -> Objective:
    return Objective(of.model, of.parts.loss, split_batches(of.parts.source, "train"))


def test_it_goes_from_what_the_seed_draws_to_the_run_s_own_weights(trained: Run) -> None:
    objective, heard = _objective(trained), []
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(12)
        before = torch.random.get_rng_state()
        states = weights_along(trained, objective.flat, states=8, heard=heard.append)
        assert torch.equal(before, torch.random.get_rng_state())
    assert len(states) == 8
    assert torch.equal(states[0], objective.flat(dict(build_parts(trained.recipe).model.named_parameters())))
    assert torch.equal(states[-1], objective.start)
    assert heard == list(range(1, 22))


def test_every_state_is_where_a_shorter_run_ends(trained: Run, tmp_path: Path) -> None:
    """With dropout, momentum and a constant rate, seven of 21 steps are the same as the first seven."""
    recipe = {**RECIPE, "algorithm": {"name": "supervised", "optimizer": "momentum"}}
    whole = run(recipe, workspace=tmp_path)
    part = run({**recipe, "budget": {"steps": 9, "batch_size": 16}}, workspace=tmp_path)
    objective = _objective(whole)
    states = weights_along(whole, objective.flat, states=8)
    assert torch.equal(states[3], objective.flat(dict(part.model.named_parameters())))  # 3 of 7 pieces of 21 steps


def test_the_last_step_leads_to_the_run_s_own_weights(trained: Run) -> None:
    """So what was trained again is the run: its state one step before the end is near, and none is further than it."""
    objective = _objective(trained)
    states = weights_along(trained, objective.flat, states=22)
    distances = [float((state - states[-1]).norm()) for state in states]
    assert 0 < distances[-2] < 0.05 * distances[0]


def test_a_run_of_two_steps_has_no_path(tmp_path: Path) -> None:
    short = run({**RECIPE, "budget": {"steps": 2, "batch_size": 16}}, workspace=tmp_path)
    with pytest.raises(InputError, match="a path needs at least 3 steps, and it has 2"):
        weights_along(short, _objective(short).flat)
