"""Activation functions: value, derivative in closed form, and where they saturate.

    sigmoid     1 / (1 + e^-x)                     s (1 - s), at most 1/4
    tanh        (e^x - e^-x) / (e^x + e^-x)        1 - t^2
    relu        max(0, x)                          1 where x > 0, else 0
    leaky_relu  x where x > 0, else x / 100        1 where x > 0, else 1/100
    gelu        x Phi(x)                           Phi(x) + x phi(x)
    softmax     e^x_k / sum_j e^x_j                s_k (delta_kj - s_j), a matrix

Sources: Nair and Hinton, Rectified linear units improve restricted Boltzmann machines, ICML 2010 (ReLU); Maas et al.,
Rectifier nonlinearities improve neural network acoustic models, ICML 2013 (leaky); Hendrycks and Gimpel, Gaussian Error
Linear Units, 2016, arXiv:1606.08415 (GELU, exact form).
Checked by: torch.nn.functional; autograd for the derivatives; sigmoid' <= 1/4; tanh(x) = 2 sigmoid(2x) - 1.
"""

import math
from collections.abc import Mapping
from typing import Callable, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Activation = Literal["identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu"]

LEAK = 0.01  # slope of the leaky ReLU below zero
SATURATED = 0.05  # a unit whose derivative is smaller than this in size hardly learns

_MODULES: dict[Activation, type[nn.Module]] = {
    "identity": nn.Identity,
    "sigmoid": nn.Sigmoid,
    "tanh": nn.Tanh,
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,  # its default slope is LEAK
    "gelu": nn.GELU,
}


def make_activation(name: Activation) -> nn.Module:
    """Return a fresh module for the named nonlinearity."""
    return _MODULES[name]()


def sigmoid(x: Tensor) -> Tensor:
    """Return the logistic function of each element, between 0 and 1."""
    return torch.sigmoid(x)


def sigmoid_derivative(x: Tensor) -> Tensor:
    """Return s (1 - s), at most 1/4, reached at 0."""
    s = sigmoid(x)
    return s * (1 - s)


def tanh(x: Tensor) -> Tensor:
    """Return the hyperbolic tangent of each element, between -1 and 1."""
    return torch.tanh(x)


def tanh_derivative(x: Tensor) -> Tensor:
    """Return 1 - tanh(x)^2, at most 1, reached at 0."""
    return 1 - tanh(x).square()


def relu(x: Tensor) -> Tensor:
    """Return each element, or 0 where it is negative."""
    return F.relu(x)


def relu_derivative(x: Tensor) -> Tensor:
    """Return 1 above zero and 0 below; at the kink 0, one of its subderivatives."""
    return (x > 0).to(x.dtype)


def leaky_relu(x: Tensor) -> Tensor:
    """Return each element, a hundredth of it where it is negative."""
    return F.leaky_relu(x, LEAK)


def leaky_relu_derivative(x: Tensor) -> Tensor:
    """Return 1 above zero and 1/100 elsewhere."""
    return torch.where(x > 0, torch.ones_like(x), torch.full_like(x, LEAK))


def gelu(x: Tensor) -> Tensor:
    """Return x Phi(x), Phi the distribution function of the standard normal."""
    return F.gelu(x)


def gelu_derivative(x: Tensor) -> Tensor:
    """Return Phi(x) + x phi(x), phi the density of the standard normal; below zero left of about -0.75."""
    distribution = 0.5 * (1 + torch.erf(x / math.sqrt(2)))
    density = (-0.5 * x.square()).exp() / math.sqrt(2 * math.pi)
    return distribution + x * density


def softmax(x: Tensor) -> Tensor:
    """Return shares `[…, classes]` that are above zero and sum to one over the last axis."""
    return x.softmax(-1)


def softmax_derivative(x: Tensor) -> Tensor:
    """Return the matrix of d softmax_k / d x_j, `[…, classes, classes]`; each row and column sums to zero."""
    s = softmax(x)
    return torch.diag_embed(s) - s.unsqueeze(-1) * s.unsqueeze(-2)


class Scalar(NamedTuple):
    """A function that acts on each element alone, with its derivative."""

    value: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]


SCALAR: Mapping[str, Scalar] = {
    "sigmoid": Scalar(sigmoid, sigmoid_derivative),
    "tanh": Scalar(tanh, tanh_derivative),
    "relu": Scalar(relu, relu_derivative),
    "leaky_relu": Scalar(leaky_relu, leaky_relu_derivative),
    "gelu": Scalar(gelu, gelu_derivative),
}


def is_saturated(derivative: Tensor) -> Tensor:
    """Return where a derivative is smaller than `SATURATED` in size, as booleans."""
    return derivative.abs() < SATURATED
