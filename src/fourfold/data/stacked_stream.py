"""The batches of several runs side by side: each run's own examples, in its own order, stacked along a first axis.

Where the runs' examples are plain tensors, they lie in one table and a step takes them by one gather; that is faster
than asking each run's own stream, which stays the reference.

Checked by: `InMemoryStream`, batch for batch.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from fourfold.data.in_memory import InMemoryStream
from fourfold.tasks.seam import Batch


class StackedStream:
    """Endless stacked batches, inputs `[stack, batch, …]` and targets likewise, from step 0.

    Args:
        streams: one a run, all with as many examples and of one batch size; runs that share their data share memory.
    """

    def __init__(self, streams: Sequence[InMemoryStream]) -> None:
        self._streams = list(streams)
        self._step = 0
        first = self._streams[0]
        self._batch_size, self._steps_per_epoch = first.batch_size, first.steps_per_epoch
        self._plain = not any(stream.augments for stream in self._streams)
        self._order: tuple[int, Tensor] | None = None  # an epoch, and where each of its examples is in the table
        self._whole: Batch | None = None  # where every batch is the whole split
        self._gathered: dict[int, Tensor] = {}  # batch size -> memory for the inputs
        if self._plain:
            self._lay_out()

    def _lay_out(self) -> None:
        """Put each different set of examples into the table once."""
        tables: dict[int, int] = {}  # address of the examples -> which table
        inputs, targets = [], []
        for stream in self._streams:
            if stream.inputs.data_ptr() not in tables:
                tables[stream.inputs.data_ptr()] = len(inputs)
                inputs.append(stream.inputs)
                targets.append(stream.targets)
        self._inputs = torch.cat(inputs) if len(inputs) > 1 else inputs[0]
        self._targets = torch.cat(targets) if len(targets) > 1 else targets[0]
        size = len(self._streams[0].targets)
        places = [tables[stream.inputs.data_ptr()] * size for stream in self._streams]
        self._places = torch.tensor(places, device=self._inputs.device).unsqueeze(1)  # [stack, 1]

    def __next__(self) -> Batch:
        """Return the batches of the next step; their memory is used again by the step after it."""
        step, self._step = self._step, self._step + 1
        if not self._plain:
            batches = [next(stream) for stream in self._streams]
            inputs = tuple(torch.stack(parts) for parts in zip(*(batch.inputs for batch in batches), strict=True))
            return Batch(inputs, torch.stack([batch.targets for batch in batches]))
        if self._steps_per_epoch == 1:
            if self._whole is None:
                self._whole = self._take(self._places + torch.arange(len(self._streams[0].targets)).to(self._places))
            return self._whole
        epoch, number = divmod(step, self._steps_per_epoch)
        if self._order is None or self._order[0] != epoch:
            own = torch.stack([stream.permutation(epoch) for stream in self._streams])
            self._order = epoch, own + self._places
        start = number * self._batch_size
        return self._take(self._order[1][:, start : start + self._batch_size])

    def _take(self, chosen: Tensor) -> Batch:
        """Return the examples `chosen [stack, batch]` of the table."""
        flat, size = chosen.reshape(-1), chosen.shape[1]
        memory = self._gathered.get(size)
        if memory is None or len(memory) != len(flat):
            memory = self._gathered[size] = self._inputs.new_empty(len(flat), *self._inputs.shape[1:])
        torch.index_select(self._inputs, 0, flat, out=memory)
        targets = self._targets.index_select(0, flat)
        return Batch((memory.view(*chosen.shape, *memory.shape[1:]),), targets.view(*chosen.shape, *targets.shape[1:]))

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the runs only."""
        self._streams = [self._streams[row] for row in rows]
        self._whole = None
        if self._plain and self._streams:
            self._places = self._places[list(rows)]
            if self._order is not None:
                self._order = self._order[0], self._order[1][list(rows)]
