"""In which order training examples come, and how pictures are changed on their way: by the seed and the step alone.

A stream of what comes so has the number of its next step as all its state.

Checked by: the streams that are made of it, seek against replay.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from fourfold.core.seeds import stream_seed
from fourfold.data.augment.base import Augment
from fourfold.tasks.seam import Batch, Order


class SteppedStream(ABC):
    """Endless batches, each told by its step: the number of the next step is all the state there is."""

    _step = 0

    @abstractmethod
    def batch(self, step: int) -> Batch:
        """Return this process's share of a step's batch."""

    def seek(self, step: int) -> None:
        """Make the next batch the one of `step`."""
        self._step = step

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        batch = self.batch(self._step)
        self._step += 1
        return batch


class Epochs:
    """Every epoch is a new permutation of the examples, keyed by its number, and cut into batches; the last is smaller.

    Args:
        count: examples.
        order: which batches, and this process's share of them.

    Attributes:
        order: the same.
        steps: until every example has come once.
    """

    def __init__(self, count: int, order: Order) -> None:
        self.order, self.steps = order, -(-count // order.batch_size)
        self._count = count
        self._permutation: tuple[int, Tensor] | None = None

    def permutation(self, epoch: int, device: torch.device | None = None) -> Tensor:
        """Return the order of an epoch's examples, int64 `[examples]`."""
        if self._permutation is None or self._permutation[0] != epoch:
            generator = torch.Generator().manual_seed(stream_seed(self.order.seed, "order", epoch))
            self._permutation = epoch, torch.randperm(self._count, generator=generator).to(device)
        return self._permutation[1]

    def members(self, step: int) -> Tensor:
        """Return the examples of a step's batch, over all processes, int64 `[batch]`."""
        epoch, number = divmod(step, self.steps)
        return self.permutation(epoch)[number * self.order.batch_size : (number + 1) * self.order.batch_size]

    def share(self, whole: Tensor) -> Tensor:
        """Return this process's part of something that is one row an example of a batch."""
        order = self.order
        return whole if order.processes == 1 else whole.tensor_split(order.processes)[order.rank]

    def augmented(self, images: Tensor, augment: Sequence[Augment], step: int, count: int) -> Tensor:
        """Return this process's share of a batch, changed by draws keyed by its step.

        Args:
            images: the share, `[share, channels, height, width]`.
            augment: what changes them, in order.
            step: of the batch.
            count: pictures in the batch over all processes, which are drawn for all the same.
        """
        generator = torch.Generator().manual_seed(stream_seed(self.order.seed, "augment", step))
        for each in augment:
            images = each.apply(images, self.share(each.draw(count, generator)))
        return images
