"""Acting in NumPy is acting by the network."""

import numpy as np
import pytest
import torch
from torch import nn

from fourfold.models.dueling_mlp import DuelingMLP
from fourfold.models.mlp import MLP
from fourfold.nn.dueling import DuelingHead
from fourfold.nn.numpy_forward import numpy_forward


@pytest.mark.parametrize(
    "model",
    [MLP(4, [8, 8], 3), MLP(4, [], 2), MLP(4, [8], 2, "tanh", dropout=0.5), DuelingMLP(4, [8], 6, 3)],
    ids=["relu", "linear", "tanh and dropout", "dueling"],
)
def test_the_same_as_the_network_after_it_moved_too(model) -> None:
    forward = numpy_forward(model, 4)
    assert forward is not None
    rows = torch.randn(50, 4)
    for _ in range(3):
        with torch.no_grad():
            expected = model.eval()(rows)
            np.testing.assert_allclose(forward(rows.numpy()), expected.numpy(), rtol=1e-5, atol=1e-5)
            assert forward(rows.numpy()).argmax(1).tolist() == expected.argmax(1).tolist()
            for param in model.parameters():
                param.add_(torch.randn_like(param), alpha=0.1)  # as an optimizer does
        model.load_state_dict({name: value * 0.9 for name, value in model.state_dict().items()})


class Twice(nn.Module):
    """Its children in order are not its forward pass."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 4))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers(self.layers(x))


@pytest.mark.parametrize(
    "model",
    [Twice(), nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4)), nn.Linear(4, 2).double(), nn.Linear(4, 200_000)],
    ids=["other order", "other layer", "float64", "large"],
)
def test_what_it_cannot_do_is_left_to_torch(model) -> None:
    assert numpy_forward(model, 4) is None


def test_a_dueling_head_is_equation_nine() -> None:
    head = DuelingHead(3, 5, 4)
    x = torch.randn(2, 3)
    value, advantage = head.value(x), head.advantage(x)
    for i in range(2):
        for action in range(4):
            expected = value[i, 0] + (advantage[i, action] - sum(advantage[i, a] for a in range(4)) / 4)
            torch.testing.assert_close(head(x)[i, action], expected)
    before = head(x)
    with torch.no_grad():
        head.advantage[2].bias.add_(7.0)  # to every advantage
    torch.testing.assert_close(head(x), before, rtol=1e-5, atol=1e-5)
