"""Batch normalisation folded into the convolution before it, for networks that only predict.

In evaluation both are affine in each channel, and so is one after the other:

    gamma (w * x + b - mean) / s + beta  =  (gamma w / s) * x + gamma (b - mean) / s + beta,    s = sqrt(variance + eps)

What follows what is seen by running an example, as a network's code is free to say anything: a normalisation is folded
where it gets the very tensor that a convolution made, and nothing has changed that in between. What else might use that
tensor cannot be seen; so the example is run again, and a network that then answers differently is left as it was.

Source: Jacob et al., arXiv:1712.05877, section 3.2, where folding comes before quantisation; torch.nn.utils.fusion.
Checked by: the network as it was, for ResNet, VGG, DenseNet and GoogLeNet with random statistics; convolutions whose
maps are used twice, called twice, or changed in place.
"""

import copy
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from fourfold.nn.normalisation import BatchNorm

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALISATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, BatchNorm)
TOLERANCE = 1e-4  # of the largest output; rounding stays far below it, and what is folded wrongly far above


def folded(model: nn.Module, *example: Tensor) -> nn.Module:
    """Return a network that computes the same with fewer layers.

    Args:
        model: in evaluation mode; it is not changed.
        example: its inputs, of one example or more.

    Returns:
        A copy, which cannot be trained; or the model itself where no batch normalisation follows a convolution.
    """
    if not any(type(module) in NORMALISATIONS for module in model.modules()):
        return model
    assert not model.training, "batch normalisation folds in evaluation only"
    network = copy.deepcopy(model).requires_grad_(False)
    with torch.no_grad():  # and not inference_mode, where tensors have no version
        pairs, expected = _pairs(network, example)
        if not pairs:
            return model
        for convolution, normalisation in pairs:
            _fold_(network.get_submodule(convolution), network.get_submodule(normalisation))
            network.set_submodule(normalisation, nn.Identity())
        same = (_numbers(network(*example)) - expected).abs().max() <= TOLERANCE * expected.abs().max()
    return network if same else model


def _pairs(network: nn.Module, example: tuple[Tensor, ...]) -> tuple[list[tuple[str, str]], Tensor]:
    """Return the names of each convolution and the normalisation of its maps, and what the network answers."""
    made: dict[int, tuple[str, Tensor, int]] = {}  # by id; the tensor is kept so that no other one gets its id
    calls: Counter[str] = Counter()
    found: list[tuple[str, str]] = []

    def leaving(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: Any, output: Tensor) -> None:
            calls[name] += 1
            made[id(output)] = name, output, output._version

        return hook

    def entering(name: str) -> Callable[..., None]:
        def hook(module: nn.Module, args: tuple[Any, ...]) -> None:
            calls[name] += 1
            convolution, _, version = made.get(id(args[0]), ("", None, -1))
            if version == args[0]._version:
                found.append((convolution, name))

        return hook

    handles = []
    for name, module in network.named_modules():
        if type(module) in CONVOLUTIONS:  # one of another class may compute something else
            handles.append(module.register_forward_hook(leaving(name)))
        elif type(module) in NORMALISATIONS and module.running_mean is not None:
            handles.append(module.register_forward_pre_hook(entering(name)))
    try:
        output = network(*example)
    finally:
        for handle in handles:
            handle.remove()
    followers = Counter(convolution for convolution, _ in found)
    once = [(c, n) for c, n in found if followers[c] == calls[c] == calls[n] == 1]
    return once, _numbers(output)


def _fold_(convolution: nn.Module, normalisation: nn.Module) -> None:
    """Let a convolution compute what it and the normalisation after it did, worked out in float64."""
    from torch.nn.utils.fusion import fuse_conv_bn_weights

    def double(module: nn.Module, name: str) -> Any:
        value = getattr(module, name)
        return None if value is None else value.double()

    kind: Any = convolution.weight.dtype
    weight, bias = fuse_conv_bn_weights(
        double(convolution, "weight"),
        double(convolution, "bias"),
        double(normalisation, "running_mean"),
        double(normalisation, "running_var"),
        float(normalisation.eps),  # type: ignore[arg-type]
        double(normalisation, "weight"),
        double(normalisation, "bias"),
    )
    convolution.weight = nn.Parameter(weight.to(kind), requires_grad=False)
    convolution.bias = nn.Parameter(bias.to(kind), requires_grad=False)


def _numbers(output: Any) -> Tensor:
    """Return all numbers of an output, which may be several tensors and some that are not there, in one row."""
    parts = output if isinstance(output, tuple) else (output,)
    return torch.cat([part.flatten() for part in parts if part is not None])
