"""The gated recurrent unit: a state that is kept or replaced, number by number, by gates.

    r_t = sigmoid(W_rx x_t + W_rh h_{t-1})                          how much of the state the candidate sees
    z_t = sigmoid(W_zx x_t + W_zh h_{t-1})                          how much of the state is kept
    n_t = tanh(W_nx x_t + r_t (W_nh h_{t-1}))                       the candidate
    h_t = (1 - z_t) n_t + z_t h_{t-1}

It has three blocks of weights where an LSTM has four, and no memory beside its state.

Paper: K. Cho et al., Learning phrase representations using RNN encoder-decoder for statistical machine translation,
EMNLP 2014, arXiv:1406.1078, equations 5 to 8.
Departures: the reset gate multiplies W_nh h_{t-1}; in the paper it multiplies h_{t-1}, before the product. That is how
torch and cuDNN compute it, with which weights can be exchanged. Two biases beside each product, where the paper has
none. Weights and biases are drawn uniformly within 1/sqrt(width), torch's own way.
Checked by: torch.nn.GRU with copied weights; the equations, step by step; parameters by hand.
"""

from typing import Literal

from torch import nn

from fourfold.models.recurrent import RecurrentConfig, RecurrentNetwork
from fourfold.tasks.seam import Spec


class GRUConfig(RecurrentConfig):
    """Fields of `model: gru`."""

    name: Literal["gru"] = "gru"

    def build(self, spec: Spec) -> "GRU":
        """Return the network; the data must give texts or series."""
        inputs, num_outputs, reads = self.checked(spec)
        return GRU(
            inputs,
            num_outputs,
            reads,
            self.width,
            self.layers,
            self.bidirectional,
            self.embedding,
            self.dropout,
        )


class GRU(RecurrentNetwork):
    """A recurrent network of gated units; its arguments are `RecurrentNetwork`'s."""

    kernel = nn.GRU
