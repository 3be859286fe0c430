"""Weights of convolutions and large linear layers laid out once, as oneDNN wants them, for networks that only predict.

oneDNN computes with weights in blocks of the processor's vector length. From an ordinary tensor they are rearranged at
every call, which for one picture takes as long as a sixth of a ResNet. torch gives linear layers to MKL, which on
processors not of Intel's leaves half of their vector length unused: on Zen 5, packed layers take 0.3 to 0.5 of its time
from two examples on, and 0.7 for one where weights come from memory. A call costs 20 microseconds, which small layers
would feel.

Source: the operators that torch's own compiler packs weights with (torch/_inductor/fx_passes/mkldnn_fusion.py). Their
names are torch's own and may change, so what they give is compared, and without them nothing is packed.
Checked by: the network as it was, with every stride, padding, dilation and group, and inputs of another size.
"""

import copy
import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

TOLERANCE = 1e-4  # of the largest output; rounding stays far below it
LARGE = 1 << 18  # numbers in a linear layer's weight


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

    def forward(self, input: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` as the convolution does, whose names are kept for calls by keyword."""
        return torch.ops.mkldnn._convolution_pointwise(input, self.packed, self.bias, *self.settings, "none", [], "")


class PackedLinear(nn.Module):
    """A linear layer that cannot be trained or saved.

    Args:
        linear: what it computes; fp32, on the CPU.
        rows: examples, or their places, in its usual inputs; other numbers are right too, and may be slower.
    """

    def __init__(self, linear: nn.Linear, rows: int) -> None:
        super().__init__()
        self.weight, self.bias = linear.weight, linear.bias  # a network's code may look at them
        self.packed: Tensor = torch.ops.mkldnn._reorder_linear_weight(linear.weight.detach(), rows)

    def forward(self, input: Tensor) -> Tensor:
        """Map `[…, in]` to `[…, out]` as the layer does."""
        return torch.ops.mkldnn._linear_pointwise(input, self.packed, self.bias, "none", [], "")


def packed(network: nn.Module, *example: Tensor) -> nn.Module:
    """Return a network with every 2-D convolution and large linear layer packed.

    Args:
        network: in evaluation mode; it is not changed.
        example: its inputs, of one example or more.

    Returns:
        One that shares its other parameters, and cannot be trained or saved; or the network itself where there is
        nothing to pack, or it cannot be done.
    """
    if not torch.backends.mkldnn.is_available() or not any(_can_pack(module) for module in network.modules()):
        return network
    shared = {id(tensor): tensor for tensor in (*network.parameters(), *network.buffers())}
    try:
        changed = _pack(copy.deepcopy(network, shared), example)  # type: ignore[arg-type]
    except Exception:  # another torch, which calls it by another name, or a network that refuses made-up inputs
        return network
    return changed or network


@torch.no_grad()
def _pack(network: nn.Module, example: tuple[Tensor, ...]) -> nn.Module | None:
    """Return the network with its layers replaced, or None where it then answers differently."""
    sizes: dict[str, list[int]] = {}
    plain = {name: module for name, module in network.named_modules() if _can_pack(module)}

    def hear(name: str) -> Callable[..., None]:
        return lambda _, args, named: sizes.update({name: list((args or list(named.values()))[0].shape)})

    handles = [module.register_forward_pre_hook(hear(name), with_kwargs=True) for name, module in plain.items()]
    expected = network(*example)
    for handle in handles:
        handle.remove()
    for name, size in sizes.items():
        layer = plain[name]
        if isinstance(layer, nn.Conv2d):
            network.set_submodule(name, PackedConv2d(layer, size))
        else:
            assert isinstance(layer, nn.Linear)
            network.set_submodule(name, PackedLinear(layer, math.prod(size[:-1])))
    found = network(*example)
    return network if bool((found - expected).abs().max() <= TOLERANCE * expected.abs().max()) else None


def _can_pack(module: nn.Module) -> bool:
    if type(module) is nn.Linear:
        pays = module.weight.numel() >= LARGE
    elif type(module) is nn.Conv2d:
        pays = module.padding_mode == "zeros" and not isinstance(module.padding, str)
    else:
        return False
    return pays and module.weight.dtype == torch.float32 and module.weight.device.type == "cpu"
