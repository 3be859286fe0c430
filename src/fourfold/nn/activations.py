"""Activation functions by name.

Checked by: torch.nn.functional; sigmoid' <= 1/4; tanh(x) = 2 sigmoid(2x) - 1.
"""

from typing import Literal

from torch import nn

Activation = Literal["identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu"]

_MODULES: dict[Activation, type[nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,  # slope 0.01 below zero
    "gelu": nn.GELU,
}


def make_activation(name: Activation) -> nn.Module:
    """Return a fresh module for the named nonlinearity."""
    return _MODULES[name]()
