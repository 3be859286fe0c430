"""Experience replay: each observation is stored once, and what a model sees is put together on reading.

A ring for each environment holds one slot an observation: the observation, the action that followed it, what that gave,
and how many observations of its episode stand before it (up to the frames that a model sees). The next slot holds what
came of the action; an episode's last observation has a slot of its own, and no action. So a transition never reaches
over a reset, and a frame that five transitions see is stored once: a million Atari frames take 7.1 GB.

Paper: Lin, Self-improving reactive agents based on reinforcement learning, planning and teaching, 1992; Mnih et al.,
Nature 518, 2015, Algorithm 1.
Departures: the last observation of an episode takes a slot, so a memory of N holds N less its episodes' transitions.
Checked by: a list of transitions kept beside it, with every frame in it; sampled frequencies by chi-square.
"""

import zlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from fourfold.core.errors import CheckpointError

CHUNK = 512  # slots that are compressed together
FASTEST = 1  # of zlib's levels; frames are mostly background, and shrink to about a twentieth


class Transitions(NamedTuple):
    """Some transitions, as a model takes them."""

    before: Tensor  # float32 [batch, …]
    actions: Tensor  # int64 [batch]
    rewards: Tensor  # float32 [batch]
    goes_on: Tensor  # float32 [batch]: 0 where nothing can follow
    after: Tensor  # float32 [batch, …]


