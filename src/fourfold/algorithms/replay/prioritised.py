"""Prioritised replay: transitions that surprised are drawn more often, and count less each time.

    P(i) = p_i^alpha / sum_k p_k^alpha,   p_i = |delta_i| + eps           (Eq. 1, proportional)
    w_i  = (N P(i))^-beta / max_j w_j

Priorities are the leaves of a binary tree whose inner nodes hold the sums below them (appendix B.2.1): drawing goes
down from the root, changing goes up to it. A batch draws one transition from each of as many equal ranges of the sum.

Paper: Schaul, Quan, Antonoglou and Silver, Prioritized Experience Replay, ICLR 2016, arXiv:1511.05952.
Departures: the largest weight is the batch's, as in the authors' later code (Dopamine), not the memory's.
Checked by: a cumulative sum that is searched; frequencies by chi-square; an update by hand.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

EPS = 1e-6  # added to an error, so that none is never seen again


class SumTree:
    """Numbers at least 0, drawn in proportion and changed in a time that grows with the logarithm of their count.

    Args:
        count: how many; all 0 at first.
    """

    def __init__(self, count: int) -> None:
        self.depth = max(1, (count - 1).bit_length())
        self.leaves = 1 << self.depth
        self.nodes = np.zeros(2 * self.leaves)  # node i has children 2i and 2i + 1; the leaves stand last

    @property
    def total(self) -> float:
        """The sum of all."""
        return float(self.nodes[1])

    def set(self, which: NDArray[np.int64], values: NDArray[np.float64] | float) -> None:
        """Change some of them."""
        nodes = which + self.leaves
        self.nodes[nodes] = values
        for _ in range(self.depth):
            nodes = nodes >> 1
            self.nodes[nodes] = self.nodes[2 * nodes] + self.nodes[2 * nodes + 1]

    def set_one(self, which: int, value: float) -> None:
        """Change one of them, to the same sums as `set` would, faster."""
        nodes, node = self.nodes, which + self.leaves
        nodes[node] = value
        while node > 1:
            node >>= 1
            nodes[node] = nodes[2 * node] + nodes[2 * node + 1]

    def get(self, which: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return some of them."""
        return self.nodes[which + self.leaves]

    def find(self, sums: NDArray[np.float64]) -> NDArray[np.int64]:
        """Return the first leaf up to which all together are more than each of `sums`, which are below `total`."""
        nodes = np.ones(len(sums), np.int64)
        sums = sums.copy()
        for _ in range(self.depth):
            nodes *= 2
            left = self.nodes[nodes]
            right = (sums >= left) & (self.nodes[nodes + 1] > 0)  # rounding must not lead to where nothing is
            sums -= np.where(right, left, 0.0)
            nodes += right
        return nodes - self.leaves


class Priorities:
    """How likely each slot of a memory is drawn.

    Args:
        slots: of the memory.
        exponent: alpha; 0 draws all alike.
    """

    def __init__(self, slots: int, exponent: float) -> None:
        self.exponent = exponent
        self.tree = SumTree(slots)
        self.highest = 1.0  # what a transition begins with: it has not been learned from

    def added(self, slot: int, lost: list[int]) -> None:
        """Have a new transition be drawn soon, and those that were lost never."""
        self.forget(lost)
        self.tree.set_one(slot, self.highest**self.exponent)

    def forget(self, lost: list[int]) -> None:
        """Have transitions never be drawn again."""
        for slot in lost:
            self.tree.set_one(slot, 0.0)

    def draw(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Return slots, int64 `[count]`, one from each of `count` equal ranges of the sum."""
        ranges = (np.arange(count) + generator.random(count)) / count
        return self.tree.find(ranges * self.tree.total)

    def weights(self, slots: NDArray[np.int64], num_ready: int, beta: float) -> torch.Tensor:
        """Return each drawn transition's importance, float32 `[batch]`, the largest 1."""
        share = self.tree.get(slots) / self.tree.total
        weights = (num_ready * share) ** -beta
        return torch.from_numpy((weights / weights.max()).astype(np.float32))

    def learned(self, slots: NDArray[np.int64], errors: NDArray[Any]) -> None:
        """Hear the errors of transitions that were learned from."""
        priorities = np.abs(errors.astype(np.float64)) + EPS
        self.highest = max(self.highest, float(priorities.max()))
        self.tree.set(slots, priorities**self.exponent)

    def state_dict(self) -> dict[str, Any]:
        """Return the priorities."""
        return {"leaves": torch.from_numpy(self.tree.nodes[self.tree.leaves :].copy()), "highest": self.highest}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self.highest = float(state["highest"])
        leaves = state["leaves"].numpy()
        self.tree.set(np.arange(len(leaves)), leaves)
