"""Supervised descent of many networks at once: runs that differ in seed or in how they are optimised, as one model.

All parameters of a network are a row of one table, `[networks, numbers]`. A step draws each network's own batch, takes
the gradient of the *sum* of their losses, whose parts have no parameter in common, and moves neighbouring rows that
have the same settings by one call of their optimizer. A network whose loss or gradient is not finite leaves the stack
before the update; the others go on as if it had never been there.

What is computed is what `Supervised` computes, but for the rounding of matrix products, which are taken in batches.

Checked by: each network's losses, weights and optimizer state against its own `Supervised`, for every optimizer, for
differing settings, for ragged batches, and where some of them diverge; the same bits whoever else is in the stack.
"""

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor

from fourfold.algorithms.stacked_rows import Layout, Rows
from fourfold.algorithms.supervised import Supervised, SupervisedConfig
from fourfold.nn.stacked import forward_stacked, stacked_gradient, totals_stacked
from fourfold.tasks.seam import Batch


class Member(NamedTuple):
    """One network of a stack."""

    config: SupervisedConfig
    training: Supervised  # built, at step 0; it makes no step itself


class Batches(Protocol):
    """Endless batches of every network in the stack, inputs `[stack, batch, …]` and targets likewise."""

    def __next__(self) -> Batch: ...

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with some of the networks only."""
        ...


class Refused(NamedTuple):
    """A step that was not made, for its loss or gradient is not finite."""

    total: Tensor  # []
    grads: list[Tensor]  # of each parameter


class Standing(NamedTuple):
    """Where a network stands when it leaves the stack."""

    steps: int  # updates made
    weights: list[Tensor]
    optimizer: dict[str, Any]  # as the optimizer's own state_dict gives it
    refused: Refused | None  # the step after those, if its update was not made


class StackedSupervised:
    """Gradient descent of a stack.

    Args:
        members: alike but for seed, optimizer, schedule and regularizers; members of the same settings are neighbours.
        batches: theirs, in the same order.

    Attributes:
        running: numbers of the members still in the stack, one a row.
        left: where each of the others stands, by number.
        counts: examples in each network's batch, a step each.
    """

    def __init__(self, members: Sequence[Member], batches: Batches) -> None:
        self.running = list(range(len(members)))
        self.left: dict[int, Standing] = {}
        self.counts: list[int] = []
        first = members[0].training
        self._network, self._loss, self._names = first.network, first.loss, first.names
        self._device, self._batches = first.plan.device, batches
        self._gradient = stacked_gradient(first.network, first.loss)
        self._found_inf = torch.zeros(1, device=self._device)
        self._scales: dict[int, Tensor] = {}  # count -> 1 / count
        self._recent: list[Tensor] = []  # losses since the stack last changed, each [rows]
        self._losses: list[list[Tensor]] = [[] for _ in members]  # those before, [steps] each
        self._layout = Layout([param.shape for param in first.params])
        self._table = torch.zeros(len(members), self._layout.width, device=self._device)
        for row, member in enumerate(members):
            for place, param in zip(self._layout.split(self._table[row]), member.training.params, strict=True):
                place.copy_(param.detach())
        self._grads = torch.zeros_like(self._table)
        self._blocks: list[Rows] = []
        for _, same in groupby(self.running, lambda i: Rows.key(members[i].config, i)):
            numbers = list(same)
            self._blocks.append(Rows(members[numbers[0]].config, members[numbers[0]].training, len(numbers)))
        self._bind()

    def _bind(self) -> None:
        """Look at the table as parameters, and let each block move its rows of it."""
        start = 0
        for block in self._blocks:
            block.bind(self._table, self._grads, start, self._layout)
            start += block.size
        self._params = dict(zip(self._names, self._layout.split(self._table), strict=True))
        self._param_grads = dict(zip(self._names, self._layout.split(self._grads), strict=True))

    def step(self) -> None:
        """Move every network once; those that cannot be moved leave."""
        step, batch = len(self.counts), next(self._batches)
        count = batch.inputs[0].shape[1]
        totals = self._gradient(self._params, batch, self._param_grads)
        self.counts.append(count)
        with torch.no_grad():
            torch._amp_foreach_non_finite_check_and_unscale_([self._grads], self._found_inf, self._over(count))
            if self._found_inf.item() or not math.isfinite(totals.sum().item()):
                totals = self._refuse(totals)
            self._recent.append(totals)
            for block in self._blocks:
                block.move(step)

    def _over(self, count: int) -> Tensor:
        scale = self._scales.get(count)
        if scale is None:
            scale = self._scales[count] = torch.full((1,), 1 / max(count, 1), device=self._device)
        return scale

    def _refuse(self, totals: Tensor) -> Tensor:
        """Let those leave whose loss or gradient is not finite, this step not made; return the others' losses."""
        self._found_inf.zero_()
        good = totals.isfinite() & self._grads.isfinite().all(1)
        for row in (~good).nonzero().flatten().tolist():
            refused = Refused(totals[row].clone(), self._layout.split(self._grads[row].clone()))
            self.left[self.running[row]] = self._standing(row, len(self.counts) - 1, refused)
        self._keep(good.nonzero().flatten().tolist())
        return totals[good]

    @torch.no_grad()
    def check(self) -> None:
        """Let those leave whose last update left a weight that is not finite."""
        if not self.running or self._table.norm().isfinite():
            return
        good = self._table.isfinite().all(1)
        for row in (~good).nonzero().flatten().tolist():
            self.left[self.running[row]] = self._standing(row, len(self.counts), None)
        self._keep(good.nonzero().flatten().tolist())

    def finish(self) -> None:
        """Let all leave."""
        for row, number in enumerate(self.running):
            self.left[number] = self._standing(row, len(self.counts), None)
        self._keep([])

    def losses(self, number: int) -> Tensor:
        """Return the summed loss of each step that a member made before it left, `[steps]`."""
        assert number in self.left
        return torch.cat(self._losses[number]) if self._losses[number] else torch.zeros(0)

    def forward(self, inputs: tuple[Tensor, ...]) -> Tensor:
        """Return what each network makes of inputs `[rows, batch, …]`."""
        return forward_stacked(self._network, self._params, inputs)

    def totals(self, output: Tensor, targets: Tensor) -> Tensor:
        """Return each network's summed loss, `[rows]`."""
        return totals_stacked(self._loss, output, targets)

    def _standing(self, row: int, steps: int, refused: Refused | None) -> Standing:
        """Return where the network of a row stands."""
        start = 0
        for block in self._blocks:
            if row < start + block.size:
                weights = self._layout.split(self._table[row].clone())
                return Standing(steps, weights, block.state_of(row - start), refused)
            start += block.size
        raise AssertionError("a row belongs to a block")

    def _keep(self, rows: list[int]) -> None:
        """Go on with some of the rows only."""
        if self._recent:
            for number, own in zip(self.running, torch.stack(self._recent, 1), strict=True):
                self._losses[number].append(own)
        self._recent = []
        self.running = [self.running[row] for row in rows]
        self._table, self._grads = self._table[rows], self._grads[rows]
        self._batches.keep(rows)
        start, blocks = 0, []
        for block in self._blocks:
            own = [row - start for row in rows if start <= row < start + block.size]
            start += block.size
            if own:
                block.keep(own)
                blocks.append(block)
        self._blocks = blocks
        self._bind()
