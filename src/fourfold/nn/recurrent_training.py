"""Backpropagation through time written out, for training Elman networks and GRUs on a processor.

torch's kernels for these cells take dozens of small operations a step, forward and again backward. Here a step back is
three: with all states known, what the gradient of a state is multiplied by at each gate is one tensor for all steps,
and the gradient of the weights is one product over all steps.

    RNN   a_t = W_x x_t + W_h h_{t-1},  h_t = tanh(a_t)
          dL/da_t = dL/dh_t (1 - h_t^2)
    GRU   h_t = (1 - z_t) n_t + z_t h_{t-1},  n_t = tanh(a_t),  a_t = W_nx x_t + r_t m_t,  m_t = W_nh h_{t-1}
          dL/da_t = dL/dh_t (1 - z_t) (1 - n_t^2)
          dL/dm_t = dL/da_t r_t
          before the sigmoid of r:  dL/da_t m_t r_t (1 - r_t)
          before the sigmoid of z:  dL/dh_t (h_{t-1} - n_t) z_t (1 - z_t)

Under autocast the products take bf16, and what is kept for the way back is bf16; a GRU's state on its way forward and
the gradient on its way back are carried in float32.

Source: P. Werbos, Backpropagation through time: what it does and how to do it, Proceedings of the IEEE 78(10), 1990;
cells as in `nn/recurrent_cells.py`.
Checked by: torch.nn.RNN and GRU, outputs and gradients in float64; gradcheck.
"""

from typing import Any, ClassVar, NamedTuple

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn import functional as F


class Weights(NamedTuple):
    """One layer's weights in one direction; the gates stand below each other in `gates * width` rows."""

    w_x: Tensor  # [gates * width, inputs]
    w_h: Tensor  # [gates * width, width]
    b_x: Tensor  # [gates * width]
    b_h: Tensor  # [gates * width]


