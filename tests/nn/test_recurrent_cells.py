"""The equations against torch's kernels: outputs, last states and gradients, in float64."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from fourfold.nn.recurrent_cells import State, gru_step, lstm_step, rnn_step, unroll, weights_of

KINDS = [nn.RNN, nn.LSTM, nn.GRU]
SHAPES = [(1, False), (1, True), (2, False), (3, True)]
BATCH, TIME, INPUTS, WIDTH = 4, 6, 3, 5


def layers_and_state(kind: type[nn.RNNBase], count: int, bidirectional: bool) -> tuple[nn.RNNBase, State]:
    torch.manual_seed(0)
    layers = kind(INPUTS, WIDTH, count, batch_first=True, bidirectional=bidirectional).double()
    size = (count * (1 + bidirectional), BATCH, WIDTH)
    return layers, tuple(torch.randn(size, dtype=torch.float64) for _ in range(2 if kind is nn.LSTM else 1))


def of_torch(layers: nn.RNNBase, x: Tensor, state: State, lengths: Tensor | None) -> tuple[Tensor, State]:
    packed = x if lengths is None else pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    outputs, after = layers(packed, state if len(state) == 2 else state[0])
    if lengths is not None:
        outputs = pad_packed_sequence(outputs, batch_first=True, total_length=TIME)[0]
    return outputs, after if isinstance(after, tuple) else (after,)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("lengths", [None, [2, 6, 1, 4]], ids=["full", "padded"])
@pytest.mark.parametrize(("count", "bidirectional"), SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_equations_are_what_torch_computes(kind, count, bidirectional, lengths) -> None:
    layers, state = layers_and_state(kind, count, bidirectional)
    lengths = None if lengths is None else torch.tensor(lengths)
    x = torch.randn(BATCH, TIME, INPUTS, dtype=torch.float64, requires_grad=True)
    found = []
    for run in (unroll, of_torch):
        outputs, after = run(layers, x, state, lengths)
        weight = torch.sin(torch.arange(outputs.numel(), dtype=torch.float64)).view_as(outputs)
        goal = (outputs * weight).sum() + sum((part**2).sum() for part in after)
        found.append([outputs, *after, *torch.autograd.grad(goal, [x, *layers.parameters()])])
    for ours, torchs in zip(*found, strict=True):
        torch.testing.assert_close(ours, torchs, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(
    ("step", "kind", "cell"),
    [(rnn_step, nn.RNN, nn.RNNCell), (lstm_step, nn.LSTM, nn.LSTMCell), (gru_step, nn.GRU, nn.GRUCell)],
)
def test_a_step_is_that_of_torchs_cell(step, kind, cell) -> None:
    layers, state = layers_and_state(kind, 1, False)
    weights = weights_of(layers, 0, backward=False)
    other = cell(INPUTS, WIDTH).double()
    for param, value in zip(other.parameters(), weights, strict=True):
        param.data.copy_(value)
    x, before = torch.randn(BATCH, INPUTS, dtype=torch.float64), tuple(part[0] for part in state)
    theirs = other(x, before if len(before) == 2 else before[0])
    for ours, expected in zip(step(x, before, weights), theirs if len(before) == 2 else (theirs,), strict=True):
        torch.testing.assert_close(ours, expected, rtol=1e-12, atol=1e-14)


def test_a_memory_with_open_forget_and_closed_input_gates_stays() -> None:
    layers, state = layers_and_state(nn.LSTM, 1, False)
    with torch.no_grad():
        for param in layers.parameters():
            param.zero_()
        layers.bias_ih_l0[:WIDTH], layers.bias_ih_l0[WIDTH : 2 * WIDTH] = -50, 50
    _, (_, memory) = unroll(layers, torch.randn(BATCH, 100, INPUTS, dtype=torch.float64), state)
    torch.testing.assert_close(memory, state[1], rtol=1e-12, atol=0)
