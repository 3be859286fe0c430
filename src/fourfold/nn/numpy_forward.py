"""A small network's forward pass in NumPy, on the weights where they are: acting one move at a time without torch.

For one row of numbers torch spends ten times as long on calling a layer as on its arithmetic.

Checked by: the network's own forward pass, for each kind of layer, after updates and loaded weights too.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from fourfold.nn.dueling import DuelingHead

Forward = Callable[[NDArray[Any]], NDArray[Any]]
LARGEST = 300_000  # weights; above this the arithmetic counts, and torch's is no slower


def numpy_forward(model: nn.Module, features: int) -> Forward | None:
    """Return what maps float32 `[batch, features]` as `model` does in evaluation mode; None: it has other layers.

    It reads the model's own weights: whoever changes them in place changes it. A network counts as its children run in
    order, which is tried here on random rows.

    Args:
        model: on the CPU, in float32.
        features: numbers in a row.
    """
    params = list(model.parameters())
    if any(p.device.type != "cpu" or p.dtype != torch.float32 or not p.is_contiguous() for p in params):
        return None
    if sum(p.numel() for p in params) > LARGEST or (forward := _of(model)) is None:
        return None
    rows = np.random.default_rng(0).standard_normal((16, features)).astype(np.float32)
    training = model.training
    with torch.inference_mode():
        expected = model.eval()(torch.from_numpy(rows)).numpy()
    model.train(training)
    found = forward(rows)
    alike = found.shape == expected.shape and np.allclose(found, expected, rtol=1e-3, atol=1e-4)
    return forward if alike else None


def _of(module: nn.Module) -> Forward | None:
    """Return one layer's forward pass, or that of its children in order."""
    if isinstance(module, nn.Linear):
        weight = module.weight.detach().numpy()
        bias = module.bias.detach().numpy() if module.bias is not None else np.zeros(len(weight), np.float32)
        return _linear(weight.T, bias)
    if isinstance(module, nn.ReLU):
        return lambda x: np.maximum(x, 0)
    if isinstance(module, nn.Tanh):
        return np.tanh
    if isinstance(module, nn.Flatten | nn.Dropout | nn.Identity):  # rows are flat, and nobody learns by acting
        return lambda x: x
    if isinstance(module, DuelingHead):
        value, advantage = _of(module.value), _of(module.advantage)
        assert value is not None
        assert advantage is not None
        return _dueling(value, advantage)
    children = [_of(child) for child in module.children()]
    if not children or any(child is None for child in children):
        return None
    return _chain([child for child in children if child is not None])


def _linear(weight: NDArray[Any], bias: NDArray[Any]) -> Forward:
    return lambda x: x @ weight + bias


def _dueling(value: Forward, advantage: Forward) -> Forward:
    def forward(x: NDArray[Any]) -> NDArray[Any]:
        above = advantage(x)
        return value(x) + above - above.mean(1, keepdims=True)

    return forward


def _chain(layers: list[Forward]) -> Forward:
    def forward(x: NDArray[Any]) -> NDArray[Any]:
        for layer in layers:
            x = layer(x)
        return x

    return forward
