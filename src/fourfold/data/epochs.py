"""In which order training examples come, and how pictures are changed on their way: by the seed and the step alone.

Checked by: the streams that are made of it, seek against replay.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from fourfold.core.seeds import stream_seed
from fourfold.data.augment.base import Augment
from fourfold.tasks.seam import Order


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
