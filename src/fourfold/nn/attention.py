"""Attention: each position takes a mean of values, weighted by how well its query fits their keys.

    Attention(Q, K, V) = softmax(Q K^T / sqrt(d_k)) V                                          Eq. 1
    MultiHead(X, Y) = Concat(head_1, …, head_h) W^O,   head_i = Attention(X W_i^Q, Y W_i^K, Y W_i^V)

`by_equation` is Eq. 1, to be read; it holds the weights, which is what a view of attention shows. `by_kernel` is
torch's fused kernel, which never holds them, so memory grows with the length and not with its square. `attend` takes
the faster one. `weights_of` listens to a network: inside it every layer uses the equation and tells its weights.

A mask is boolean and says what may be looked at, `[batch or 1, 1, queries, keys]`; no query is left with nothing.

Paper: Vaswani et al., Attention Is All You Need, NeurIPS 2017, section 3.2, arXiv:1706.03762.
Departures: projections may have biases, and weights dropout; the paper's have neither, what followed it mostly both.
Checked by: the equation against the kernel, outputs and gradients, with every mask; torch.nn.MultiheadAttention with
copied weights; step by step with a cache against all at once.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

NATIVE_BF16 = bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())  # of this CPU


def attention_weights(queries: Tensor, keys: Tensor, allowed: Tensor | None = None) -> Tensor:
    """Return softmax(Q K^T / sqrt(d_k)), `[batch, heads, queries, keys]`: each row sums to one."""
    scores = queries / math.sqrt(queries.shape[-1]) @ keys.transpose(-2, -1)
    if allowed is not None:
        scores = scores.masked_fill(~allowed, -math.inf)
    return scores.softmax(-1)


def by_equation(
    queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None = None, dropout: float = 0.0
) -> Tensor:
    """Return Eq. 1, `[batch, heads, queries, width]`, as it is written; arguments are those of `attend`."""
    return F.dropout(attention_weights(queries, keys, allowed), dropout) @ values


def by_kernel(
    queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None = None, dropout: float = 0.0
) -> Tensor:
    """Return the same by torch's fused kernel."""
    return F.scaled_dot_product_attention(queries, keys, values, allowed, dropout)


def attend(
    queries: Tensor,
    keys: Tensor,
    values: Tensor,
    allowed: Tensor | None = None,
    dropout: float = 0.0,
    causal: bool = False,
) -> Tensor:
    """Return Eq. 1, `[batch, heads, queries, width]`, by whichever form is faster.

    Args:
        queries: `[batch, heads, queries, width]`.
        keys: `[batch, heads, keys, width]`.
        values: `[batch, heads, keys, width]`.
        allowed: which keys each query may look at; all by default.
        dropout: share of the weights set to zero, drawn anew at each call.
        causal: whether a query sees only its own position and those before it; the last query is at the last key.
    """
    if causal and queries.shape[-2] == 1:  # the last position looks at everything
        causal = False
    if is_equation_faster(queries):
        return by_equation(queries, keys, values, _both(allowed, causal, queries, keys), dropout)
    if causal and allowed is None and queries.shape[-2] == keys.shape[-2]:  # without a mask to read it is twice as fast
        return F.scaled_dot_product_attention(queries, keys, values, dropout_p=dropout, is_causal=True)
    return by_kernel(queries, keys, values, _both(allowed, causal, queries, keys), dropout)


def is_equation_faster(queries: Tensor) -> bool:
    """Return whether Eq. 1 as it is written is faster than the kernel.

    So it is on a CPU, in bf16 that the processor multiplies itself, where a gradient follows: there the kernel's
    backward takes three times as long as in float32, and the equation's matrix products are at their best. Everywhere
    else the kernel is faster: in float32 1.3 to 2.7 times in training, and 1.6 to 4 times where no gradient follows.
    """
    return queries.device.type == "cpu" and queries.dtype == torch.bfloat16 and NATIVE_BF16 and torch.is_grad_enabled()


def causal_mask(queries: int, keys: int, device: torch.device | None = None) -> Tensor:
    """Return what the last `queries` of `keys` positions may look at, `[1, 1, queries, keys]`: nothing after them."""
    place = torch.arange(keys, device=device)
    return (place <= place[keys - queries :, None])[None, None]


def padding_mask(lengths: Tensor, longest: int) -> Tensor:
    """Return which of `longest` keys are real, `[batch, 1, 1, longest]`; an empty text keeps its first padding.

    Args:
        lengths: real positions of each row, int64 `[batch]`; padding follows.
        longest: positions of a row.
    """
    return (torch.arange(longest, device=lengths.device) < lengths.clamp(min=1)[:, None])[:, None, None]


def documents_mask(documents: Tensor) -> Tensor:
    """Return which positions are of the same text, `[batch, 1, length, length]`, of `documents [batch, length]`."""
    return (documents[:, :, None] == documents[:, None])[:, None]


def _both(allowed: Tensor | None, causal: bool, queries: Tensor, keys: Tensor) -> Tensor | None:
    if not causal:
        return allowed
    mask = causal_mask(queries.shape[-2], keys.shape[-2], queries.device)
    return mask if allowed is None else mask & allowed


class Cache(NamedTuple):
    """Keys and values of the positions so far, of one layer, with room for more."""

    keys: Tensor  # [batch, heads, room, width / heads]
    values: Tensor  # the same


