"""A whole step as one compiled graph, for `runtime.compile=step`: forward, loss, backward, the look for NaN, update.

torch.compile of a network alone leaves the loss, autograd's bookkeeping and the update outside; here a step is one
function of the parameters, the optimizer's state and the batch. The update in it is the optimizer's own equations.
Where a regularizer has something to do between gradient and update, the graph ends with the gradient.

Checked by: the same run as step by step.
"""

import itertools
import types
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from fourfold.algorithms.optimizers.base import Number, Optimizer, States
from fourfold.tasks.seam import Batch, Loss, LossValue, Plan

_Params = dict[str, Tensor]
_Aux = tuple[Tensor, Tensor, dict[str, Tensor]]  # total, count and parts of the loss: a transform passes tensors only


class GradientGraph:
    """The compiled gradient of the summed loss.

    Args:
        network: the model; its parameters' `.grad` are set by each call.
        loss: summed over examples.
        plan: gives autocast.
    """

    def __init__(self, network: nn.Module, loss: Loss, plan: Plan) -> None:
        self._params = {name: p for name, p in network.named_parameters() if p.requires_grad}
        self._buffers = dict(network.named_buffers())
        gradient = _gradient(network, loss, plan)
        self._gradient = _compiled(lambda params, buffers, batch: gradient(params, buffers, batch))

    def __call__(self, batch: Batch) -> tuple[LossValue, Tensor]:
        """Set every parameter's gradient, and return the loss and `[1]`, what makes it that of the mean."""
        with torch.no_grad():  # the transform differentiates by itself; autograd need not follow
            grads, (total, count, parts) = self._gradient(self._params, self._buffers, batch)
        for name, param in self._params.items():
            param.grad = grads[name]
        return LossValue(total, count, parts), (1 / count.float()).reshape(1)


class _Moved(NamedTuple):
    """Parameters that one call of the equations moves."""

    names: list[str]
    states: States
    steps: Tensor | None  # float32 `[1]`, how many so far, where the optimizer counts
    group: dict[str, Any]  # hyperparameters; `lr` a tensor, for a schedule changes it at every step


class StepGraph:
    """The compiled step: parameters and optimizer state move in place.

    Args:
        network: the model.
        loss: summed over examples.
        plan: gives autocast.
        optimizer: whose equations, state and hyperparameters count.
        found_inf: float32 `[1]`; set to 1 by a step whose loss or gradient is not finite. That step and those after it
            move nothing.
    """

    def __init__(self, network: nn.Module, loss: Loss, plan: Plan, optimizer: Optimizer, found_inf: Tensor) -> None:
        self._optimizer, self._found_inf = optimizer, found_inf
        # Detached, they share memory with the model's; a leaf that requires a gradient cannot be changed in a graph.
        self._params = {name: p.detach() for name, p in network.named_parameters() if p.requires_grad}
        self._buffers = dict(network.named_buffers())
        self._names = {p: name for name, p in network.named_parameters()}
        self._exact = torch.float32 if plan.device.type == "mps" else torch.float64  # 1 - beta2^t loses digits
        self._moved: list[_Moved] = []
        self._groups: list[dict[str, Any]] = []
        gradient, equations, exact = _gradient(network, loss, plan), optimizer.equations, self._exact

        def step(params: _Params, buffers: _Params, all_moved: list[_Moved], batch: Batch, found_inf: Tensor) -> _Aux:
            grads, (total, count, parts) = gradient(params, buffers, batch)
            refused = (found_inf > 0) | ~total.isfinite()
            for grad in grads.values():
                refused = refused | ~grad.isfinite().all()
            for names, states, steps, group in all_moved:
                number: Number = 0
                if steps is not None:
                    steps.add_((~refused).float())
                    number = steps.to(exact)[0]
                old = [[params[name] for name in names], *states]
                new = [[each.clone() for each in tensors] for tensors in old]
                means = [grads[name] / count for name in names]
                equations(new[0], means, tuple(new[1:]), group, number)
                for was, becomes in zip(itertools.chain(*old), itertools.chain(*new), strict=True):
                    was.copy_(torch.where(refused, was, becomes))
            found_inf.copy_(refused.float())
            return total, count, parts

        self._step = _compiled(step)

    def rebind(self) -> None:
        """Look the optimizer's state up anew, for it has been replaced."""
        self._moved = []

    def __call__(self, batch: Batch) -> LossValue:
        """Move the parameters once, unless something is not finite."""
        if not self._moved:
            self._bind()
        for moved, group in zip(self._moved, self._groups, strict=True):
            moved.group["lr"].fill_(group["lr"])
        with torch.no_grad():
            total, count, parts = self._step(self._params, self._buffers, self._moved, batch, self._found_inf)
        return LossValue(total, count, parts)

    def _bind(self) -> None:
        cohorts = self._optimizer.cohorts()
        self._groups = [group for group, _ in cohorts]
        for group, cohort in cohorts:
            own = {name: value for name, value in group.items() if name != "params"}
            lr = torch.zeros((), dtype=self._exact, device=self._found_inf.device)
            names = [self._names[p] for p in cohort.params]  # type: ignore[index]
            self._moved.append(_Moved(names, cohort.states, cohort.step, {**own, "lr": lr}))


def _gradient(network: nn.Module, loss: Loss, plan: Plan) -> Callable[[_Params, _Params, Batch], tuple[_Params, _Aux]]:
    """Return the gradient of the summed loss as a function of the parameters, the buffers and a batch.

    Buffers are running statistics, say, which the network changes; a transform lets it change what it is given.
    """

    def objective(params: _Params, buffers: _Params, batch: Batch) -> tuple[Tensor, _Aux]:
        with plan.autocast():
            output = torch.func.functional_call(network, (params, buffers), batch.inputs)
            value = loss(output, batch)
        count = torch.as_tensor(value.count, device=value.total.device)
        return value.total, (value.total, count, dict(value.parts))

    return torch.func.grad(objective, has_aux=True)


def _compiled(function: Any) -> Callable[..., Any]:
    """Compile `function`, once for each shape of batch; a call looks at the tensors' shapes and types, nothing else.

    To see at every call that network, loss and optimizer are still the same costs a small model a tenth of its step.
    They are: each belongs to one run. torch.compile keeps what it compiled with the code, so each run needs a copy of
    the code, or it would be given another run's graph.
    """
    code = function.__code__.replace()
    own = types.FunctionType(code, function.__globals__, function.__name__, None, function.__closure__)
    tensors_only: dict[str, Any] = {"guard_filter_fn": torch.compiler.keep_tensor_guards_unsafe}
    return torch.compile(own, dynamic=False, options=tensors_only)
