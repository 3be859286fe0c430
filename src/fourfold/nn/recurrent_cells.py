"""The equations of recurrent cells, one step at a time, and the loop that unrolls them over a sequence.

Networks run torch's kernels for whole sequences (`nn.RNN`, `nn.LSTM`, `nn.GRU`), and train two of the cells on a
processor by `nn/recurrent_training.py`; both compute what stands here for reading, for checking, and for gates.

Papers: J. Elman, Finding structure in time, Cognitive Science 14, 1990 (`rnn_step`); S. Hochreiter and J. Schmidhuber,
Long short-term memory, Neural Computation 9(8), 1997, with the forget gate of F. Gers, J. Schmidhuber and F. Cummins,
Learning to forget, Neural Computation 12(10), 2000 (`lstm_step`); K. Cho et al., Learning phrase representations using
RNN encoder-decoder for statistical machine translation, EMNLP 2014, arXiv:1406.1078, equations 5 to 8 (`gru_step`).
Departures: two biases a gate, one beside each product, as torch's kernels have them; the papers have one, or none.
The LSTM has no peepholes, and one cell a memory block. The GRU's reset gate is applied after the product with the
previous state; the paper's equation 8 applies it before, which no fused kernel computes.
Checked by: torch.nn.RNN, LSTM and GRU with the same weights, outputs and gradients in float64, padded and not.
"""

from collections.abc import Callable
from contextlib import nullcontext
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from fourfold.nn.recurrent_training import Weights, suits, train_layers, weights_of

State = tuple[
    Tensor, ...
]  # hidden state; of an LSTM, hidden state and memory; each [layers * directions, batch, width]


def rnn_step(x: Tensor, state: State, w: Weights) -> State:
    """Return the next state of an Elman network from inputs `[batch, inputs]`."""
    (h,) = state
    return (torch.tanh(x @ w.w_x.T + w.b_x + h @ w.w_h.T + w.b_h),)


def lstm_step(x: Tensor, state: State, w: Weights) -> State:
    """Return the next hidden state and memory of an LSTM from inputs `[batch, inputs]`; gates are i, f, g, o."""
    h, c = state
    i, f, g, o = (x @ w.w_x.T + w.b_x + h @ w.w_h.T + w.b_h).chunk(4, dim=1)
    c = f.sigmoid() * c + i.sigmoid() * g.tanh()  # forget some of the memory, and let some of the new in
    return o.sigmoid() * c.tanh(), c


def gru_step(x: Tensor, state: State, w: Weights) -> State:
    """Return the next state of a GRU from inputs `[batch, inputs]`; gates are r, z, and the candidate n."""
    (h,) = state
    r_x, z_x, n_x = (x @ w.w_x.T + w.b_x).chunk(3, dim=1)
    r_h, z_h, n_h = (h @ w.w_h.T + w.b_h).chunk(3, dim=1)
    r, z = (r_x + r_h).sigmoid(), (z_x + z_h).sigmoid()  # Eq. 5 and 6
    n = torch.tanh(n_x + r * n_h)  # Eq. 8, with r after the product
    return ((1 - z) * n + z * h,)  # Eq. 7


STEPS: dict[type[nn.RNNBase], Callable[[Tensor, State, Weights], State]] = {
    nn.RNN: rnn_step,
    nn.LSTM: lstm_step,
    nn.GRU: gru_step,
}


Sequences = TypeVar("Sequences", Tensor, PackedSequence)


def run_layers(layers: nn.RNNBase, x: Sequences, state: State | None = None) -> tuple[Sequences, State]:
    """Return the last layer's states and each layer's state after the last step, the fastest way there is.

    Under bf16 autocast an LSTM stays in float32 on processors that cannot multiply bf16 themselves: torch has no kernel
    for them, where for the other cells it has.

    Args:
        layers: an nn.RNN, nn.LSTM or nn.GRU, batch first.
        x: inputs, `[batch, time, inputs]`, or packed.
        state: before the first step; None: zeros.
    """
    data = x.data if isinstance(x, PackedSequence) else x
    if isinstance(x, Tensor) and suits(layers, x):
        states, ends = train_layers(layers, x, None if state is None else state[0])
        return states, (ends,)
    with _float32() if isinstance(layers, nn.LSTM) and _lacks_bf16_kernel(data.device) else nullcontext():
        given = state if state is None or isinstance(layers, nn.LSTM) else state[0]
        states, after = layers(x, given)
    return states, after if isinstance(after, tuple) else (after,)


def _lacks_bf16_kernel(device: torch.device) -> bool:
    if device.type != "cpu" or not torch.is_autocast_enabled("cpu"):
        return False
    return not (torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def _float32() -> torch.autocast:
    return torch.autocast("cpu", enabled=False)


def unroll(layers: nn.RNNBase, x: Tensor, state: State, lengths: Tensor | None = None) -> tuple[Tensor, State]:
    """Compute by the equations above what torch's kernels compute, without dropout.

    Args:
        layers: an nn.RNN, nn.LSTM or nn.GRU; its weights are used.
        x: inputs, `[batch, time, inputs]`.
        state: before the first step of each layer and direction.
        lengths: real steps of each row, int64 `[batch]`; None: all. A state stands still where its row has ended, so
            that the backward direction begins at a row's last real step.

    Returns:
        The last layer's states, `[batch, time, directions * width]`, zero where a row has ended, and each layer's
        state after its last real step.
    """
    step, time = STEPS[type(layers)], x.shape[1]
    directions = 2 if layers.bidirectional else 1
    lengths = torch.full((len(x),), time, device=x.device) if lengths is None else lengths
    real = (torch.arange(time, device=x.device) < lengths[:, None]).unsqueeze(2)  # [batch, time, 1]
    ends: list[State] = []
    for layer in range(layers.num_layers):
        sides: list[Tensor] = []
        for direction in range(directions):
            weights = weights_of(layers, layer, backward=direction == 1)
            now: State = tuple(part[layer * directions + direction] for part in state)
            states: list[Tensor] = [x.new_empty(0)] * time
            for t in reversed(range(time)) if direction == 1 else range(time):
                following = step(x[:, t], now, weights)
                now = tuple(torch.where(real[:, t], new, old) for new, old in zip(following, now, strict=True))
                states[t] = now[0] * real[:, t]
            sides.append(torch.stack(states, dim=1))
            ends.append(now)
        x = torch.cat(sides, dim=2)
    return x, tuple(torch.stack(parts) for parts in zip(*ends, strict=True))
