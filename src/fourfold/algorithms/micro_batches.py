"""Micro-batches: a batch that is too large for memory, in pieces whose gradients add up to its own.

Checked by: the steps of a batch in pieces are those of the whole batch.
"""

from typing import Any

from torch import Tensor

from fourfold.tasks.seam import Batch


def cut_batch(batch: Batch, count: int) -> list[Batch]:
    """Cut a batch into `count` micro-batches of nearly equal size; a small batch gives fewer."""
    inputs = [part.tensor_split(count) for part in batch.inputs]
    targets = _cut(batch.targets, count)
    cut = [Batch(tuple(part[i] for part in inputs), targets[i]) for i in range(count)]
    return [piece for piece in cut if len(piece.inputs[0])] or cut[:1]


def _cut(targets: Any, count: int) -> list[Any]:
    """Cut targets, a tensor or a named tuple of tensors."""
    if isinstance(targets, Tensor):
        return list(targets.tensor_split(count))
    parts = [part.tensor_split(count) for part in targets]
    return [type(targets)(*(part[i] for part in parts)) for i in range(count)]
