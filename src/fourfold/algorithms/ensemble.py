"""Several networks that answer as one.

Checked by: its members' outputs combined by hand; ONNX; a saved ensemble answers as the trained one.
"""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

Combine = Callable[[Tensor, Tensor], Tensor]  # outputs [members, batch, outputs], weights [members] -> one output


class Ensemble(nn.Module):
    """Networks of the same inputs and outputs, and how much each has to say.

    Args:
        members: the networks.
        combine: one of `algorithms.combining`.

    Attributes:
        weights: float32 `[members]`, a buffer; 0 is for a member that does not count. At first only member 0 does.
    """

    weights: Tensor

    def __init__(self, members: Iterable[nn.Module], combine: Combine) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.combine = combine
        self.register_buffer("weights", torch.zeros(len(self.members)))
        self.weights[0] = 1

    def forward(self, *inputs: Tensor) -> Tensor:
        """Map `[batch, …]` to `[batch, outputs]`; a single member answers for itself, to the bit."""
        if len(self.members) == 1:
            return self.members[0](*inputs)
        outputs = torch.stack([member(*inputs).float() for member in self.members])  # [members, batch, outputs]
        return self.combine(outputs, self.weights)
