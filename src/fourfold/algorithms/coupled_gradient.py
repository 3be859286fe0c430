"""The gradient of a loss that couples the examples of a batch, from micro-batches and several processes.

Such a loss, as NT-Xent, is no sum over pieces of a batch: every example needs the outputs of all others. So the outputs
of all pieces and processes are brought together, the loss of the whole batch is differentiated by them, and each piece
sends its own rows of that gradient back through its network.

    1. outputs of each piece; with several pieces without a graph, which would take the memory that pieces save
    2. all outputs in every process, in the order of the batch; the whole loss, and its gradient by the outputs
    3. each piece backward, its forward pass made again where it had no graph, with the same dropout

Source: step by step as Gao, Zhang, Han and Callan, Scaling Deep Contrastive Learning Batch Size under Memory Limited
Setup, RepL4NLP 2021, arXiv:2101.06983, section 3.
Departures: batch normalisation sees a piece at a time, as it does for every loss; its running statistics are those of
the second pass alone.
Checked by: pieces and processes against the whole batch in one.
"""

from contextlib import nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from fourfold.algorithms.gradient import Gradient
from fourfold.algorithms.micro_batches import cut_batch
from fourfold.tasks.seam import Batch, LossValue


class CoupledGradient(Gradient):
    """The gradient of the whole batch's loss, in pieces."""

    def in_pieces(self, batch: Batch) -> tuple[LossValue, Tensor]:
        """Add it to every parameter's `.grad`, and return the loss and `[1]`, what makes it that of the mean."""
        pieces = cut_batch(batch, self.plan.accumulate)
        again = len(pieces) > 1
        before = _buffers(self.forward) if again else {}
        states: list[Tensor] = []
        outputs: list[Any] = []
        for piece in pieces:
            states.append(_random_state(self.plan.device))
            with torch.no_grad() if again else nullcontext():
                outputs.append(self._output(piece))
        value, grads = self._whole(outputs, batch)
        for buffer, kept in before.items():
            buffer.copy_(kept)
        for i, piece in enumerate(pieces):
            if again:
                _set_random_state(states[i], self.plan.device)
            with self.plan.processes.accumulating(self.forward) if i < len(pieces) - 1 else nullcontext():
                output = self._output(piece) if again else outputs[i]
                asked = [(part, grad) for part, grad in zip(_parts(output), grads[i], strict=True) if grad is not None]
                torch.autograd.backward([part for part, _ in asked], [grad.to(part.dtype) for part, grad in asked])
        return value, self.plan.processes.count * self._over(value.count)  # DDP left the mean over processes

    def _output(self, piece: Batch) -> Any:
        with self.plan.autocast():
            return self.forward(*piece.inputs)

    def _whole(self, outputs: list[Any], batch: Batch) -> tuple[LossValue, list[list[Tensor | None]]]:
        """Return the whole batch's loss, and of each piece its gradient by each tensor of the output."""
        sizes = [len(_parts(output)[0]) for output in outputs]
        start, total = self._place(sum(sizes))
        leaves: list[Tensor] = []
        for parts in zip(*map(_parts, outputs), strict=True):
            own = torch.cat([part.detach().float() for part in parts])
            leaves.append(self._gathered(own, start, total).requires_grad_())
        targets = [self._gathered(part, start, total) for part in _parts(batch.targets)]
        whole = Batch(batch.inputs, _like(batch.targets, targets))
        with self.plan.autocast():
            value = self.loss(_like(outputs[0], leaves), whole)
        found = torch.autograd.grad(value.total, leaves, allow_unused=True)
        own = [None if grad is None else grad[start : start + sum(sizes)].split(sizes) for grad in found]
        grads = [[None if part is None else part[i] for part in own] for i in range(len(sizes))]
        terms = {name: term.detach() for name, term in value.parts.items()}
        return LossValue(value.total.detach(), value.count, terms), grads

    def _place(self, size: int) -> tuple[int, int]:
        """Return where this process's examples begin in the batch, and how many the batch has."""
        processes = self.plan.processes
        sizes = torch.zeros(processes.count, dtype=torch.int64, device=self.plan.device)
        sizes[processes.rank] = size
        processes.sum([sizes])
        return int(sizes[: processes.rank].sum()), int(sizes.sum())

    def _gathered(self, own: Tensor, start: int, total: int) -> Tensor:
        """Return the rows of all processes, in order."""
        if self.plan.processes.count == 1:
            return own.clone()
        whole = own.new_zeros(total, *own.shape[1:])
        whole[start : start + len(own)] = own
        self.plan.processes.sum([whole])
        return whole


def _parts(value: Any) -> list[Tensor]:
    """Return the tensors of an output or of targets, which is one or a named tuple of some."""
    return [value] if isinstance(value, Tensor) else [part for part in value if part is not None]


def _like(value: Any, parts: list[Tensor]) -> Any:
    """Return tensors in the form of `value`."""
    if isinstance(value, Tensor):
        return parts[0]
    rest = iter(parts)
    return type(value)(*(None if part is None else next(rest) for part in value))


def _buffers(network: nn.Module) -> dict[Tensor, Tensor]:
    """Return each of a network's buffers, such as running statistics, and a copy of it."""
    return {buffer: buffer.clone() for buffer in network.buffers()}


def _random_state(device: torch.device) -> Tensor:
    """Return the state of the generator that dropout on a device draws from."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()


def _set_random_state(state: Tensor, device: torch.device) -> None:
    """Put that state back."""
    if device.type == "cuda":
        torch.cuda.set_rng_state(state, device)
    else:
        torch.set_rng_state(state)
