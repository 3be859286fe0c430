"""The simple recurrent network: a state that is a nonlinear sum of the input and of itself one step before.

    h_t = tanh(W_x x_t + b_x + W_h h_{t-1} + b_h)

Paper: J. Elman, Finding structure in time, Cognitive Science 14(2), 1990.
Departures: tanh for the logistic; trained through all the steps it is given, where Elman stopped the gradient at the
step before; weights and biases are drawn uniformly within 1/sqrt(width), torch's own way; two biases, as torch has.
Checked by: torch.nn.RNN with copied weights; the equation, step by step; parameters by hand.
"""

from typing import Literal

from torch import nn

from fourfold.models.recurrent import RecurrentConfig, RecurrentNetwork
from fourfold.tasks.seam import Spec


class RNNConfig(RecurrentConfig):
    """Fields of `model: rnn`."""

    name: Literal["rnn"] = "rnn"

    def build(self, spec: Spec) -> "RNN":
        """Return the network; the data must give texts or series."""
        inputs, num_outputs, reads = self.checked(spec)
        return RNN(
            inputs,
            num_outputs,
            reads,
            self.width,
            self.layers,
            self.bidirectional,
            self.embedding,
            self.dropout,
        )


class RNN(RecurrentNetwork):
    """A recurrent network of Elman's cells; its arguments are `RecurrentNetwork`'s."""

    kernel = nn.RNN
