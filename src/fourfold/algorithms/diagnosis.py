"""Saying where a run stopped being finite, which batch, tensor and layer, and what usually helps.

Checked by: a NaN or an infinity planted at each place.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fourfold.core.errors import DivergedError
from fourfold.tasks.seam import Batch, Loss, LossValue

DATA = "mend that value in the data, or leave the example out"
FIRST = "no update was made before: look at the scale of inputs, targets and initial weights"
LATER = "a smaller learning rate usually helps; under supervised also a warmup schedule or gradient_clipping"


def diagnose(
    network: nn.Module,
    loss: Loss,
    batch: Batch,
    value: LossValue | None,
    grads: Mapping[str, Tensor],
    step: int,
) -> DivergedError:
    """Return the error for a step that was refused, naming the first thing in it that is not finite, and a remedy.

    Inputs come first, then parameters, then each layer's output in the order they run, then the loss, then gradients.
    """
    in_data = _first_in_data(batch)
    where = in_data or _first_in_network(network, loss, batch, grads)
    remedy = DATA if in_data else LATER if step else FIRST
    shown = "" if value is None else f" (loss {float(value.mean):.6g})"
    return DivergedError(f"step {step}: {where}{shown}; the update was not made; {remedy}", step)


def _first_in_data(batch: Batch) -> str | None:
    for i, part in enumerate(batch.inputs):
        if part.is_floating_point() and not part.isfinite().all():
            rows = (~part.isfinite()).flatten(1).any(1).nonzero().flatten().tolist()
            return f"input {i} of the batch is not finite in example {_some(rows)}"
    if isinstance(batch.targets, Tensor) and batch.targets.is_floating_point() and not batch.targets.isfinite().all():
        rows = (~batch.targets.isfinite()).reshape(len(batch.targets), -1).any(1).nonzero().flatten().tolist()
        return f"the target is not finite in example {_some(rows)} of the batch"
    return None


def _first_in_network(network: nn.Module, loss: Loss, batch: Batch, grads: Mapping[str, Tensor]) -> str:
    for name, param in network.named_parameters():
        if not param.isfinite().all():
            return f"parameter '{name}' is not finite"
    if layer := _first_layer(network, loss, batch):
        return layer
    bad = [name for name, grad in grads.items() if not grad.isfinite().all()]
    return f"the gradient of '{bad[-1]}' is not finite" if bad else "the loss or a gradient is not finite"


def _first_layer(network: nn.Module, loss: Loss, batch: Batch) -> str | None:
    """Run the batch again and return the first layer, or the loss, whose output is not finite."""
    found: list[str] = []

    def look(name: str):
        def hook(module: nn.Module, _: object, output: object) -> None:
            if not found and isinstance(output, Tensor) and not output.isfinite().all():
                found.append(f"the output of layer '{name}' ({type(module).__name__}) is not finite")

        return hook

    leaves = [(name, m) for name, m in network.named_modules() if name and not any(m.children())]
    handles = [module.register_forward_hook(look(name)) for name, module in leaves]
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    try:
        with torch.no_grad(), torch.random.fork_rng():
            value = loss(network(*batch.inputs), batch)
            if not found and not value.total.isfinite():
                found.append("the loss is not finite, though every layer's output is")
    finally:
        for handle in handles:
            handle.remove()
        for name, buffer in network.named_buffers():
            buffer.copy_(buffers[name])
    return found[0] if found else None


def _some(rows: list[int]) -> str:
    return ", ".join(map(str, rows[:5])) + (f" and {len(rows) - 5} more" if len(rows) > 5 else "")
