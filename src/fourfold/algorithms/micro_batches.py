"""Micro-batches: a batch that is too large for memory, in pieces whose gradients add up to its own.

Checked by: the steps of a batch in pieces are those of the whole batch.
"""

from fourfold.tasks.seam import Batch


def cut_batch(batch: Batch, count: int) -> list[Batch]:
    """Cut a batch into `count` micro-batches of nearly equal size; a small batch gives fewer."""
    inputs = [part.tensor_split(count) for part in batch.inputs]
    targets = batch.targets.tensor_split(count)
    cut = [Batch(tuple(part[i] for part in inputs), targets[i]) for i in range(count)]
    return [piece for piece in cut if len(piece.targets)] or cut[:1]
