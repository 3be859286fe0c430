"""How a sequence of states becomes an output: scores at each token, or one row for the whole of it.

    each    an affine map of the state at each token
    last    of the state after the last real token; of two directions, each one's own last state
    mean    of the mean over real tokens
    first   of the state at the first token, which BERT trains for this

Checked by: each way by hand, with and without padding; what stands in the padding changes nothing.
"""

from typing import Literal

import torch
from torch import Tensor, nn

from fourfold.tasks.seam import Spec
from fourfold.tasks.tokens import TokenSpec

RowReads = Literal["last", "mean", "first"]
Reads = Literal["each", "last", "mean", "first"]


def reads_for(spec: Spec, row: RowReads) -> Reads:
    """Return how the states of a sequence are read for a task: each of them, or one row in the way of `row`."""
    return "each" if isinstance(spec, TokenSpec) else row


def read_states(states: Tensor, lengths: Tensor | None, reads: Reads, bidirectional: bool = False) -> Tensor:
    """Return what an output is made of, `[batch, width]`, or the states as they are for "each".

    Args:
        states: `[batch, length, width]`.
        lengths: real tokens of each row, int64 `[batch]`; None: all.
        reads: see above.
        bidirectional: whether the second half of a state is of a network that reads from the end.
    """
    if reads == "each":
        return states
    if reads == "first":
        return states[:, 0]
    if reads == "mean":
        return mean_state(states, lengths)
    return last_state(states, lengths, bidirectional)


def mean_state(states: Tensor, lengths: Tensor | None) -> Tensor:
    """Return the mean of `[batch, length, width]` over each row's real tokens, `[batch, width]`."""
    if lengths is None:
        return states.mean(1)
    real = torch.arange(states.shape[1], device=states.device) < lengths[:, None]  # [batch, length]
    return (states * real.unsqueeze(2)).sum(1) / lengths.clamp(min=1).unsqueeze(1).to(states.dtype)


def last_state(states: Tensor, lengths: Tensor | None, bidirectional: bool = False) -> Tensor:
    """Return the state after each row's last real token, `[batch, width]`.

    Of two directions the second half is the backward one's last state, which stands at the first token.
    """
    if lengths is None:
        last = states[:, -1]
    else:
        rows = torch.arange(len(states), device=states.device)
        last = states[rows, (lengths - 1).clamp(min=0)]
    if not bidirectional:
        return last
    half = states.shape[2] // 2
    return torch.cat([last[:, :half], states[:, 0, half:]], dim=1)


class SequenceHead(nn.Module):
    """An affine map from the states of a sequence to a task's outputs.

    Args:
        width: numbers in a state.
        num_outputs: of the task, for each token or for each row.
        reads: which states count.
        bidirectional: whether the second half of a state is of a network that reads from the end.
    """

    def __init__(self, width: int, num_outputs: int, reads: Reads, bidirectional: bool = False) -> None:
        super().__init__()
        self.reads: Reads = reads
        self.bidirectional = bidirectional
        self.out = nn.Linear(width, num_outputs)

    def forward(self, states: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Map `[batch, length, width]` to `[batch, length, outputs]` for "each", else to `[batch, outputs]`."""
        return self.out(read_states(states, lengths, self.reads, self.bidirectional))

    def extra_repr(self) -> str:
        return f"reads={self.reads}"
