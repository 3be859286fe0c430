"""Control: choosing actions so that an environment's rewards add up to much.

Output: the worth of each action, `[batch, actions]`. There are no labelled examples: a source gives environments, and
an algorithm that acts makes its own targets, `TDTargets`.

Source: Sutton and Barto, Reinforcement Learning: An Introduction, second edition, 2018, chapter 3 (returns, discount,
episodes that end and those that are cut off).
Checked by: returns added up by hand; environments restored after every move.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from fourfold.core.errors import CheckpointError, DivergedError, InputError
from fourfold.tasks.inputs import AnyInput
from fourfold.tasks.seam import Batch, Order, Scorer, Source, Spec, Stream

Observation = NDArray[Any]  # a row, float32 [numbers]; or a frame, uint8 [channels, height, width]


class Move(NamedTuple):
    """What an environment answers to an action."""

    observation: Observation
    reward: float  # to learn from
    score: float  # to be judged by: the reward before it was clipped
    terminated: bool  # nothing can follow: the worth of what comes after is 0
    truncated: bool  # cut off, as by a time limit: something would have followed
    over: bool  # the episode is over; a life lost in a game terminates, and the game goes on


class TDTargets(NamedTuple):
    """What a temporal-difference loss compares the worth of actions with."""

    actions: Tensor  # those taken, int64 [batch]
    returns: Tensor  # what they should be worth, [batch]
    weights: Tensor | None = None  # importance of each example, [batch]; None: 1


@dataclass(frozen=True)
class ControlSpec(Spec):
    """What an environment promises.

    Attributes:
        input: what a model sees: a row of numbers, or `stack` frames, their channels one after another.
        actions: a name for each.
        discount: what a reward is worth one move later, gamma.
        stack: frames that a model sees at once, the newest last; those before an episode's first are 0.
        scale: what stored numbers are multiplied by on the way to the model.
    """

    input: AnyInput
    actions: tuple[str, ...]
    discount: float = 0.99
    stack: int = 1
    scale: float = 1.0

    task = "control"
    headline = "return"
    higher_is_better = True
    metrics = {  # noqa: RUF012
        "return": True,
        "lowest_return": True,
        "highest_return": True,
        "discounted_return": True,
        "overestimation": False,
    }
    counts = "transitions"

    @property
    def num_outputs(self) -> int:
        """One number an action: what it is worth."""
        return len(self.actions)

    @property
    def frame(self) -> tuple[int, ...]:
        """The shape of one observation as an environment gives it."""
        whole = tuple(self.example()[0].shape[1:])
        return whole if self.stack == 1 else (whole[0] // self.stack, *whole[1:])

    def scorer(self) -> Scorer:
        """Refuse: an environment is scored by playing.

        Raises:
            InputError: always.
        """
        raise InputError("an environment is scored by playing it; it has no labelled examples")

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """Return the action that is worth most, and what each is worth."""
        worth = output.detach().float().cpu()
        return [
            {"action": self.actions[best], "values": dict(zip(self.actions, row, strict=True))}
            for best, row in zip(worth.argmax(1).tolist(), worth.tolist(), strict=True)
        ]

    def draw(self, batch: Batch, output: Any, raw: Any) -> Any:
        """Refuse: what is drawn of an environment is its play.

        Raises:
            InputError: always.
        """
        raise InputError("an environment has no examples to draw; fourfold play shows it")


class Environment(ABC):
    """One environment, played episode after episode; each begins from a seed of its own.

    So its state is the number of the episode and the actions since it began, which are played again to restore it.

    Args:
        seed_of: the seed of an episode, by its number from 0; below 2**31.
    """

    def __init__(self, seed_of: Callable[[int], int]) -> None:
        self._seed_of = seed_of
        self._episode, self._over = -1, True
        self._actions: list[int] = []
        self._last: Observation = np.zeros(0)

    @abstractmethod
    def begin(self, seed: int) -> Observation:
        """Begin an episode that depends on `seed` and the actions alone; return its first observation."""

    @abstractmethod
    def move(self, action: int) -> Move:
        """Do one action."""

    @abstractmethod
    def render(self) -> NDArray[Any]:
        """Return a picture of what is to be seen now, uint8 `[height, width, 3]`.

        Raises:
            InputError: it cannot be drawn.
        """

    def reset(self) -> Observation:
        """Begin the next episode, or go on with one that is not over; return what is to be seen."""
        if self._over:
            self._episode += 1
            self._actions.clear()
            self._over = False
            self._last = self.begin(self._seed_of(self._episode))
        return self._last

    def step(self, action: int) -> Move:
        """Do one action; after one that ended something, `reset` comes first.

        Raises:
            DivergedError: the reward is no number; it says nothing of the step.
        """
        move = self.move(action)
        if not math.isfinite(move.score):
            raise DivergedError(
                f"the environment gave a reward of {move.score} for move {len(self._actions)} of episode "
                f"{self._episode}, both counted from 0; mend the environment"
            )
        self._actions.append(action)
        self._last, self._over = move.observation, move.over
        return move

    def state_dict(self) -> dict[str, Any]:
        """Return which episode it is, what was done in it, and what is to be seen."""
        return {
            "episode": self._episode,
            "over": self._over,
            "actions": torch.tensor(self._actions, dtype=torch.int16),
            "observation": torch.from_numpy(self._last.copy()),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Play the episode again up to where it was.

        Raises:
            CheckpointError: something else is to be seen than before.
        """
        self._episode, self._over = int(state["episode"]), bool(state["over"])
        self._actions = state["actions"].tolist()
        if self._episode < 0:
            return
        last = self.begin(self._seed_of(self._episode))
        for action in self._actions:
            last = self.move(action).observation
        expected = state["observation"].numpy()
        if last.shape != expected.shape or last.tobytes() != expected.tobytes():
            raise CheckpointError(
                "the environment cannot be restored: from the same seed and actions it did not come to where it was; "
                "it is not deterministic, or another version of it"
            )
        self._last = last


