"""The base of all losses."""

from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from fourfold.core.config import PartConfig
from fourfold.core.errors import InputError
from fourfold.tasks.seam import Batch, LossValue, Spec

_HALF = (torch.bfloat16, torch.float16)


class Loss(nn.Module):
    """A loss: `loss(output, batch)` in a run, `loss(output, targets)` in a plain PyTorch loop.

    Both return a `LossValue`; `.mean` is the scalar to call `.backward()` on. Outputs of half precision are summed in
    float32.

    Attributes:
        couples_examples: whether an example's share depends on the others of its batch, so that pieces do not add up.
    """

    couples_examples: ClassVar[bool] = False

    def forward(self, output: Any, batch: Batch | Tensor) -> LossValue:
        """Return the loss summed over the batch, with its count."""
        if isinstance(output, Tensor) and output.dtype in _HALF:
            output = output.float()
        return self.evaluate(output, batch.targets if isinstance(batch, Batch) else batch)

    __call__ = forward  # nn.Module's own __call__ only adds hooks, which a loss has no use for

    def evaluate(self, output: Any, targets: Any) -> LossValue:
        """Return the loss of `output` against `targets`, summed over examples."""
        raise NotImplementedError


class LossConfig(PartConfig):
    """The fields of a loss."""

    def build(self, spec: Spec) -> Loss:
        """Return the loss for this data.

        Raises:
            InputError: the loss does not fit the task.
        """
        raise NotImplementedError


def same_shape(output: Tensor, targets: Tensor) -> None:
    """Raise InputError where `[batch, 1]` against `[batch]` would broadcast to `[batch, batch]` and still train."""
    if output.shape != targets.shape:
        raise InputError(f"outputs {list(output.shape)} and targets {list(targets.shape)} must have the same shape")
