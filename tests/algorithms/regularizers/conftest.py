"""A tiny regression in float64 that the supervised algorithm can train on."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.algorithms.regularizers import REGULARIZERS
from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.algorithms.supervised import Supervised, SupervisedConfig
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.processes import OneProcess
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Features, Image, LossValue, Order, Plan, Source, Spec


class ToyStream:
    def __init__(self, inputs: Tensor, targets: Tensor, order: Order) -> None:
        self.inputs, self.targets, self.order, self.step = inputs, targets, order, 0

    def seek(self, step: int) -> None:
        self.step = step

    def __iter__(self) -> Iterator[Batch]:
        return self

    def __next__(self) -> Batch:
        rows = torch.randperm(len(self.inputs), generator=torch.Generator().manual_seed(self.step))
        rows = rows[: self.order.batch_size]
        self.step += 1
        return Batch((self.inputs[rows],), self.targets[rows])


class ToySource(Source):
    def __init__(self, pictures: bool = False) -> None:
        draw = torch.Generator().manual_seed(0)
        if pictures:
            self.inputs = torch.randn(40, 1, 18, 18, generator=draw, dtype=torch.float64)
            self.targets = self.inputs.flatten(1)[:, :3].argmax(1)
            self.spec = picture_spec()
        else:
            self.inputs = torch.randn(40, 3, generator=draw, dtype=torch.float64)
            self.targets = self.inputs @ torch.tensor([[1.0], [-2.0], [0.5]], dtype=torch.float64)
            self.spec = toy_spec()
        self.sizes = {"train": 40}
        self.notes = []

    def train(self, order: Order) -> ToyStream:
        return ToyStream(self.inputs, self.targets, order)

    def split(self, name: str, batch_size: int) -> list[Batch]:
        return [Batch((self.inputs,), self.targets)]

    def raw(self, name: str, indices: list[int]) -> Tensor:
        return self.inputs[indices]

    def to(self, device: torch.device) -> "ToySource":
        return self


def toy_spec() -> Spec:
    return RegressionSpec(Features(("a", "b", "c")), ("y",), (0.0,), (1.0,))


def picture_spec() -> ClassificationSpec:
    return ClassificationSpec(Image(1, 18, 18), ("x", "y", "z"))


def picture_net() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Flatten(), nn.Linear(324, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 3)).double()


def cross_entropy(output: Tensor, batch: Batch) -> LossValue:
    return LossValue(F.cross_entropy(output, batch.targets, reduction="sum"), len(output))


def toy_net() -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 1)).double()


def squared(output: Tensor, batch: Batch) -> LossValue:
    return LossValue((output - batch.targets).square().sum(), len(output))


@dataclass
class Rank(OneProcess):
    rank: int = 0


class Toy:
    """Builds the parts; every call gives new ones that start alike."""

    net = staticmethod(toy_net)
    source = staticmethod(ToySource)
    spec = staticmethod(toy_spec)
    squared = staticmethod(squared)
    picture_net = staticmethod(picture_net)
    picture_spec = staticmethod(picture_spec)

    def plan(self, steps: int = 100, seed: int = 0, rank: int = 0) -> Plan:
        return Plan(seed=seed, steps=steps, batch_size=16, processes=Rank(rank))

    def regularizer(self, config: Any, net: nn.Module | None = None, **plan: int) -> Any:
        parsed = REGULARIZERS.parse(config, "algorithm.regularizers.0")
        assert isinstance(parsed, RegularizerConfig)
        built = parsed.build(net if net is not None else toy_net(), toy_spec(), self.plan(**plan))
        assert isinstance(built, Regularizer)
        return built

    def training(self, regularizers: list[Any], optimizer: Any = "sgd", schedule: Any = "constant") -> Supervised:
        config = SupervisedConfig.model_validate(
            {"optimizer": optimizer, "schedule": schedule, "regularizers": regularizers}
        )
        return config.build(toy_net(), squared, ToySource(), self.plan())

    def pictures(self, regularizers: list[Any], optimizer: Any = "sgd", schedule: Any = "constant") -> Supervised:
        """Return the same for 40 pictures of 18x18 in three classes."""
        config = SupervisedConfig.model_validate(
            {"optimizer": optimizer, "schedule": schedule, "regularizers": regularizers}
        )
        return config.build(picture_net(), cross_entropy, ToySource(pictures=True), self.plan())

    def by_hand(self, net: nn.Module, step: int) -> Tensor:
        """Return the mean loss of the batch that the toy source gives at `step`."""
        stream = ToySource().train(self.plan().order)
        stream.seek(step)
        batch = next(stream)
        return squared(net(*batch.inputs), batch).mean


@pytest.fixture
def toy() -> Toy:
    return Toy()
