"""Experience: environments that are moved side by side, and a memory of what came of it.

Each move is remembered where it belongs: nothing reaches over an episode's end, where the environment begins anew at
once. What a move gave counts into its episode's return before any clipping.

Checked by: episodes and transitions counted by hand; stopped after any step (promise R1).
"""

from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

import torch

from fourfold.algorithms.acting import Actor
from fourfold.algorithms.replay.memory import Memory
from fourfold.algorithms.replay.prioritised import Priorities
from fourfold.core.errors import DivergedError
from fourfold.tasks.control import Environment, Observation

REMEMBERED = 100  # episodes whose returns are averaged in the curve


class Played(NamedTuple):
    """An episode, as far as it has come."""

    score: float
    length: int


class Experience:
    """What is met in some environments.

    Args:
        environments: not begun yet.
        actor: chooses the moves.
        memory: where they are kept.
        priorities: of the memory's slots; None: all alike.
    """

    def __init__(
        self, environments: list[Environment], actor: Actor, memory: Memory, priorities: Priorities | None
    ) -> None:
        self.environments, self.actor, self.memory, self.priorities = environments, actor, memory, priorities
        self.running = [Played(0.0, 0) for _ in environments]
        self.recent = deque[Played](maxlen=REMEMBERED)
        self.episodes = 0  # that are over
        self.begun = False

    def move(self, epsilon: float, step: int) -> None:
        """Make one move in each environment, and remember what came of it.

        Raises:
            DivergedError: a reward is no number; it names `step`.
        """
        if not self.begun:
            self.begun = True
            for i, environment in enumerate(self.environments):
                self._begin(i, environment.reset())
        for i, (environment, action) in enumerate(zip(self.environments, self.actor.choose(epsilon), strict=True)):
            try:
                move = environment.step(action)
            except DivergedError as error:
                raise DivergedError(f"step {step}: {error}", step) from None
            slot, lost = self.memory.add(i, action, move.reward, move.terminated, move.observation)
            if self.priorities is not None:
                self.priorities.added(slot, lost)
            score, length = self.running[i]
            self.running[i] = Played(score + move.score, length + 1)
            if move.over:
                self.recent.append(self.running[i])
                self.episodes += 1
                self.running[i] = Played(0.0, 0)
            if move.terminated or move.truncated:
                self._begin(i, environment.reset())
            else:
                self.actor.see(i, move.observation)

    def _begin(self, which: int, observation: Observation) -> None:
        """Begin an episode in one environment."""
        lost = self.memory.begin(which, observation)
        if self.priorities is not None:
            self.priorities.forget(lost)
        self.actor.begin(which, observation)

    def gauges(self) -> dict[str, float]:
        """Return how many episodes are over, and the mean return and length of the last hundred."""
        gauges = {"episodes": float(self.episodes)}
        if self.recent:
            scores, lengths = zip(*self.recent, strict=True)
            gauges |= {"return": sum(scores) / len(scores), "length": sum(lengths) / len(lengths)}
        return gauges

    def state_dict(self, with_memory: bool) -> dict[str, Any]:
        """Return everything, or everything but what is remembered."""
        return {
            "begun": self.begun,
            "environments": [environment.state_dict() for environment in self.environments],
            "sight": torch.from_numpy(self.actor.sight.seen.copy()),
            "acting": self.actor.draws.bit_generator.state,
            "running": [list(each) for each in self.running],
            "recent": [list(each) for each in self.recent],
            "episodes": self.episodes,
            "memory": self.memory.state_dict() if with_memory else None,
            "priorities": self.priorities.state_dict() if self.priorities is not None and with_memory else None,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state; without what was remembered, remember from here on.

        Raises:
            CheckpointError: an environment or the memory cannot be restored.
        """
        self.begun, self.episodes = bool(state["begun"]), int(state["episodes"])
        for environment, part in zip(self.environments, state["environments"], strict=True):
            environment.load_state_dict(part)
        self.actor.sight.seen[:] = state["sight"].numpy()
        self.actor.draws.bit_generator.state = state["acting"]
        self.running = [Played(float(score), int(length)) for score, length in state["running"]]
        self.recent.extend(Played(float(score), int(length)) for score, length in state["recent"])
        if state["memory"] is not None:
            self.memory.load_state_dict(state["memory"])
            if self.priorities is not None:
                self.priorities.load_state_dict(state["priorities"])
        elif self.begun:
            for i, seen in enumerate(self.actor.sight.seen):
                self.memory.begin(i, seen[-1])
