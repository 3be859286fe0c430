"""A slippery corridor learned by Q-learning with replay and a target network: the smallest algorithm whose data is
an environment.

Mnih et al., Human-level control through deep reinforcement learning, 2015, Algorithm 1, on a chain of states.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.algorithms.base import AlgorithmConfig
from fourfold.algorithms.optimizers import RMSprop
from fourfold.core.config import PartConfig
from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.tasks.seam import Batch, Features, LossValue, Order, Plan, Scorer, Source, Spec, Stream, Training

LENGTH, LIMIT = 5, 12  # states in the corridor, moves in an episode
DISCOUNT, CAPACITY, SYNC = 0.9, 20, 4


class Corridor:
    """Start at the left; reward 1 at the right end; one move in ten slips back."""

    def __init__(self, seed: int) -> None:
        self.generator = torch.Generator().manual_seed(seed)
        self.position, self.moves = 0, 0

    def reset(self) -> Tensor:
        self.position, self.moves = 0, 0
        return self.observation()

    def observation(self) -> Tensor:
        return F.one_hot(torch.tensor(self.position), LENGTH).float()

    def move(self, action: int) -> tuple[Tensor, float, bool]:
        slipped = float(torch.rand((), generator=self.generator)) < 0.1
        self.position = max(0, self.position + (1 if action == 1 and not slipped else -1))
        self.moves += 1
        arrived = self.position == LENGTH - 1
        return self.observation(), float(arrived), arrived or self.moves == LIMIT

    def state_dict(self) -> dict[str, Any]:
        return {"position": self.position, "moves": self.moves, "generator": self.generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.position, self.moves = state["position"], state["moves"]
        self.generator.set_state(state["generator"])


@dataclass(frozen=True)
class ReturnSpec(Spec):
    input: Features

    task = "control"
    headline = "return"
    higher_is_better = True

    @property
    def num_outputs(self) -> int:
        return 2

    def scorer(self) -> Scorer:
        raise NotImplementedError

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        return [{"action": action} for action in output.argmax(1).tolist()]

    def draw(self, batch: Batch, output: Any, raw: Any) -> Any:
        raise NotImplementedError


class CorridorSource(Source):
    """An environment as a data source: no labelled examples; a split is a number of episodes."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.spec = ReturnSpec(Features(tuple(f"at{i}" for i in range(LENGTH))))
        self.sizes = {"train": 12, "validation": 3, "test": 4}
        self.notes = []

    def environment(self) -> Corridor:
        return Corridor(stream_seed(self.seed, "environment"))

    def evaluate(self, model: nn.Module, split: str) -> dict[str, float]:
        total = 0.0
        for episode in range(self.sizes[split]):
            corridor = Corridor(stream_seed(self.seed, "environment", 1 + len(split), episode))
            observation, ended = corridor.reset(), False
            while not ended:
                observation, reward, ended = corridor.move(int(model(observation[None]).argmax()))
                total += reward
        return {"return": total / self.sizes[split]}

    def train(self, order: Order) -> Stream:
        raise InputError("an environment has no batches; it needs an algorithm that acts")

    def split(self, name: str, batch_size: int) -> Iterable[Batch]:
        raise NotImplementedError

    def raw(self, name: str, indices: list[int]) -> Any:
        raise NotImplementedError

    def to(self, device: torch.device) -> "CorridorSource":
        return self


class CorridorConfig(PartConfig):
    name: Literal["test_corridor"] = "test_corridor"

    def build(self, seed: int, cache: Path) -> Source:
        return CorridorSource(seed)


class TemporalDifferenceConfig(PartConfig):
    name: Literal["test_td"] = "test_td"

    def build(self, spec: Spec) -> "TemporalDifference":
        return TemporalDifference()


class TemporalDifference:
    def __call__(self, output: Tensor, batch: Batch) -> LossValue:
        return LossValue(F.mse_loss(output, batch.targets, reduction="sum"), len(output))


