import math

import pytest
import torch
from torch import nn

from fourfold.nn.initialise import initialise_


def net() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 40, 5), nn.Flatten(), nn.Linear(400, 300), nn.LayerNorm(300))


DRAWS = {
    "he": lambda weight: nn.init.kaiming_normal_(weight, mode="fan_in", nonlinearity="relu"),
    "glorot": nn.init.xavier_uniform_,
    "lecun": lambda weight: nn.init.normal_(weight, std=1 / math.sqrt(weight[0].numel())),
    "normal": lambda weight: nn.init.normal_(weight, 0.0, 0.01),
    "zeros": nn.init.zeros_,
}
VARIANCE = {  # as each paper states it, from the fans
    "he": lambda fan_in, fan_out: 2 / fan_in,
    "glorot": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "lecun": lambda fan_in, fan_out: 1 / fan_in,
    "normal": lambda fan_in, fan_out: 1e-4,
}


@pytest.mark.parametrize("scheme", DRAWS)
def test_weights_are_torchs_own_draws(scheme) -> None:
    ours, theirs = net(), net()
    torch.manual_seed(5)
    initialise_(ours, scheme, "relu")
    torch.manual_seed(5)
    for i in (0, 2):
        DRAWS[scheme](theirs[i].weight)
        torch.testing.assert_close(ours[i].weight, theirs[i].weight)


@pytest.mark.parametrize("scheme", VARIANCE)
def test_the_variance_is_the_papers(scheme) -> None:
    torch.manual_seed(0)
    layers = net()
    initialise_(layers, scheme, "relu")
    assert layers[2].weight.var().item() == pytest.approx(VARIANCE[scheme](400, 300), rel=0.02)
    assert layers[0].weight.var().item() == pytest.approx(VARIANCE[scheme](75, 40 * 25), rel=0.06)
    assert abs(layers[2].weight.mean().item()) < 1e-3


@pytest.mark.parametrize(
    ("activation", "scheme"),
    [("relu", "he"), ("leaky_relu", "he"), ("gelu", "he"), ("tanh", "glorot"), ("sigmoid", "glorot")],
)
def test_auto_suits_the_activation(activation, scheme) -> None:
    one, two = net(), net()
    torch.manual_seed(1)
    initialise_(one, "auto", activation)
    torch.manual_seed(1)
    initialise_(two, scheme, activation)
    assert torch.equal(one[2].weight, two[2].weight)


def test_biases_are_zero_and_other_layers_untouched() -> None:
    layers = net()
    nn.init.ones_(layers[0].bias)
    initialise_(layers, "he", "relu")
    assert not layers[0].bias.any()
    assert not layers[2].bias.any()
    assert layers[3].weight.eq(1).all()
