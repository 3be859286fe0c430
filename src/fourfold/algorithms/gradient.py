"""The gradient of one batch, left in the parameters: at once, or in micro-batches and by several processes.

What is differentiated is the sum of the loss over examples. Who is called returns with the loss the factor `1 / count`
that makes its gradient that of the mean over the whole batch, however unequal pieces and shares are.

Checked by: the steps of a batch in pieces and in processes are those of the whole batch.
"""

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from fourfold.algorithms.micro_batches import cut_batch
from fourfold.tasks.seam import Batch, Loss, LossValue, Plan


class Gradient:
    """The gradient in one piece.

    Args:
        network: the model, compiled if the plan says so.
        loss: summed over examples.
        plan: gives autocast, device and processes.
    """

    def __init__(self, network: nn.Module, loss: Loss, plan: Plan) -> None:
        self.loss, self.plan = loss, plan
        compiled: Any = torch.compile(network) if plan.compile == "model" else network
        self.forward: Any = plan.processes.parallel(compiled)
        self._scales: dict[int, Tensor] = {}  # count -> 1 / count

    def __call__(self, batch: Batch) -> tuple[LossValue, Tensor]:
        """Add it to every parameter's `.grad`, and return the loss and `[1]`, what makes it that of the mean."""
        with self.plan.autocast():
            value = self.loss(self.forward(*batch.inputs), batch)
        value.total.backward()
        parts = {name: term.detach() for name, term in value.parts.items()}
        return LossValue(value.total.detach(), value.count, parts), self._over(value.count)

    def in_pieces(self, batch: Batch) -> tuple[LossValue, Tensor]:
        """Do the same from micro-batches and processes of unequal counts."""
        processes, pieces = self.plan.processes, cut_batch(batch, self.plan.accumulate)
        total, count = torch.zeros((), device=self.plan.device), torch.zeros((), device=self.plan.device)
        parts: dict[str, Tensor] = {}
        for i, piece in enumerate(pieces):
            last = i == len(pieces) - 1
            with processes.accumulating(self.forward) if not last else nullcontext(), self.plan.autocast():
                value = self.loss(self.forward(*piece.inputs), piece)
                value.total.backward()
            total, count = total + value.total.detach(), count + value.count
            parts |= {name: parts.get(name, 0) + term.detach() for name, term in value.parts.items()}
        processes.sum([total, count, *parts.values()])
        return LossValue(total, count, parts), processes.count * self._over(count)  # DDP left the mean over processes

    def _over(self, count: int | Tensor) -> Tensor:
        """Return 1 / count as `[1]`: what turns the gradient of the sum into that of the mean."""
        if not isinstance(count, int):
            return (1 / count.float()).reshape(1)
        scale = self._scales.get(count)
        if scale is None:
            scale = self._scales[count] = torch.full((1,), 1 / max(count, 1), device=self.plan.device)
        return scale
