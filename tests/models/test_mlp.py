from itertools import pairwise

import pytest
import torch
from torch import nn
from verification import verified

from fourfold.core.errors import InputError
from fourfold.models import MLP, MODELS


def reference(widths: list[int], activation: type[nn.Module]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in pairwise(widths[:-1]):
        layers += [nn.Linear(before, after), activation()]
    return nn.Sequential(*layers, nn.Linear(*widths[-2:]))


@pytest.mark.promise("R14")
@pytest.mark.parametrize(
    ("name", "activation"),
    [("relu", nn.ReLU), ("tanh", nn.Tanh), ("sigmoid", nn.Sigmoid), ("gelu", nn.GELU), ("leaky_relu", nn.LeakyReLU)],
)
@pytest.mark.parametrize("hidden", [[], [7], [9, 4, 6]])
def test_equals_torchs_sequential_with_copied_weights(name, activation, hidden) -> None:
    ours = MLP(12, hidden, 3, name).double()
    theirs = reference([12, *hidden, 3], activation).double()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        nn.init.normal_(mine)
        other.data.copy_(mine)
    x = torch.randn(5, 3, 2, 2, dtype=torch.float64)
    outputs = ours(x), theirs(x.flatten(1))
    for output in outputs:
        output.square().sum().backward()
    grads = [[p.grad for p in network.parameters()] for network in (ours, theirs)]
    torch.testing.assert_close(*outputs)
    torch.testing.assert_close(*grads)
    verified("network", "mlp", "torch's layers in a row", "outputs", *outputs)
    verified("network", "mlp", "torch's layers in a row", "gradients", *grads)


def test_dropout_silences_hidden_units_in_training_only_and_keeps_their_mean() -> None:
    torch.manual_seed(0)
    model = MLP(1, [20_000], 1, "identity", dropout=0.25)
    with torch.no_grad():
        model.layers[1].weight.fill_(1.0)
    hidden = nn.Sequential(*list(model.layers)[:4])
    x = torch.ones(1, 1)
    out = hidden(x)
    assert (out == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert out.mean().item() == pytest.approx(1.0, abs=0.02)
    assert hidden.eval()(x).eq(1).all()
    assert [type(layer) for layer in model.layers].count(nn.Dropout) == 1


@pytest.mark.parametrize("widths", [[0], [8, -1]])
def test_a_layer_without_units_is_refused(widths) -> None:
    with pytest.raises(InputError, match=r"model\.widths"):
        MODELS.parse({"name": "mlp", "widths": widths}, "model")


def test_a_hidden_layer_computes_xor() -> None:
    model = MLP(2, [2], 1, "relu")
    with torch.no_grad():  # relu(x1 + x2) - 2 relu(x1 + x2 - 1)
        for param, value in zip(
            model.parameters(), ([[1.0, 1.0], [1.0, 1.0]], [0.0, -1.0], [[1.0, -2.0]], [0.0]), strict=True
        ):
            param.copy_(torch.tensor(value))
    assert model(torch.tensor([[0.0, 0], [0, 1], [1, 0], [1, 1]])).flatten().tolist() == [0, 1, 1, 0]
