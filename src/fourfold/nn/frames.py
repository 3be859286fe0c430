"""How many numbers convolutions leave of a picture.

Checked by: the networks that are built with it.
"""

from torch import nn

from fourfold.core.errors import InputError


def flat_features(layers: nn.Sequential, height: int, width: int, who: str) -> int:
    """Return the numbers that convolutions without padding leave of a picture.

    Raises:
        InputError: the picture is too small for `who`.
    """
    size, channels = [height, width], 0
    for layer in layers:
        if isinstance(layer, nn.Conv2d):
            size = [(n - k) // s + 1 for n, k, s in zip(size, layer.kernel_size, layer.stride, strict=True)]
            channels = layer.out_channels
    if min(size) < 1:
        raise InputError(f"model: {who} needs larger pictures than {height}x{width}")
    return channels * size[0] * size[1]