class QLearningConfig(AlgorithmConfig):
    name: Literal["test_q_learning"] = "test_q_learning"
    lr: float = 0.01

    def build(self, model: nn.Module, loss: Any, source: Source, plan: Plan) -> "QLearning":
        assert isinstance(source, CorridorSource)
        return QLearning(model, loss, source, plan, self.lr)


class QLearning(Training):
    """Act, remember, learn from a remembered batch; now and then copy the network."""

    def __init__(self, model: nn.Module, loss: Any, source: CorridorSource, plan: Plan, lr: float) -> None:
        from copy import deepcopy

        self.model, self.loss, self.plan = model, loss, plan
        self.target = deepcopy(model)
        self.optimizer = RMSprop(model.parameters(), lr=lr)
        self.environment = source.environment()
        self._observation = self.environment.reset()
        self._step = 0
        self.replay = {
            "before": torch.zeros(CAPACITY, LENGTH),
            "action": torch.zeros(CAPACITY, dtype=torch.int64),
            "reward": torch.zeros(CAPACITY),
            "after": torch.zeros(CAPACITY, LENGTH),
            "ended": torch.zeros(CAPACITY, dtype=torch.bool),
        }

    @property
    def epsilon(self) -> float:
        return max(0.1, 1 - self._step / self.plan.steps)

    def step(self) -> LossValue:
        draws = torch.Generator().manual_seed(stream_seed(self.plan.seed, "sample", self._step))
        self._act(draws)
        held = min(self._step + 1, CAPACITY)
        chosen = torch.randint(held, (self.plan.batch_size,), generator=draws)
        memory = {name: part[chosen] for name, part in self.replay.items()}
        with torch.no_grad():
            future = self.target(memory["after"]).max(1).values * ~memory["ended"]
        values = self.model(memory["before"]).gather(1, memory["action"][:, None])[:, 0]
        value = self.loss(values, Batch((memory["before"],), memory["reward"] + DISCOUNT * future))
        self.optimizer.zero_grad()
        value.mean.backward()
        self.optimizer.step()
        self._step += 1
        if self._step % SYNC == 0:
            self.target.load_state_dict(self.model.state_dict())
        return LossValue(value.total.detach(), value.count)

    def _act(self, draws: torch.Generator) -> None:
        if float(torch.rand((), generator=draws)) < self.epsilon:
            action = int(torch.randint(2, (), generator=draws))
        else:
            with torch.no_grad():
                action = int(self.model(self._observation[None]).argmax())
        after, reward, ended = self.environment.move(action)
        remembered = {"before": self._observation, "action": action, "reward": reward, "after": after, "ended": ended}
        for name, what in remembered.items():
            self.replay[name][self._step % CAPACITY] = what
        self._observation = self.environment.reset() if ended else after

    def gauges(self) -> dict[str, float]:
        return {"epsilon": self.epsilon}

    def state_dict(self) -> dict[str, Any]:
        return {
            "step": self._step,
            "optimizer": self.optimizer.state_dict(),
            "target": self.target.state_dict(),
            "replay": self.replay,
            "environment": self.environment.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._step = state["step"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.target.load_state_dict(state["target"])
        self.replay = dict(state["replay"])
        self.environment.load_state_dict(state["environment"])
        self._observation = self.environment.observation()


PARTS = {
    "data": {"test_corridor": CorridorConfig},
    "loss": {"test_td": TemporalDifferenceConfig},
    "algorithm": {"test_q_learning": QLearningConfig},
}
RECIPE: dict[str, Any] = {
    "data": "test_corridor",
    "model": {"name": "mlp", "widths": [6], "dropout": 0.2},
    "loss": "test_td",
    "algorithm": "test_q_learning",
    "budget": {"steps": 30, "batch_size": 8, "validate_every": 7, "log_every": 4},
    "runtime": {"device": "cpu", "threads": 1},
}