class ControlSource(Source):
    """An environment as a source of data.

    Attributes:
        encoding: how a row of numbers that somebody gives becomes an input; None: only playing makes inputs.
    """

    spec: ControlSpec
    encoding: Any = None

    @abstractmethod
    def environment(self, number: int = 0) -> Environment:
        """Return training's environment `number`, each of which has episodes of its own."""

    @abstractmethod
    def evaluated(self, split: str, episode: int) -> Environment:
        """Return an environment whose first episode is number `episode` of a split that is no end of training."""

    @abstractmethod
    def shown(self, seed: int, episode: int, drawn: bool) -> Environment:
        """Return an environment to show somebody, whose first episode no split has.

        Args:
            seed: of whoever wants to see it.
            episode: which one.
            drawn: whether pictures of it are wanted.
        """

    @abstractmethod
    def evaluate(self, model: nn.Module, split: str) -> dict[str, float]:
        """Play a split's episodes."""

    def train(self, order: Order) -> Stream:
        """Refuse: nobody has acted yet.

        Raises:
            InputError: always.
        """
        raise InputError(
            "data: an environment has no batches of examples; it needs an algorithm that acts, such as q_learning"
        )

    def split(self, name: str, batch_size: int) -> Iterable[Batch]:
        """Refuse, as `train` does.

        Raises:
            InputError: always.
        """
        raise InputError("data: an environment has no examples; fourfold play shows what a run does in it")

    def raw(self, name: str, indices: list[int]) -> Any:
        """Refuse, as `split` does.

        Raises:
            InputError: always.
        """
        raise InputError("data: an environment has no examples; fourfold play shows what a run does in it")

    def to(self, device: torch.device) -> "ControlSource":
        """Return self: environments stay where they are."""
        return self
