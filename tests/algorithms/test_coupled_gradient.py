"""A loss that couples examples: micro-batches and processes give the gradient of the whole batch."""

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import fourfold as ff
from fourfold.algorithms.coupled_gradient import CoupledGradient
from fourfold.losses.nt_xent import NTXent
from fourfold.models.simclr import SimCLR
from fourfold.run.checkpoint import load_newest
from fourfold.run.run import Run
from fourfold.tasks.auxiliary import AuxiliaryLoss
from fourfold.tasks.contrastive import ContrastiveTargets
from fourfold.tasks.seam import Batch, Plan

RECIPE: dict[str, Any] = {
    "data": {"name": "two_views", "of": "digits"},
    "model": {"name": "simclr", "encoder": {"name": "mlp", "widths": [12]}, "projected": 5},
    "loss": {"name": "nt_xent", "temperature": 0.3},
    # Adam would not notice a gradient that is twice what it should be
    "algorithm": {"name": "supervised", "optimizer": {"name": "sgd", "lr": 0.5}},
    "budget": {"steps": 4, "batch_size": 333, "log_every": 1},  # 1,257 to train on: a fourth batch of 258
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}


def network(dropout: float = 0.0) -> SimCLR:
    torch.manual_seed(0)
    encoder = nn.Sequential(nn.Flatten(), nn.Linear(16, 12), nn.Tanh(), nn.Dropout(dropout))
    return SimCLR(encoder, 12, projected=5).double()


def batch(count: int = 11) -> Batch:
    generator = torch.Generator().manual_seed(1)
    views = tuple(torch.randn(count, 1, 4, 4, generator=generator, dtype=torch.float64) for _ in range(2))
    return Batch(views, ContrastiveTargets(torch.full((count,), -100), torch.empty(count, 0)))


def gradient(model: SimCLR, plan: Plan) -> tuple[float, list[Tensor]]:
    kind = CoupledGradient(model, AuxiliaryLoss(NTXent(0.3)), plan)
    value, scale = (kind.in_pieces if plan.accumulate > 1 else kind)(batch())
    return float(value.mean), [p.grad * scale for p in model.parameters() if p.grad is not None]


@pytest.mark.parametrize("pieces", [2, 3, 11])
def test_micro_batches_give_the_gradient_of_the_whole_batch(pieces) -> None:
    loss, whole = gradient(network(), Plan(0, 1, 11))
    again, parts = gradient(network(), Plan(0, 1, 11, accumulate=pieces))
    assert again == pytest.approx(loss, rel=1e-6)
    for part, one in zip(parts, whole, strict=True):
        torch.testing.assert_close(part, one, rtol=1e-5, atol=1e-7)  # outputs are joined in float32


def test_the_second_pass_drops_what_the_first_dropped() -> None:
    """The gradient of a run in pieces is that of the two passes as one function: by a small change of a weight."""
    model = network(dropout=0.5)
    torch.manual_seed(5)
    loss, grads = gradient(model, Plan(0, 1, 11, accumulate=3))
    weight, grad = model.projection[2].weight, grads[-2]
    change = torch.zeros_like(weight)
    change[1, 2] = 1e-3
    sides = []
    for sign in (1, -1):
        other = network(dropout=0.5)
        with torch.no_grad():
            other.projection[2].weight.copy_(weight + sign * change)
        torch.manual_seed(5)
        sides.append(gradient(other, Plan(0, 1, 11, accumulate=3))[0])
    assert (sides[0] - sides[1]) / 2e-3 == pytest.approx(float(grad[1, 2]), rel=1e-2)
    assert min(sides) < loss < max(sides)


def test_running_statistics_move_once_for_each_piece() -> None:
    for pieces in (1, 3):
        norm = nn.BatchNorm1d(12)
        model = SimCLR(nn.Sequential(nn.Flatten(), nn.Linear(16, 12), norm), 12, projected=5).double()
        gradient(model, Plan(0, 1, 11, accumulate=pieces))
        assert int(norm.num_batches_tracked) == pieces  # type: ignore[arg-type]


def assert_same_run(one: Run, other: Run) -> None:
    for name, weight in load_newest(one.folder.checkpoints)[0].model.items():
        torch.testing.assert_close(load_newest(other.folder.checkpoints)[0].model[name], weight, rtol=0, atol=1e-6)
    assert other.curve("train.loss") == [(step, pytest.approx(v, abs=1e-5)) for step, v in one.curve("train.loss")]
    for split, scores in one.metrics.items():
        assert other.metrics[split] == pytest.approx(scores, abs=1e-5)


@pytest.mark.promise("R13")
@pytest.mark.parametrize("accumulate", [pytest.param(1, marks=pytest.mark.slow), 2])
def test_two_processes_are_one_with_the_whole_batch(tmp_path: Path, accumulate: int) -> None:
    one = ff.run(RECIPE, workspace=tmp_path)
    two = ff.run(RECIPE, {"runtime.processes": 2, "runtime.accumulate": accumulate}, workspace=tmp_path)
    assert_same_run(one, two)
