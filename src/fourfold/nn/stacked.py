"""Many networks of one shape as one: every parameter and every batch has a leading axis, the stack.

One call of a matrix product serves all networks, so a stack of small ones costs little more than one of them. A model
offers this as `forward_stacked(params, x)`, a twin of its `forward` that takes the parameters as an argument, and a
loss as `totals(output, targets)`; what has no twin is mapped over the stack by `torch.func.vmap`, which gives the same
numbers and takes a millisecond a call.

Checked by: each network of the stack against the model alone, and each loss, values and gradients.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from fourfold.tasks.seam import Batch, Loss


@runtime_checkable
class HasStackedForward(Protocol):
    """A model with a twin for stacks."""

    def forward_stacked(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Return what each network of a stack makes of its own batch.

        Args:
            params: every parameter by its name in the model, `[stack, …]`.
            x: `[stack, batch, …]`.
        """
        ...


@runtime_checkable
class HasTotals(Protocol):
    """A loss with a twin for stacks."""

    def totals(self, output: Tensor, targets: Tensor) -> Tensor:
        """Return each network's summed loss, `[stack]`, from outputs and targets `[stack, batch, …]`."""
        ...


def linear_stacked(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return each network's affine map of its own rows, `[stack, batch, out]`.

    Args:
        x: `[stack, batch, in]`.
        weight: `[stack, out, in]`.
        bias: `[stack, out]`.
    """
    # Outputs lie feature by feature in memory: both this product and the gradients that autograd makes of it are then
    # in the order that is fast for few outputs, and the weights' gradient lies as the weights do.
    return torch.baddbmm(bias.unsqueeze(2), weight, x.mT).mT


def forward_stacked(model: nn.Module, params: Mapping[str, Tensor], inputs: tuple[Tensor, ...]) -> Tensor:
    """Return the outputs of a stack of networks like `model`, `[stack, batch, …]`.

    Args:
        model: any one of them; its own parameters are not used.
        params: every parameter by name, `[stack, …]`.
        inputs: what the model takes, each `[stack, batch, …]`.
    """
    if isinstance(model, HasStackedForward):
        return model.forward_stacked(params, *inputs)

    def alone(own: dict[str, Tensor], *x: Tensor) -> Tensor:
        return torch.func.functional_call(model, own, x)

    return torch.func.vmap(alone)(dict(params), *inputs)


def totals_stacked(loss: Loss, output: Tensor, targets: Tensor) -> Tensor:
    """Return the summed loss of each network of a stack, `[stack]`, from outputs and targets `[stack, batch, …]`."""
    if isinstance(loss, HasTotals):
        return loss.totals(output, targets)
    return torch.func.vmap(lambda own, its_targets: loss(own, Batch((), its_targets)).total)(output, targets)
