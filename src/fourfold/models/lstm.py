"""Long short-term memory: a memory that is only ever added to and faded, beside the state that others see.

    i_t = sigmoid(W_ix x_t + W_ih h_{t-1} + b_i)                    input gate: how much of the new is let in
    f_t = sigmoid(W_fx x_t + W_fh h_{t-1} + b_f)                    forget gate: how much of the memory stays
    g_t = tanh(W_gx x_t + W_gh h_{t-1} + b_g)                       the new
    o_t = sigmoid(W_ox x_t + W_oh h_{t-1} + b_o)                    output gate: how much of the memory is shown
    c_t = f_t c_{t-1} + i_t g_t
    h_t = o_t tanh(c_t)

Papers: S. Hochreiter and J. Schmidhuber, Long short-term memory, Neural Computation 9(8), 1997; the forget gate is of
F. Gers, J. Schmidhuber and F. Cummins, Learning to forget, Neural Computation 12(10), 2000, and its bias starts at 1,
as R. Jozefowicz, W. Zaremba and I. Sutskever, An empirical exploration of recurrent network architectures, ICML 2015,
found to be best (Gers has it start positive too).
Departures: the gradient runs through every step, where the paper of 1997 cuts it at the gates; one cell a memory block;
no peepholes, which came later; tanh for the paper's wider squashing functions; each bias is a sum of two, as torch has
it. All else is drawn uniformly within 1/sqrt(width), torch's own way.
Checked by: torch.nn.LSTM with copied weights; the equations, step by step; parameters by hand.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import nn

from fourfold.models.recurrent import RecurrentConfig, RecurrentNetwork
from fourfold.nn.heads import Reads
from fourfold.tasks.inputs import Series, Tokens
from fourfold.tasks.seam import Spec


class LSTMConfig(RecurrentConfig):
    """Fields of `model: lstm`."""

    name: Literal["lstm"] = "lstm"
    forget_bias: float = Field(
        default=1.0, ge=-10, le=10, description="where the forget gate's bias starts; above 0 it keeps more at first"
    )

    def build(self, spec: Spec) -> "LSTM":
        """Return the network; the data must give texts or series."""
        inputs, num_outputs, reads = self.checked(spec)
        return LSTM(
            inputs,
            num_outputs,
            reads,
            self.width,
            self.layers,
            self.bidirectional,
            self.embedding,
            self.dropout,
            self.forget_bias,
        )


class LSTM(RecurrentNetwork):
    """A recurrent network of memory cells.

    Args:
        inputs: as for `RecurrentNetwork`, and so are those that follow.
        num_outputs: of the task.
        reads: which states count.
        width: numbers in a layer's state.
        layers: one above the other.
        bidirectional: whether a second network in each layer reads from the end.
        embedding: numbers that stand for a token.
        dropout: probability that a number is silenced, in training.
        forget_bias: where the forget gate's bias starts.
    """

    kernel = nn.LSTM
    num_states = 2

    def __init__(
        self,
        inputs: Tokens | Series,
        num_outputs: int,
        reads: Reads,
        width: int = 128,
        layers: int = 1,
        bidirectional: bool = False,
        embedding: int | None = None,
        dropout: float = 0.0,
        forget_bias: float = 1.0,
    ) -> None:
        super().__init__(inputs, num_outputs, reads, width, layers, bidirectional, embedding, dropout)
        start_forget_gates_(self.layers, forget_bias)


@torch.no_grad()
def start_forget_gates_(layers: nn.RNNBase, value: float) -> None:
    """Set each forget gate's bias, the sum of torch's two, to `value`."""
    width = layers.hidden_size
    for name, param in layers.named_parameters():
        if name.startswith("bias"):
            param[width : 2 * width] = value if name.startswith("bias_ih") else 0.0  # gates stand as i, f, g, o