class Memory:
    """The rings of all environments.

    Args:
        capacity: slots, over all environments.
        environments: how many rings share them.
        frame: the shape of one observation: `[numbers]`, kept as float32, or `[channels, height, width]`, as uint8.
        stack: frames that a model sees at once.
        scale: what stored numbers are multiplied by on reading.
    """

    def __init__(self, capacity: int, environments: int, frame: tuple[int, ...], stack: int, scale: float) -> None:
        self.length, self.environments, self.frame = capacity // environments, environments, frame
        self.stack, self.scale = stack, scale
        slots = self.length * environments
        # zeros are given by the system when they are first written to: an empty memory takes no room
        kind = np.uint8 if len(frame) == 3 else np.float32
        self.observations = np.zeros((slots + 1, *frame), kind)  # the last one stays 0: what is before an episode
        self.actions = np.zeros(slots, np.uint8)
        self.rewards = np.zeros(slots, np.float32)
        self.terminated = np.zeros(slots, np.bool_)
        self.age = np.zeros(slots, np.uint8)  # observations of its episode before it, at most stack - 1
        self.ready = np.zeros(slots, np.bool_)  # whether a whole transition begins here
        self.heads = np.full(environments, -1, np.int64)  # the newest slot of each ring
        self.filled = np.zeros(environments, np.int64)
        self.num_ready = 0
        self._offsets = np.arange(1 - stack, 2)
        self._rows = torch.from_numpy(self.observations.reshape(slots + 1, -1))

    def begin(self, which: int, observation: NDArray[Any]) -> list[int]:
        """Store the first observation of an episode; return the slots that no longer begin a transition."""
        return self._push(which, observation, 0)

    def add(
        self, which: int, action: int, reward: float, terminated: bool, observation: NDArray[Any]
    ) -> tuple[int, list[int]]:
        """Store an action in environment `which`, and what came of it.

        Returns:
            The slot where this transition begins, and those that no longer begin one.
        """
        slot = which * self.length + int(self.heads[which])
        self.actions[slot], self.rewards[slot], self.terminated[slot] = action, reward, terminated
        lost = self._push(which, observation, min(int(self.age[slot]) + 1, self.stack - 1))
        self.ready[slot] = True
        self.num_ready += 1
        return slot, lost

    def _push(self, which: int, observation: NDArray[Any], age: int) -> list[int]:
        first, head = which * self.length, (int(self.heads[which]) + 1) % self.length
        self.heads[which] = head
        if self.filled[which] < self.length:
            self.filled[which] += 1
        slot = first + head
        lost = [slot] if self.ready[slot] else []
        for distance in range(1, self.stack):  # those that still saw what was here
            seer = first + (head + distance) % self.length
            if self.ready[seer] and self.age[seer] >= distance:
                lost.append(seer)
        if lost:
            self.ready[lost] = False
            self.num_ready -= len(lost)
        self.observations[slot] = observation
        self.age[slot] = age
        return lost

    def draw(self, count: int, generator: np.random.Generator) -> NDArray[np.int64]:
        """Return slots where transitions begin, each as likely as any other, int64 `[count]`."""
        longest = int(self.filled.max())
        slots = self._anywhere(count, longest, generator)
        while (wrong := ~self.ready[slots]).any():
            slots[wrong] = self._anywhere(int(wrong.sum()), longest, generator)
        return slots

    def _anywhere(self, count: int, longest: int, generator: np.random.Generator) -> NDArray[np.int64]:
        slots = generator.integers(longest, size=count)
        if self.environments > 1:
            slots += generator.integers(self.environments, size=count) * self.length
        return slots

    def read(self, slots: NDArray[np.int64]) -> Transitions:
        """Return the transitions that begin at `slots`, int64 `[batch]`."""
        place = slots % self.length
        window = (slots - place)[:, None] + (place[:, None] + self._offsets) % self.length
        if self.stack > 1:
            before_episode = -self._offsets[None] > self.age[slots][:, None]
            window[before_episode] = len(self.observations) - 1
        seen = self._rows.index_select(0, torch.from_numpy(window.ravel()))
        seen = seen.view(len(slots), self.stack + 1, *self.frame)
        if self.observations.dtype == np.uint8:
            seen = seen.float()
            if self.scale != 1:
                seen *= self.scale
        if len(self.frame) == 1:
            before, after = seen[:, 0], seen[:, 1]
        else:
            before, after = seen[:, :-1].flatten(1, 2), seen[:, 1:].flatten(1, 2)
        return Transitions(
            before,
            torch.from_numpy(self.actions[slots].astype(np.int64)),
            torch.from_numpy(self.rewards[slots]),
            torch.from_numpy((~self.terminated[slots]).astype(np.float32)),
            after,
        )

    def state_dict(self) -> dict[str, Any]:
        """Return what is stored; frames are compressed, without loss."""
        used = self._used()
        return {
            "heads": torch.from_numpy(self.heads.copy()),
            "filled": torch.from_numpy(self.filled.copy()),
            "observations": _pack(self.observations, used),
            "actions": torch.from_numpy(self.actions[used]),
            "rewards": torch.from_numpy(self.rewards[used]),
            "terminated": torch.from_numpy(self.terminated[used]),
            "age": torch.from_numpy(self.age[used]),
            "ready": torch.from_numpy(self.ready[used]),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state.

        Raises:
            CheckpointError: the compressed frames cannot be read.
        """
        self.heads[:], self.filled[:] = state["heads"].numpy(), state["filled"].numpy()
        used = self._used()
        _unpack(state["observations"], self.observations, used)
        self.ready[:] = False
        for name in ("actions", "rewards", "terminated", "age", "ready"):
            getattr(self, name)[used] = state[name].numpy()
        self.num_ready = int(self.ready.sum())

    def _used(self) -> NDArray[np.int64]:
        rings = [np.arange(filled) + i * self.length for i, filled in enumerate(self.filled)]
        return np.concatenate(rings)


def _pack(observations: NDArray[Any], used: NDArray[np.int64]) -> Any:
    """Return rows of numbers as they are, and frames as bytes that zlib packed, `CHUNK` together."""
    if observations.dtype != np.uint8:
        return torch.from_numpy(observations[used])
    starts = range(0, len(used), CHUNK)
    packed = [zlib.compress(observations[used[start : start + CHUNK]].tobytes(), FASTEST) for start in starts]
    return [torch.frombuffer(bytearray(each), dtype=torch.uint8) for each in packed]


def _unpack(packed: Any, observations: NDArray[Any], used: NDArray[np.int64]) -> None:
    if isinstance(packed, Tensor):
        observations[used] = packed.numpy()
        return
    for i, each in enumerate(packed):
        slots = used[i * CHUNK : (i + 1) * CHUNK]
        most = len(slots) * observations[0].nbytes
        try:  # no more than must come out: a hostile checkpoint could hold a bomb
            data = zlib.decompressobj().decompress(each.numpy().tobytes(), most + 1)
        except zlib.error as error:
            raise CheckpointError(f"the replay's frames cannot be unpacked: {error}") from None
        if len(data) != most:
            raise CheckpointError(f"the replay's frames cannot be unpacked: {len(data)} bytes where {most} belong")
        observations[slots] = np.frombuffer(data, np.uint8).reshape(len(slots), *observations.shape[1:])
