"""Many networks of one shape as one: every parameter and every batch has a leading axis, the stack.

One call of a matrix product serves all networks, so a stack of small ones costs little more than one of them. A model
offers this as `forward_stacked`, a twin of its `forward` that takes the parameters as an argument, and a loss as
`totals`; what has no twin is mapped over the stack by `torch.func.vmap`, which gives the same numbers and takes a
millisecond a call. Where both also offer gradients derived by hand, a step is spared autograd's bookkeeping, a third of
a millisecond, and a gradient is written to where it is needed.

Checked by: each network of the stack against the model alone, and each loss; autograd, for gradients by hand.
"""

from collections.abc import Callable, Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from fourfold.nn.activations import LEAK
from fourfold.tasks.seam import Batch, Loss

Objective = Callable[[Tensor], tuple[Tensor, Tensor]]  # outputs -> each network's loss [stack], gradient of the outputs


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
class HasStackedGradients(Protocol):
    """A model whose gradients are derived by hand."""

    def gradients_stacked(
        self, params: Mapping[str, Tensor], x: Tensor, objective: Objective, into: Mapping[str, Tensor]
    ) -> Tensor:
        """Write the gradient of each network's loss to `into`, and return the losses, `[stack]`.

        Args:
            params: every parameter by its name in the model, `[stack, …]`.
            x: `[stack, batch, …]`.
            objective: the losses of outputs, and their gradient.
            into: for each parameter, where its gradient goes, `[stack, …]`.
        """
        ...


@runtime_checkable
class HasTotals(Protocol):
    """A loss with a twin for stacks."""

    def totals(self, output: Tensor, targets: Tensor) -> Tensor:
        """Return each network's summed loss, `[stack]`, from outputs and targets `[stack, batch, …]`."""
        ...


@runtime_checkable
class HasTotalsAndGradient(Protocol):
    """A loss whose gradient is derived by hand."""

    def totals_and_gradient(self, output: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return each network's summed loss, `[stack]`, and its gradient at the outputs, `[stack, batch, …]`."""
        ...


def linear_stacked(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Return each network's affine map of its own rows, `[stack, batch, out]`.

    Args:
        x: `[stack, batch, in]`.
        weight: `[stack, out, in]`.
        bias: `[stack, out]`.
    """
    # Outputs lie feature by feature in memory: both this product and those of the gradients are then in the order that
    # is fast for few outputs, and the weights' gradient lies as the weights do.
    return torch.baddbmm(bias.unsqueeze(2), weight, x.mT).mT


def linear_stacked_backward(grad: Tensor, x: Tensor, into_weight: Tensor, into_bias: Tensor) -> None:
    """Write the gradients of weight and bias, from that of the outputs, `[stack, batch, out]`."""
    torch.bmm(grad.mT, x, out=into_weight)
    torch.sum(grad, 1, out=into_bias)


def linear_stacked_backward_input(grad: Tensor, weight: Tensor) -> Tensor:
    """Return the gradient of the inputs, `[stack, batch, in]`, from that of the outputs."""
    return torch.bmm(weight.mT, grad.mT).mT


def activation_backward(layer: nn.Module, grad: Tensor, x: Tensor, y: Tensor) -> Tensor:
    """Return the gradient of an activation's inputs `x` from that of its outputs `y`; of one of `nn.activations`."""
    aten = torch.ops.aten
    if isinstance(layer, nn.ReLU):
        return aten.threshold_backward(grad, y, 0)
    if isinstance(layer, nn.Tanh):
        return aten.tanh_backward(grad, y)
    if isinstance(layer, nn.Sigmoid):
        return aten.sigmoid_backward(grad, y)
    if isinstance(layer, nn.LeakyReLU):
        return aten.leaky_relu_backward(grad, x, LEAK, False)
    if isinstance(layer, nn.GELU):
        return aten.gelu_backward(grad, x)
    assert isinstance(layer, nn.Identity)
    return grad


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


def stacked_gradient(
    model: nn.Module, loss: Loss
) -> Callable[[Mapping[str, Tensor], Batch, Mapping[str, Tensor]], Tensor]:
    """Return a function of parameters, batch and gradients to write to, which returns each network's loss, `[stack]`.

    It is the gradient of each network's own summed loss: as no two of them have a parameter in common, that of their
    sum.
    """
    if isinstance(model, HasStackedGradients) and isinstance(loss, HasTotalsAndGradient):

        @torch.no_grad()
        def by_hand(params: Mapping[str, Tensor], batch: Batch, into: Mapping[str, Tensor]) -> Tensor:
            (x,), targets = batch
            return model.gradients_stacked(params, x, lambda output: loss.totals_and_gradient(output, targets), into)

        return by_hand

    @torch.enable_grad()
    def by_autograd(params: Mapping[str, Tensor], batch: Batch, into: Mapping[str, Tensor]) -> Tensor:
        leaves = {name: param.detach().requires_grad_() for name, param in params.items()}
        totals = totals_stacked(loss, forward_stacked(model, leaves, batch.inputs), batch.targets)
        grads = torch.autograd.grad(totals.sum(), list(leaves.values()))
        torch._foreach_copy_([into[name] for name in leaves], grads)
        return totals.detach()

    return by_autograd