class MultiHeadAttention(nn.Module):
    """Several attentions side by side, each in a part of the width.

    Args:
        width: numbers of a position, d_model; a multiple of `heads`.
        heads: attentions side by side.
        dropout: share of the weights set to zero in training.
        bias: whether projections have biases; the paper's have none.
    """

    heard: Callable[[Tensor], None] | None = None  # told the weights of each call, `[batch, heads, queries, keys]`

    def __init__(self, width: int, heads: int, dropout: float = 0.0, bias: bool = True) -> None:
        super().__init__()
        assert width % heads == 0, (width, heads)
        self.heads, self.dropout = heads, dropout
        self.inputs = nn.Linear(width, 3 * width, bias)  # W^Q, W^K and W^V of all heads, one below the other
        self.output = nn.Linear(width, width, bias)  # W^O

    def forward(
        self, x: Tensor, memory: Tensor | None = None, allowed: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """Return what each position of `x` takes from `memory`, or from `x` itself.

        Args:
            x: `[batch, queries, width]`.
            memory: `[batch, keys, width]`; None is self-attention.
            allowed: which keys each query may look at.
            causal: whether a position may look only at itself and those before it.
        """
        if memory is None:
            queries, keys, values = self._heads_of(self.inputs(x), 3)
            return self._look(queries, keys, values, allowed, causal)
        width = x.shape[-1]
        weight, others = self.inputs.weight.split((width, 2 * width))
        bias, other_biases = (None, None) if self.inputs.bias is None else self.inputs.bias.split((width, 2 * width))
        (queries,) = self._heads_of(F.linear(x, weight, bias), 1)
        keys, values = self._heads_of(F.linear(memory, others, other_biases), 2)
        return self._look(queries, keys, values, allowed, causal)

    def room(self, batch: int, positions: int, like: Tensor) -> Cache:
        """Return an empty cache for `extend`, for numbers of the type, and on the device, of `like`."""
        shape = (batch, self.heads, positions, self.inputs.weight.shape[1] // self.heads)
        return Cache(like.new_empty(shape), like.new_empty(shape))

    def extend(self, x: Tensor, cache: Cache, start: int) -> Tensor:
        """Return what new positions take from themselves and those before, and write them into the cache.

        Args:
            x: `[batch, new, width]`, the positions from `start` on.
            cache: of the positions before; it is changed.
            start: how many those are.
        """
        queries, keys, values = self._heads_of(self.inputs(x), 3)
        end = start + x.shape[1]
        cache.keys[:, :, start:end] = keys
        cache.values[:, :, start:end] = values
        return self._look(queries, cache.keys[:, :, :end], cache.values[:, :, :end], None, causal=True)

    def remember(self, memory: Tensor) -> Cache:
        """Return keys and values of `memory [batch, keys, width]`, for `recall`."""
        width = memory.shape[-1]
        bias = None if self.inputs.bias is None else self.inputs.bias[width:]
        return Cache(*self._heads_of(F.linear(memory, self.inputs.weight[width:], bias), 2))

    def recall(self, x: Tensor, cache: Cache, allowed: Tensor | None = None) -> Tensor:
        """Return what each position of `x [batch, queries, width]` takes from a memory whose keys are known."""
        width = x.shape[-1]
        bias = None if self.inputs.bias is None else self.inputs.bias[:width]
        (queries,) = self._heads_of(F.linear(x, self.inputs.weight[:width], bias), 1)
        return self._look(queries, cache.keys, cache.values, allowed)

    def _heads_of(self, x: Tensor, count: int) -> tuple[Tensor, ...]:
        """Cut `[batch, length, count * width]` into `count` of `[batch, heads, length, width / heads]`."""
        parts = x.unflatten(-1, (count, self.heads, -1)).unbind(2)  # parted so, their gradients are joined in one copy
        return tuple(part.transpose(1, 2) for part in parts)

    def _look(
        self, queries: Tensor, keys: Tensor, values: Tensor, allowed: Tensor | None, causal: bool = False
    ) -> Tensor:
        dropout = self.dropout if self.training else 0.0
        if self.heard is not None:
            weights = attention_weights(queries, keys, _both(allowed, causal, queries, keys))
            self.heard(weights.detach())
            found = F.dropout(weights, dropout) @ values
        else:
            found = attend(queries, keys, values, allowed, dropout, causal)
        return self.output(found.transpose(1, 2).flatten(2))  # [batch, queries, width]

    def extra_repr(self) -> str:
        return f"heads={self.heads}, dropout={self.dropout}"


@contextmanager
def weights_of(network: nn.Module) -> Iterator[dict[str, Tensor]]:
    """Listen to a network's attention: yields a mapping that fills while it runs, and is the last call's.

    Inside, each layer uses the equation, so outputs may differ by rounding. The keys are the names of the layers, such
    as `blocks.0.attention`, in the order in which they ran; a value is `[batch, heads, queries, keys]`.
    """
    found: dict[str, Tensor] = {}
    layers = {name: module for name, module in network.named_modules() if isinstance(module, MultiHeadAttention)}
    try:
        for name, layer in layers.items():
            layer.heard = lambda weights, name=name: found.__setitem__(name, weights)
        yield found
    finally:
        for layer in layers.values():
            layer.heard = None
