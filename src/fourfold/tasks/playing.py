"""Playing: what a model sees of environments, and what comes of acting by it.

Source: Mnih et al., Human-level control through deep reinforcement learning, Nature 518, 2015, Methods ("Evaluation
procedure"); van Hasselt, Guez and Silver, Deep Reinforcement Learning with Double Q-learning, AAAI 2016,
arXiv:1509.06461, section "Overoptimism due to estimation errors" (values against what really followed).
Checked by: episodes played one by one, their returns added up by hand.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from fourfold.tasks.control import ControlSpec, Environment, Observation

NEGLIGIBLE = 0.01  # share of a reward that counts no more, where an episode was cut off


class Sight:
    """What a model sees of environments that are played side by side: the last few frames of each.

    Args:
        spec: what the environments promise.
        count: how many there are.
    """

    def __init__(self, spec: ControlSpec, count: int) -> None:
        self.spec = spec
        stored = np.uint8 if len(spec.frame) == 3 else np.float32
        self.seen = np.zeros((count, spec.stack, *spec.frame), stored)

    def begin(self, which: int, observation: Observation) -> None:
        """See the first frame of an episode."""
        self.seen[which] = 0
        self.seen[which, -1] = observation

    def see(self, which: int, observation: Observation) -> None:
        """See the next frame."""
        if self.spec.stack > 1:
            self.seen[which, :-1] = self.seen[which, 1:]
        self.seen[which, -1] = observation

    def inputs(self, rows: list[int] | None = None) -> Tensor:
        """Return what a model takes, float32 `[environments, …]`; `rows` are those still played."""
        seen = self.seen if rows is None else self.seen[rows]
        flat = torch.from_numpy(seen.reshape(len(seen), -1, *seen.shape[3:]) if seen.ndim > 3 else seen[:, 0].copy())
        return flat.float() if self.spec.scale == 1 else flat.float().mul_(self.spec.scale)


class Episode(NamedTuple):
    """How an episode went."""

    score: float  # the sum of its rewards, before clipping
    length: int  # moves
    values: list[float]  # what the best action seemed worth, at each move
    rewards: list[float]  # as learned from
    truncated: bool


def play(
    model: nn.Module,
    spec: ControlSpec,
    environments: list[Environment],
    epsilon: float,
    seeds: list[int],
    watch: Callable[[int, Environment], None] | None = None,
) -> list[Episode]:
    """Play one episode in each environment, side by side, by the best action or now and then a random one.

    Args:
        model: says what each action is worth.
        spec: what the environments promise.
        environments: not begun yet.
        epsilon: share of random actions.
        seeds: of each episode's random actions.
        watch: is shown each environment, with its number, at its beginning and after each move.
    """
    device = next((param.device for param in model.parameters()), torch.device("cpu"))
    draws = [np.random.default_rng(seed) for seed in seeds]
    sight = Sight(spec, len(environments))
    episodes = [Episode(0.0, 0, [], [], False) for _ in environments]
    playing = list(range(len(environments)))
    for i in playing:
        sight.begin(i, environments[i].reset())
        if watch is not None:
            watch(i, environments[i])
    while playing:
        worth, best = model(sight.inputs(playing).to(device)).float().max(1)
        still = []
        for i, value, action in zip(playing, worth.tolist(), best.tolist(), strict=True):
            if epsilon and draws[i].random() < epsilon:
                action = int(draws[i].integers(spec.num_outputs))
            move = environments[i].step(action)
            before = episodes[i]
            before.values.append(value)
            before.rewards.append(move.reward)
            episodes[i] = before._replace(
                score=before.score + move.score, length=before.length + 1, truncated=move.truncated
            )
            if watch is not None:
                watch(i, environments[i])
            if not move.over:
                sight.see(i, move.observation)
                still.append(i)
        playing = still
    return episodes


def overestimation(episodes: list[Episode], discount: float) -> tuple[float, float] | None:
    """Return the mean over moves of what the best action seemed worth, and of the discounted rewards that followed.

    Where an episode was cut off nobody knows what would have followed: moves count whose rewards are known until they
    are discounted to 1 %. None: there are no such moves.
    """
    horizon = int(np.ceil(np.log(NEGLIGIBLE) / np.log(discount))) if discount else 1
    seemed: list[float] = []
    real: list[float] = []
    for episode in episodes:
        following, returns = 0.0, []
        for reward in reversed(episode.rewards):
            following = reward + discount * following
            returns.append(following)
        known = max(0, episode.length - horizon) if episode.truncated else episode.length
        seemed += episode.values[:known]
        real += returns[::-1][:known]
    return (float(np.mean(seemed)), float(np.mean(real))) if seemed else None
