"""Networks that claims change: the normalisation is where it is said to be, and does what it is for."""

import pytest
import torch
from torch import nn

from fourfold.claims.batchnorm import normalise
from fourfold.claims.groupnorm_micro_batch import RECIPE
from fourfold.claims.groupnorm_small_batch import GROUPS, by_groups
from fourfold.claims.in_process import train
from fourfold.models.lenet5 import LeNet5
from fourfold.models.resnet_cifar import ResNetCifar
from fourfold.nn.normalisation import BatchNorm, GroupNorm


def test_every_hidden_layer_is_normalised_before_its_nonlinearity():
    network = LeNet5(activation="relu", pooling="max")
    normalise(network)
    seen: list[torch.Tensor] = []
    for layer in (network.c1, network.c3, network.c5, network.f6):
        layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
    network(3 + torch.randn(16, 1, 32, 32))
    assert [tuple(x.shape[1:]) for x in seen] == [(6, 28, 28), (16, 10, 10), (120,), (84,)]
    for x in seen:
        over = [0, *range(2, x.dim())]
        torch.testing.assert_close(x.mean(over), torch.zeros(x.shape[1]), atol=1e-4, rtol=0)
        assert ((x.var(over, correction=0) - 1).abs() < 0.05).all()  # eps takes a little where there was little
    assert sum(isinstance(layer, BatchNorm) for layer in network.modules()) == 4


@pytest.mark.parametrize("shortcut", ["identity", "none"])
def test_by_groups_a_picture_does_not_depend_on_its_batch(shortcut):
    torch.manual_seed(0)
    network = ResNetCifar(8, 10, 1, shortcut)
    batch = torch.randn(4, 1, 8, 8)
    layers = sum(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    assert (network(batch)[:1] - network(batch[:2])[:1]).abs().max() > 1e-3  # as it is, it does
    by_groups(network)
    torch.testing.assert_close(network(batch)[:1], network(batch[:1]), atol=1e-4, rtol=1e-4)
    groups = [layer.groups for layer in network.modules() if isinstance(layer, GroupNorm)]
    assert groups == [GROUPS] * layers
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())


def test_micro_batches_are_of_two_pictures_and_updates_as_many():
    sizes: dict[int, list[int]] = {1: [], 16: []}

    def listen(network: nn.Module, pieces: int) -> None:
        network.register_forward_hook(lambda _module, inputs, _output: sizes[pieces].append(len(inputs[0])))

    for pieces in sizes:
        train(RECIPE, {"budget.steps": 3, "runtime.accumulate": pieces}, lambda n, pieces=pieces: listen(n, pieces))
    assert sizes == {1: [32] * 3, 16: [2] * 16 * 3}
