"""A generator and a discriminator on points in the plane, with two optimizers: the smallest adversarial algorithm.

One step: the discriminator learns to tell real points from generated ones, then the generator learns to fool it
(Goodfellow et al., Generative Adversarial Nets, 2014, Algorithm 1 with k=1 and the non-saturating loss).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.algorithms.base import AlgorithmConfig
from fourfold.algorithms.optimizers import Adam, Momentum
from fourfold.core.config import PartConfig
from fourfold.core.errors import DivergedError
from fourfold.core.seeds import stream_seed
from fourfold.data.encoding import FeaturesEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.tasks.seam import Batch, Features, LossValue, Plan, Scorer, Source, Spec, Training

NOISE = 3


class Judged(NamedTuple):
    """What the network returns: generated points and the discriminator's scores of real and generated ones."""

    samples: Tensor  # [batch, 2]
    real: Tensor  # [batch, 1]
    fake: Tensor  # [batch, 1]


@dataclass(frozen=True)
class PointsSpec(Spec):
    input: Features

    task = "generation"
    headline = "distance"
    higher_is_better = False

    @property
    def num_outputs(self) -> int:
        return 2

    def scorer(self) -> "MeanDistance":
        return MeanDistance()

    def predictions(self, output: Judged) -> list[dict[str, Any]]:
        return [{"x": x, "y": y} for x, y in output.samples.tolist()]

    def draw(self, batch: Batch, output: Any, raw: Any) -> Any:
        raise NotImplementedError


class MeanDistance(Scorer):
    """How far the mean of the generated points is from the mean of the real ones."""

    def __init__(self) -> None:
        self.difference, self.count = torch.zeros(2), 0

    def update(self, output: Judged, batch: Batch) -> None:
        self.difference = self.difference + (output.samples - batch.inputs[0]).sum(0)
        self.count += len(batch.targets)

    def merge(self, other: "MeanDistance") -> None:
        self.difference, self.count = self.difference + other.difference, self.count + other.count

    def compute(self) -> dict[str, float]:
        return {"distance": float((self.difference / self.count).norm())}


class PointsConfig(PartConfig):
    name: Literal["test_points"] = "test_points"

    def build(self, seed: int, cache: Path) -> Source:
        generator = torch.Generator().manual_seed(stream_seed(seed, "split"))
        points = torch.randn(50, 2, generator=generator) * 0.2 + torch.tensor([1.0, -1.0])
        parts = {"train": points[:38], "validation": points[38:44], "test": points[44:]}
        targets = {name: torch.zeros(len(part)) for name, part in parts.items()}
        encoding = FeaturesEncoding.unchanged(("x", "y"))
        return InMemorySource(PointsSpec(Features(("x", "y"))), parts, targets, encoding)


class PairConfig(PartConfig):
    name: Literal["test_pair"] = "test_pair"

    def build(self, spec: Spec) -> "Pair":
        return Pair()


class Pair(nn.Module):
    """Both networks; called, it judges real points and as many generated ones."""

    def __init__(self) -> None:
        super().__init__()
        self.generator = nn.Sequential(nn.Linear(NOISE, 8), nn.Tanh(), nn.Linear(8, 2))
        self.discriminator = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(8, 1))

    def forward(self, points: Tensor) -> Judged:
        generator = torch.Generator(points.device).manual_seed(0)
        samples = self.generator(torch.randn(len(points), NOISE, generator=generator, device=points.device))
        return Judged(samples, self.discriminator(points), self.discriminator(samples))


class AdversarialLossConfig(PartConfig):
    name: Literal["test_adversarial"] = "test_adversarial"

    def build(self, spec: Spec) -> "AdversarialLoss":
        return AdversarialLoss()


class AdversarialLoss:
    """What the discriminator wants: real points scored high, generated ones low."""

    def __call__(self, output: Judged, batch: Batch) -> LossValue:
        real = F.softplus(-output.real).sum()
        fake = F.softplus(output.fake).sum()
        return LossValue(real + fake, len(output.real), {"real": real.detach(), "fake": fake.detach()})


class AdversarialConfig(AlgorithmConfig):
    name: Literal["test_adversarial"] = "test_adversarial"
    lr: float = 0.01

    def build(self, model: nn.Module, loss: Any, source: Source, plan: Plan) -> "Adversarial":
        assert isinstance(model, Pair)
        return Adversarial(model, loss, source, plan, self.lr)


class Adversarial(Training):
    """Both players' moves are one step."""

    def __init__(self, model: Pair, loss: AdversarialLoss, source: Source, plan: Plan, lr: float) -> None:
        self.model, self.loss, self.plan = model, loss, plan
        self._stream = source.train(plan.order)
        self._step = 0
        self.optimizers = {
            "discriminator": Momentum(model.discriminator.parameters(), lr=lr, momentum=0.5),
            "generator": Adam(model.generator.parameters(), lr=lr, betas=(0.5, 0.999)),
        }

    def step(self) -> LossValue:
        model, batch = self.model, next(self._stream)
        assert isinstance(model, Pair)
        generator = torch.Generator().manual_seed(stream_seed(self.plan.seed, "noise", self._step))
        noise = torch.randn(len(batch.targets), NOISE, generator=generator)

        samples = model.generator(noise)
        fake = model.discriminator(samples.detach())
        value = self.loss(Judged(samples, model.discriminator(batch.inputs[0]), fake), batch)
        self._move("discriminator", value.mean)

        fooled = F.softplus(-model.discriminator(samples)).sum() / len(samples)
        self._move("generator", fooled)
        self._step += 1
        return LossValue(value.total.detach(), value.count, {**value.parts, "fooled": fooled.detach() * len(samples)})

    def _move(self, player: str, loss: Tensor) -> None:
        self.model.zero_grad(set_to_none=True)
        if not loss.isfinite():
            raise DivergedError(f"step {self._step}: the {player}'s loss is not finite; the update was not made")
        loss.backward()
        self.optimizers[player].step()

    def state_dict(self) -> dict[str, Any]:
        return {"step": self._step, **{name: o.state_dict() for name, o in self.optimizers.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self._step = state["step"]
        self._stream.seek(self._step)
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(state[name])


PARTS = {
    "data": {"test_points": PointsConfig},
    "model": {"test_pair": PairConfig},
    "loss": {"test_adversarial": AdversarialLossConfig},
    "algorithm": {"test_adversarial": AdversarialConfig},
}
RECIPE: dict[str, Any] = {
    "data": "test_points",
    "model": "test_pair",
    "loss": "test_adversarial",
    "algorithm": "test_adversarial",
    "budget": {"steps": 9, "batch_size": 12, "validate_every": 4, "log_every": 3},
    "runtime": {"device": "cpu", "threads": 1},
}
