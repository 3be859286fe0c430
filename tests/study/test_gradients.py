from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from fourfold.algorithms.optimizers.adagrad import AdagradConfig
from fourfold.algorithms.optimizers.adam import AdamConfig
from fourfold.algorithms.optimizers.sgd import SGDConfig
from fourfold.core.errors import DivergedError, InputError
from fourfold.losses.cross_entropy import CrossEntropy
from fourfold.losses.mse import MSE
from fourfold.models.mlp import MLP
from fourfold.study.gradients import gradient_norms, trace_training
from fourfold.tasks.seam import Batch


def _examples(count: int = 12) -> Batch:
    draw = torch.Generator().manual_seed(1)
    return Batch((torch.randn(count, 4, generator=draw),), torch.randint(3, (count,), generator=draw))


def _batches() -> Iterator[Batch]:
    whole = _examples(60)
    while True:
        for i in range(0, 60, 20):
            yield Batch((whole.inputs[0][i : i + 20],), whole.targets[i : i + 20])


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


def test_a_step_of_plain_descent_is_lr_times_its_gradient() -> None:
    torch.manual_seed(0)
    trace = trace_training(MLP(4, [5], 3), CrossEntropy(), _batches(), SGDConfig(lr=0.2), 8)
    torch.testing.assert_close(trace.step_sizes, 0.2 * trace.gradient_norms, rtol=1e-5, atol=0)
    torch.testing.assert_close(trace.effective_rates, torch.full((8,), 0.2).double(), rtol=1e-5, atol=0)
    whole = torch.stack(list(trace.layer_gradients.values())).norm(dim=0)
    torch.testing.assert_close(whole, trace.gradient_norms)
    assert list(trace.layer_gradients) == ["layers.1", "layers.3"]
    assert trace.losses.shape == (8,)


def test_the_model_stays_as_it_was_and_its_copy_goes_where_torch_goes() -> None:
    torch.manual_seed(0)
    model = MLP(4, [5], 3)
    before = {name: each.clone() for name, each in model.state_dict().items()}
    trace = trace_training(model, CrossEntropy(), _batches(), AdamConfig(lr=0.01), 6)
    assert all(torch.equal(each, before[name]) for name, each in model.state_dict().items())
    theirs, batches, losses = torch.optim.Adam(model.parameters(), lr=0.01), _batches(), []
    for _ in range(6):
        batch = next(batches)
        theirs.zero_grad()
        loss = nn.functional.cross_entropy(model(*batch.inputs), batch.targets)
        loss.backward()
        theirs.step()
        losses.append(loss.item())
    assert trace.losses.tolist() == pytest.approx(losses, rel=1e-4)


def test_adagrad_s_effective_rate_only_falls_on_equal_gradients() -> None:
    def same() -> Iterator[Batch]:
        while True:
            yield Batch((torch.ones(1, 1),), torch.full((1, 1), 1e6))  # so far away that the gradient hardly changes

    model = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(model.weight)
    trace = trace_training(model, MSE(), same(), AdagradConfig(lr=0.1), 25)
    expected = 0.1 / torch.arange(1, 26).double().sqrt()  # lr / sqrt(t), for G_t = t g^2
    torch.testing.assert_close(trace.step_sizes, expected, rtol=1e-3, atol=0)


def test_what_cannot_be_traced_is_refused() -> None:
    model = MLP(4, [5], 3)
    with pytest.raises(InputError, match="steps: expected at least 1"):
        trace_training(model, CrossEntropy(), _batches(), SGDConfig(), 0)
    with pytest.raises(InputError, match="there are batches for 1"):
        trace_training(model, CrossEntropy(), iter([_examples()]), SGDConfig(), 2)
    with pytest.raises(InputError, match="no examples"):
        gradient_norms(model, CrossEntropy(), [])
    far = (Batch((1e30 * torch.ones(2, 4),), torch.zeros(2, 3)) for _ in range(9))
    with pytest.raises(DivergedError, match="not finite at step"):
        trace_training(model, MSE(), far, SGDConfig(lr=1.0), 9)
