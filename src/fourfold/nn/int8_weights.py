"""Weights in 8 bits, for writing text on a CPU: each token reads every weight once, so half the bytes is half the time.

    w_ij ~ s_i q_ij,   s_i = max_j |w_ij| / 127,   q_ij = round(w_ij / s_i) in -127 … 127

Each output of a layer has a scale of its own; inputs and sums are bf16. For use only: there is no gradient.

Source: absmax quantization of Dettmers et al., LLM.int8(), NeurIPS 2022, section 3.1, arXiv:2208.07339; of weights
only, and without their outliers in 16 bits.
Checked by: the scheme number by number; a layer against the product in float64 of what it stores.
"""

from typing import Protocol, Self, runtime_checkable

import torch
from torch import Tensor, nn

LEVELS = 127


class Int8Linear(nn.Module):
    """A linear layer whose weights are stored in 8 bits.

    Args:
        weight: `[outputs, inputs]`, in any float type.
        bias: `[outputs]`, or None.
    """

    weight: Tensor  # int8 [outputs, inputs]
    scale: Tensor  # bf16 [outputs]
    bias: Tensor | None  # bf16 [outputs]

    def __init__(self, weight: Tensor, bias: Tensor | None = None) -> None:
        super().__init__()
        largest = weight.detach().float().abs().amax(1).clamp(min=1e-12)
        scale = (largest / LEVELS).bfloat16()  # rounded first, so that the levels are those of the scale that is used
        levels = (weight.detach().float() / scale.float().unsqueeze(1)).round().clamp(-LEVELS, LEVELS)
        self.register_buffer("weight", levels.to(torch.int8).contiguous())
        self.register_buffer("scale", scale)
        self.register_buffer("bias", None if bias is None else bias.detach().bfloat16())

    @classmethod
    def of(cls, layer: nn.Linear) -> Self:
        """Return the same layer in 8 bits."""
        return cls(layer.weight, layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map bf16 `[…, inputs]` to bf16 `[…, outputs]`."""
        found = torch._weight_int8pack_mm(x.flatten(0, -2), self.weight, self.scale)
        if self.bias is not None:
            found = found + self.bias
        return found.unflatten(0, x.shape[:-1])

    def extra_repr(self) -> str:
        return f"{self.weight.shape[1]}, {self.weight.shape[0]}"


@runtime_checkable
class TiedOutput(Protocol):
    """A network whose table of tokens is its output layer too, unless another is put in its place."""

    tokens: nn.Embedding
    head: nn.Module | None


def to_int8_(network: nn.Module) -> nn.Module:
    """Put a network's linear layers in 8 bits and all else in bf16, in place, and return it; it can only be used."""
    if isinstance(network, TiedOutput):
        network.head = Int8Linear(network.tokens.weight)
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is nn.Linear:
                setattr(module, name, Int8Linear.of(child))
    return network.bfloat16()
