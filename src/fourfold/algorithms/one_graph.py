"""Forward, loss and backward as one compiled graph, for `runtime.compile=step`.

torch.compile of a network alone leaves loss and autograd's bookkeeping outside; here the whole gradient is one function
of the parameters and the batch. The update stays outside: it is one fused kernel already.

Checked by: the same gradients as the plain step.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from fourfold.tasks.seam import Batch, Loss, LossValue, Plan


class OneGraph:
    """The compiled gradient of the summed loss.

    Args:
        network: the model; its parameters' `.grad` are set by each call.
        loss: summed over examples.
        plan: gives autocast.
    """

    def __init__(self, network: nn.Module, loss: Loss, plan: Plan) -> None:
        self._params = {name: p for name, p in network.named_parameters() if p.requires_grad}

        def objective(params: dict[str, Tensor], batch: Batch) -> tuple[Tensor, tuple[Tensor, Tensor, Any]]:
            with plan.autocast():
                output = torch.func.functional_call(network, params, batch.inputs)
                value = loss(output, batch)
            count = torch.as_tensor(value.count, device=value.total.device)  # a transform passes tensors only
            return value.total, (value.total, count, dict(value.parts))

        torch.compiler.reset()  # what was compiled before may be found again: another run's network, loss, precision
        self._gradient: Callable[..., Any] = torch.compile(torch.func.grad(objective, has_aux=True))

    def __call__(self, batch: Batch) -> tuple[LossValue, Tensor]:
        """Set every parameter's gradient, and return the loss and `[1]`, what makes it that of the mean."""
        with torch.no_grad():  # the transform differentiates by itself; autograd need not follow
            grads, (total, count, parts) = self._gradient(self._params, batch)
        for name, param in self._params.items():
            param.grad = grads[name]
        return LossValue(total, count, parts), (1 / count.float()).reshape(1)
