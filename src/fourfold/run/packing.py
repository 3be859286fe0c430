"""Weights of convolutions laid out once, as oneDNN wants them, for networks that only predict.

oneDNN computes with weights in blocks of the processor's vector length. From an ordinary tensor they are rearranged at
every call, which for one picture takes as long as a sixth of a ResNet.

Source: the operators that torch's own compiler packs weights with (torch/_inductor/fx_passes/mkldnn_fusion.py). Their
names are torch's own and may change, so what they give is compared, and without them nothing is packed.
Checked by: the network as it was, with every stride, padding, dilation and group, and pictures of another size.
"""

from typing import Any

import torch
from torch import Tensor, nn

TOLERANCE = 1e-4  # of the largest output; rounding stays far below it


class PackedConv2d(nn.Module):
    """A convolution that cannot be trained or saved.

    Args:
        convolution: what it computes; fp32, on the CPU, padded with zeros.
        size: of its usual inputs, `[batch, channels, height, width]`; others are right too, and may be slower.
    """

    def __init__(self, convolution: nn.Conv2d, size: list[int]) -> None:
        super().__init__()
        self.settings: list[Any] = [
            *([*pair] for pair in (convolution.padding, convolution.stride, convolution.dilation)),
            convolution.groups,
        ]
        self.bias = None if convolution.bias is None else convolution.bias.detach()
        internal: Any = torch._C
        weight = convolution.weight.detach().to_mkldnn()
        self.packed: Tensor = internal._nn.mkldnn_reorder_conv2d_weight(weight, *self.settings, size)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` as the convolution does."""
        return torch.ops.mkldnn._convolution_pointwise(x, self.packed, self.bias, *self.settings, "none", [], "")


@torch.no_grad()
def pack_(network: nn.Module, *example: Tensor) -> None:
    """Pack every 2-D convolution of a network in place; where this cannot be done it stays as it is.

    Args:
        network: in evaluation mode; nobody else's, for it cannot be trained or saved any more.
        example: its inputs, of one example or more.
    """
    if not torch.backends.mkldnn.is_available():
        return
    sizes: dict[str, list[int]] = {}
    plain = {name: module for name, module in network.named_modules() if _can_pack(module)}
    handles = [
        module.register_forward_pre_hook(lambda _, args, name=name: sizes.update({name: list(args[0].shape)}))
        for name, module in plain.items()
    ]
    expected = network(*example)
    for handle in handles:
        handle.remove()
    try:
        for name, size in sizes.items():
            network.set_submodule(name, PackedConv2d(plain[name], size))  # type: ignore[arg-type]
        found = network(*example)
        same = bool((found - expected).abs().max() <= TOLERANCE * expected.abs().max())
    except (AttributeError, RuntimeError, TypeError):  # another torch, which calls it by another name
        same = False
    if not same:
        for name in sizes:
            network.set_submodule(name, plain[name])


def _can_pack(module: nn.Module) -> bool:
    if type(module) is not nn.Conv2d or isinstance(module.padding, str) or module.padding_mode != "zeros":
        return False
    return module.weight.dtype == torch.float32 and module.weight.device.type == "cpu"
