"""A network without its output layer: what it says of a picture before it decides.

The output layer is the last affine layer that a network has. What goes into it are the features that a linear
classifier would be fitted to, whatever the network was trained for.

Checked by: each network that has such a layer, whose outputs are that layer of its features.
"""

from collections.abc import Collection, Mapping
from copy import deepcopy

import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.inputs import Image

ENCODER = "encoder."  # what names of weights begin with that are an encoder's in a larger network


def output_layer(network: nn.Module) -> str | None:
    """Return the name of a network's output layer, None where it has none."""
    names = [name for name, layer in network.named_modules() if isinstance(layer, nn.Linear)]
    return names[-1] if names else None


def without_output_layer(network: nn.Module, who: str) -> tuple[nn.Module, int]:
    """Return the network with its output layer taken out of it, and how many features it returns then.

    Args:
        network: a network for pictures; it is changed.
        who: its name, for messages.

    Raises:
        InputError: it has no output layer, or returns something else beside its outputs in training.
    """
    name = output_layer(network)
    if name is None:
        raise InputError(f"{who} has no affine output layer to be left out, and so no features; try resnet")
    layer = network.get_submodule(name)
    assert isinstance(layer, nn.Linear)
    network.set_submodule(name, nn.Identity())
    return network, layer.in_features


def build_encoder(config: ModelConfig, image: Image) -> tuple[nn.Module, int]:
    """Return a model for pictures of this size without its output layer, and how many features it returns.

    Raises:
        InputError: it does not fit the pictures, or has no features.
    """
    network, width = without_output_layer(config.build(ClassificationSpec(image, ("a", "b"))), config.name)
    tried = deepcopy(network).to("meta").train()  # in training, without arithmetic
    output = tried(torch.zeros(2, *image, device="meta"))
    if not isinstance(output, Tensor) or output.shape != (2, width):
        raise InputError(f"{config.name} returns more than its features in training, or fewer; try resnet")
    return network, width


def encoder_weights(weights: Mapping[str, Tensor], places: Collection[str]) -> tuple[Mapping[str, Tensor], list[str]]:
    """Return an encoder's weights under the names they have in a network of its own, and the names that are left out.

    Weights of a network that has an encoder itself, or of one that has none, are returned as they are.

    Args:
        weights: by name, of any network.
        places: names in the network that they are for.
    """
    if not any(name.startswith(ENCODER) for name in weights) or any(name.startswith(ENCODER) for name in places):
        return weights, []
    own = {name.removeprefix(ENCODER): value for name, value in weights.items() if name.startswith(ENCODER)}
    return own, [name for name in weights if not name.startswith(ENCODER)]
