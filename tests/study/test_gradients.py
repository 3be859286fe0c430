from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.losses.cross_entropy import CrossEntropy
from fourfold.losses.mse import MSE
from fourfold.models.mlp import MLP
from fourfold.run.api import run
from fourfold.run.build import build_parts
from fourfold.run.run import Run
from fourfold.study.gradients import Trace, gradient_norms, trace
from fourfold.study.trajectory import trained_again
from fourfold.tasks.seam import Batch, Order


def _examples(count: int = 12) -> Batch:
    draw = torch.Generator().manual_seed(1)
    return Batch((torch.randn(count, 4, generator=draw),), torch.randint(3, (count,), generator=draw))


def test_norms_are_autograd_s_layer_by_layer_whatever_the_split() -> None:
    torch.manual_seed(0)
    model = MLP(4, [5, 6], 3)
    whole = _examples()
    ragged = [Batch((whole.inputs[0][:7],), whole.targets[:7]), Batch((whole.inputs[0][7:],), whole.targets[7:])]
    norms = gradient_norms(model, CrossEntropy(), ragged)
    assert all(each.grad is None for each in model.parameters())
    nn.functional.cross_entropy(model(*whole.inputs), whole.targets).backward()
    assert list(norms) == ["layers.1", "layers.3", "layers.5"]
    for name, norm in norms.items():
        layer = model.get_submodule(name)
        assert isinstance(layer, nn.Linear)
        assert layer.weight.grad is not None
        assert layer.bias.grad is not None
        expected = (layer.weight.grad.square().sum() + layer.bias.grad.square().sum()).sqrt()
        assert norm == pytest.approx(float(expected), rel=1e-5)


class _Chain(nn.Module):
    """sigmoid(w sigmoid(w … x)), one number a layer."""

    def __init__(self, depth: int, weight: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(1, 1, bias=False) for _ in range(depth))
        for layer in self.layers:
            nn.init.constant_(layer.weight, weight)  # pyright: ignore[reportArgumentType]

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.layers:
            x = torch.sigmoid(layer(x))
        return x


def test_a_chain_of_sigmoids_loses_a_product_written_out_by_hand() -> None:
    depth, weight = 4, 0.7
    model = _Chain(depth, weight).double()
    x, target = torch.tensor([[0.3]], dtype=torch.float64), torch.tensor([[0.0]], dtype=torch.float64)
    values = [0.3]
    for _ in range(depth):
        values.append(1 / (1 + torch.e ** (-weight * values[-1])))
    behind, expected = 2 * values[-1], {}
    for i in reversed(range(depth)):
        behind *= values[i + 1] * (1 - values[i + 1])
        expected[f"layers.{i}"] = behind * values[i]
        behind *= weight
    norms = gradient_norms(model, MSE(), [Batch((x,), target)])
    assert norms == pytest.approx(expected)
    assert norms["layers.0"] < norms["layers.3"] * (weight / 4) ** 3 * 1.5  # sigmoid' is at most 1/4


def _trained(workspace: Path, optimizer: dict[str, Any], **more: Any) -> Run:
    recipe = {
        "data": "iris",
        "model": {"name": "mlp", "widths": [5]},
        "loss": "cross_entropy",
        "algorithm": {"name": "supervised", "optimizer": optimizer, **more},
        "budget": {"steps": 9, "batch_size": 16},
    }
    return run(recipe, workspace=workspace)


def _trace(of: Run, heard: Any = lambda step: None) -> Trace:
    with trained_again(of) as training:
        return trace(training, 9, heard)


def test_a_step_of_plain_descent_is_lr_times_its_gradient(tmp_path: Path) -> None:
    heard: list[int] = []
    found = _trace(_trained(tmp_path, {"name": "sgd", "lr": 0.2}), heard.append)
    assert heard == list(range(1, 10))
    torch.testing.assert_close(found.step_sizes, 0.2 * found.gradient_norms, rtol=1e-5, atol=0)
    torch.testing.assert_close(found.effective_rates, torch.full((9,), 0.2).double(), rtol=1e-5, atol=0)
    whole = torch.stack(list(found.layer_gradients.values())).norm(dim=0)
    torch.testing.assert_close(whole, found.gradient_norms)
    assert list(found.layer_gradients) == ["layers.1", "layers.3"]


def test_a_schedule_is_in_the_effective_rate_and_clipping_in_the_gradient(tmp_path: Path) -> None:
    clipped = {"schedule": "cosine", "regularizers": [{"name": "gradient_clipping", "max_norm": 0.01}]}
    found = _trace(_trained(tmp_path, {"name": "sgd", "lr": 0.9}, **clipped))
    torch.testing.assert_close(found.gradient_norms, torch.full((9,), 0.01).double(), rtol=1e-4, atol=0)
    expected = 0.9 * (1 + torch.cos(torch.pi * torch.arange(9).double() / 9)) / 2
    torch.testing.assert_close(found.effective_rates, expected, rtol=1e-3, atol=0)


def test_it_goes_where_torch_goes(tmp_path: Path) -> None:
    """Loss and gradient of each layer, by autograd, along torch's own Adam on the same batches."""
    done = _trained(tmp_path, {"name": "adam", "lr": 0.01})
    found, parts = _trace(done), build_parts(done.recipe)
    theirs = torch.optim.Adam(parts.model.parameters(), lr=0.01)
    batches = parts.source.train(Order(done.recipe.seed, 16))
    for step in range(9):
        batch = next(batches)
        theirs.zero_grad()
        loss = nn.functional.cross_entropy(parts.model(*batch.inputs), batch.targets)
        loss.backward()
        first = parts.model.get_submodule("layers.1")
        norm = sum(float(each.grad.square().sum()) for each in first.parameters() if each.grad is not None) ** 0.5
        assert float(found.losses[step]) == pytest.approx(loss.item(), rel=1e-4)
        assert float(found.layer_gradients["layers.1"][step]) == pytest.approx(norm, rel=1e-3)
        theirs.step()


def test_what_cannot_be_traced_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no examples"):
        gradient_norms(MLP(4, [5], 3), CrossEntropy(), [])
    with (
        trained_again(_trained(tmp_path, {"name": "sgd"})) as training,
        pytest.raises(InputError, match="steps: expected at least 1"),
    ):
        trace(training, 0)