def weights_of(layers: nn.RNNBase, layer: int, backward: bool) -> Weights:
    """Return the weights of one layer of torch's, in one direction."""
    end = f"l{layer}" + ("_reverse" if backward else "")
    return Weights(*(getattr(layers, f"{kind}_{end}") for kind in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")))


def suits(layers: nn.RNNBase, x: Tensor) -> bool:
    """Return whether a network's training steps on these inputs are computed here: torch's kernel knows more forms."""
    return (
        isinstance(layers, nn.RNN | nn.GRU)
        and getattr(layers, "nonlinearity", "tanh") == "tanh"
        and x.device.type == "cpu"
        and torch.is_grad_enabled()
        and x.shape[1] > 1
        and not torch.compiler.is_compiling()
        and not torch._C._are_functorch_transforms_active()
    )


def train_layers(layers: nn.RNNBase, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the last layer's states, `[batch, time, directions * width]`, and each layer's after its last step.

    Args:
        layers: an nn.RNN or nn.GRU, batch first.
        x: inputs, `[batch, time, inputs]`.
        state: before the first step, `[layers * directions, batch, width]`; None: zeros.
    """
    sequence = _GRUSequence if isinstance(layers, nn.GRU) else _RNNSequence
    directions = 2 if layers.bidirectional else 1
    if state is None:
        like = next(layers.parameters())
        state = like.new_zeros(layers.num_layers * directions, len(x), layers.hidden_size)
    x = x.transpose(0, 1)  # a step's rows beside each other
    ends: list[Tensor] = []
    for layer in range(layers.num_layers):
        if layer and layers.dropout:
            x = F.dropout(x, layers.dropout, layers.training)
        sides: list[Tensor] = []
        for direction in range(directions):
            w = weights_of(layers, layer, backward=direction == 1)
            gates = F.linear(x.flip(0) if direction else x, w.w_x, w.b_x)
            states = sequence.apply(gates, state[layer * directions + direction], w.w_h, w.b_h)
            ends.append(states[-1])
            sides.append(states.flip(0) if direction else states)
        x = torch.cat(sides, dim=2) if directions == 2 else sides[0]
    return x.transpose(0, 1), torch.stack(ends)


class _Sequence(torch.autograd.Function):
    """One layer over all steps; what a cell adds to it is `_states` and, for the way back, `_slopes`."""

    gates: ClassVar[int]

    @classmethod
    def _states(cls, gates: Tensor, states: Tensor, start: Tensor, w: Tensor, b: Tensor) -> list[Tensor]:
        """Fill in `states[1:]`, and return what `_slopes` needs beside them."""
        raise NotImplementedError

    @classmethod
    def _slopes(cls, states: Tensor, kept: list[Tensor]) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Return what the gradient of each state is multiplied by.

        Returns:
            For the gradient of `W_h h + b_h`, `[time, batch, gates, width]`; for that of the state before, as far as it
            does not go through `W_h`, `[time, batch, width]`; for that of `W_x x + b_x` at the last gate, where it
            differs from that of `W_h h + b_h`.
        """
        raise NotImplementedError

    @classmethod
    def forward(cls, ctx: Any, gates: Tensor, start: Tensor, w: Tensor, b: Tensor) -> Tensor:  # type: ignore[override]
        states = gates.new_empty(len(gates) + 1, *start.shape)
        states[0] = start
        with torch.autocast("cpu", enabled=False):
            kept = cls._states(gates, states, start, w.to(gates.dtype), b.to(gates.dtype))
        ctx.save_for_backward(states, w, *kept)
        return states[1:]

    @classmethod
    @once_differentiable
    def backward(cls, ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:  # type: ignore[override]
        states, w, *kept = ctx.saved_tensors
        (time, batch, width), low_w = grad.shape, w.to(states.dtype)
        grad = grad.to(w.dtype).contiguous()
        to_gates, to_state, to_inputs = cls._slopes(states, kept)
        d_gates, d_states = torch.empty_like(to_gates), torch.empty_like(states[1:])
        carried = torch.zeros_like(grad[0])
        for t in reversed(range(time)):
            d_h = carried.add_(grad[t])
            d_states[t] = d_h
            torch.mul(to_gates[t], d_states[t].unsqueeze(1), out=d_gates[t])
            carried = (d_gates[t].view(batch, -1) @ low_w).to(w.dtype)
            if to_state is not None:
                carried.addcmul_(to_state[t].to(w.dtype), d_h)
        flat = d_gates.view(time * batch, -1)
        d_w = flat.T @ states[:-1].reshape(time * batch, width)
        d_b = flat.sum(0, dtype=w.dtype)
        if to_inputs is not None:
            torch.mul(to_inputs, d_states, out=d_gates[:, :, -1])
        return d_gates.view(time, batch, -1), carried, d_w.to(w.dtype), d_b


class _RNNSequence(_Sequence):
    gates = 1

    @classmethod
    def _states(cls, gates: Tensor, states: Tensor, start: Tensor, w: Tensor, b: Tensor) -> list[Tensor]:
        gates = gates + b
        for t in range(len(gates)):
            torch.tanh(torch.addmm(gates[t], states[t], w.T), out=states[t + 1])
        return []

    @classmethod
    def _slopes(cls, states: Tensor, kept: list[Tensor]) -> tuple[Tensor, Tensor | None, Tensor | None]:
        return states[1:].square().neg_().add_(1).unsqueeze(2), None, None


class _GRUSequence(_Sequence):
    gates = 3

    @classmethod
    def _states(cls, gates: Tensor, states: Tensor, start: Tensor, w: Tensor, b: Tensor) -> list[Tensor]:
        time, batch, width = len(gates), *start.shape
        r_z, m_n = gates.new_empty(time, batch, 2 * width), gates.new_empty(2, time, batch, width)
        h = start
        for t in range(time):
            products = torch.addmm(b, states[t], w.T)
            torch.add(gates[t, :, : 2 * width], products[:, : 2 * width], out=r_z[t]).sigmoid_()
            m_n[0, t] = m = products[:, 2 * width :]
            n = torch.addcmul(gates[t, :, 2 * width :], r_z[t, :, :width], m, out=m_n[1, t]).tanh_()
            h = torch.lerp(n.to(h.dtype), h, r_z[t, :, width:].to(h.dtype))
            states[t + 1] = h
        return [r_z, *m_n]

    @classmethod
    def _slopes(cls, states: Tensor, kept: list[Tensor]) -> tuple[Tensor, Tensor | None, Tensor | None]:
        (r, z), m, n = kept[0].chunk(2, dim=2), *kept[1:]
        time, batch, width = m.shape
        to_gates = m.new_empty(time, batch, 3, width)
        to_n = n.square().neg_().add_(1).mul_(1 - z)
        to_m = torch.mul(to_n, r, out=to_gates[:, :, 2])
        torch.mul(to_m, m, out=to_gates[:, :, 0]).mul_(1 - r)
        torch.sub(states[:-1], n, out=to_gates[:, :, 1]).mul_(z).mul_(1 - z)
        return to_gates, z, to_n
