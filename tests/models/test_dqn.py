"""Networks of deep Q-learning beside their layers by torch's functions and, of two streams, the equation by hand."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from verification import verified

from fourfold import models

STRIDES = {"dqn_2013": (4, 2), "dqn_2015": (4, 2, 1), "dqn_minatar": (1,)}
NETWORKS = {"dqn_2013": models.DQN2013, "dqn_2015": models.DQN2015, "dqn_minatar": models.DQNMinAtar}


def by_hand(network: nn.Module, x: Tensor, strides: tuple[int, ...]) -> Tensor:
    """Return what the layers give, from the parameters in their order."""
    params = iter(network.parameters())
    for stride in strides:
        x = F.relu(F.conv2d(x, next(params), next(params), stride=stride))
    hidden = F.relu(F.linear(x.flatten(1), next(params), next(params)))
    return F.linear(hidden, next(params), next(params))


def two_streams(head: nn.Module, x: Tensor) -> Tensor:
    """Eq. 9 of Wang et al.: V(s) + A(s, a) - sum_a' A(s, a') / |A|."""
    w = head.state_dict(keep_vars=True)

    def stream(name: str) -> Tensor:
        hidden = F.relu(F.linear(x, w[f"{name}.0.weight"], w[f"{name}.0.bias"]))
        return F.linear(hidden, w[f"{name}.2.weight"], w[f"{name}.2.bias"])

    advantage = stream("advantage")
    mean = sum(advantage[:, a] for a in range(advantage.shape[1])) / advantage.shape[1]
    return torch.stack([stream("value")[:, 0] + each - mean for each in advantage.T], 1)


def compare(name: str, oracle: str, network: nn.Module, ours: Tensor, theirs: Tensor) -> None:
    """Hold outputs and gradients equal, and put the differences on record."""
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-12)
    weights = torch.arange(ours.numel(), dtype=torch.float64).view_as(ours)
    gradients = [torch.autograd.grad((out * weights).sum(), list(network.parameters())) for out in (ours, theirs)]
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-10)
    verified("network", name, oracle, "outputs", ours, theirs)
    verified("network", name, oracle, "gradients", *gradients)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", NETWORKS)
def test_layer_by_layer(name) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name](3, 40, 36, 5).double()
    frames = torch.rand(2, 3, 40, 36, dtype=torch.float64)
    compare(name, "the layers in torch's functions", network, network(frames), by_hand(network, frames, STRIDES[name]))


@pytest.mark.promise("R14")
def test_two_streams_for_rows_of_numbers() -> None:
    torch.manual_seed(0)
    network = models.DuelingMLP(4, [7, 6], 5, 3).double()
    x = torch.randn(8, 4, dtype=torch.float64)
    shared = network.layers(x)
    hidden = x
    for layer in (network.layers[1], network.layers[3]):
        hidden = F.relu(F.linear(hidden, layer.weight, layer.bias))
    torch.testing.assert_close(shared, hidden)
    compare("dueling_mlp", "the equation", network, network(x), two_streams(network.head, hidden))


@pytest.mark.parametrize("name", ["dqn_2015", "dqn_minatar"])
def test_two_streams_after_the_convolutions(name) -> None:
    torch.manual_seed(0)
    network = NETWORKS[name](3, 40, 36, 5, True).double()
    frames = torch.rand(2, 3, 40, 36, dtype=torch.float64)
    torch.testing.assert_close(network(frames), two_streams(network.head, network.features(frames)))
