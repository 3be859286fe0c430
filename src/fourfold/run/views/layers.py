"""What each layer of a network gives for a batch, heard through hooks: the network itself is not changed.

A *map layer* is a module whose output is `[batch, maps, height, width]`. Layers that follow one another at one height
and width make a stage, and the last of them says what the stage gives.

Checked by: the stages of LeNet-5, VGG and ResNet by name and size; what the hooks heard against the layers called by
hand; the network after it, which has no hooks and the same modes.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from torch import Tensor, nn

from fourfold.core.errors import InputError

_PASS_ON = (nn.Dropout, nn.Dropout2d, nn.Identity)  # in evaluation they give what they are given


class Layer(NamedTuple):
    """A module and what it gave."""

    name: str  # such as `features.3`
    module: nn.Module
    values: Tensor  # [batch, maps, height, width]

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of its maps."""
        height, width = self.values.shape[2:]
        return height, width


class Stage(NamedTuple):
    """A layer that is shown, and what it is called."""

    name: str  # such as `layer1`, or `features.2, relu` for a layer without a name of its own
    values: Tensor  # [batch, maps, height, width]


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Put a network in evaluation mode, and each of its modules back in the mode it was in."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def record(model: nn.Module, inputs: Tensor) -> tuple[Tensor, list[Layer]]:
    """Return the network's output and its map layers in the order in which they ended, in evaluation mode.

    Values are not copied: what a later layer changed in place, as most ReLUs do, is seen as it was left.

    Args:
        model: on the inputs' device.
        inputs: `[batch, channels, height, width]`; gradients flow to them if they ask for one.
    """
    layers: list[Layer] = []
    hooks = []
    for name, module in model.named_modules():
        if name and not isinstance(module, _PASS_ON):

            def heard(module: nn.Module, _: object, output: object, name: str = name) -> None:
                if isinstance(output, Tensor) and output.dim() == 4:
                    layers.append(Layer(name, module, output))

            hooks.append(module.register_forward_hook(heard))
    try:
        with evaluating(model):
            output = model(inputs)
    finally:
        for hook in hooks:
            hook.remove()
    return output, layers


def stages(layers: list[Layer]) -> list[Stage]:
    """Return the first convolution, and the last layer of each stage from there on; none where there is none."""
    first = next((i for i, layer in enumerate(layers) if isinstance(layer.module, nn.Conv2d)), None)
    if first is None:
        return []
    alike = [layer for layer in layers if layer.values is layers[first].values]  # it, and what changed it in place
    chosen = [Stage(_stage_name(alike, []), layers[first].values)]
    start = 0
    for end, layer in enumerate(layers):
        if end + 1 < len(layers) and layers[end + 1].size == layer.size:
            continue
        stage, start = layers[start : end + 1], end + 1
        if end < first or layer.values is chosen[-1].values:
            continue
        name = _stage_name(stage, [each.name.split(", ")[0] for each in chosen])
        if len(chosen) == 1 and name.startswith(f"{chosen[0].name}, "):  # the first convolution is all there is to it
            chosen.pop()
        chosen.append(Stage(name, layer.values))
    return chosen


def last_places(layers: list[Layer]) -> Stage:
    """Return what the last convolution gives, after the ReLU, normalisation or sum that follows at its size.

    Where its maps are of one place, which says nothing of where, it is the last convolution of larger ones, if any.

    Raises:
        InputError: there is no convolution.
    """
    convolutions = [i for i, layer in enumerate(layers) if isinstance(layer.module, nn.Conv2d)]
    if not convolutions:
        raise InputError("the network has no convolution")
    end = last = max((i for i in convolutions if layers[i].size != (1, 1)), default=convolutions[-1])
    while end + 1 < len(layers) and layers[end + 1].size == layers[last].size:
        end += 1
    return Stage(_stage_name(layers[: end + 1], [layers[0].name]), layers[end].values)


def _stage_name(stage: list[Layer], named: list[str]) -> str:
    """Return what the last layer of `stage` is called.

    A layer with parameters of its own, or a block, has its own name, the outermost that no earlier stage lies in.
    One without, such as a ReLU, is named after the layer with parameters before it.
    """
    same = [layer for layer in stage if layer.values is stage[-1].values]
    inner = same[0]
    outer = [
        layer.name
        for layer in same
        if inner.name.startswith(layer.name + ".") and not any(each.startswith(layer.name + ".") for each in named)
    ]
    if outer:
        return outer[-1]
    if any(inner.module.children()) or any(True for _ in inner.module.parameters()):
        return inner.name
    before = [layer for layer in stage if any(True for _ in layer.module.parameters(recurse=False))]
    return f"{before[-1].name}, {type(inner.module).__name__.lower()}" if before else inner.name
