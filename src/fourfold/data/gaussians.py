"""Points of a mixture of Gaussians in the plane, on a grid or on a ring, for whom makes more of them.

Each training batch is drawn afresh from the mixture, by the seed and the step; validation and test points are drawn
once, by `data_seed`. Every component is equally likely.

Sources: the grid of 25 is Srivastava et al.'s, VEEGAN, NeurIPS 2017, arXiv:1705.07761, section 4.1 (centres 2 apart,
deviation 0.05); the ring of 8 is Metz et al.'s, Unrolled Generative Adversarial Networks, ICLR 2017, arXiv:1611.02163
(radius 2, deviation 0.02).
Licence: none needed; the points are drawn here.
Checked by: moments; centres by hand; a step's points by seeking and by replay.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.core.seeds import stream_seed
from fourfold.data.base import DataConfig
from fourfold.data.encoding import FeaturesEncoding
from fourfold.data.epochs import SteppedStream
from fourfold.data.synthesis.frechet import frechet_distance, moments
from fourfold.data.synthesis.made import SPLITS, a_few, make
from fourfold.data.synthesis.modes import coverage
from fourfold.tasks.inputs import Features
from fourfold.tasks.seam import Batch, Order, Source
from fourfold.tasks.synthesis import PointSynthesisSpec
from fourfold.tasks.synthesis_drawing import plane

NAMES = ("x", "y")
SHOWN = 1000  # points of a snapshot


class GaussiansConfig(DataConfig):
    """Fields of `data: gaussians`."""

    licence: ClassVar[str] = "none needed; the points are drawn here"
    origin: ClassVar[str] = "a mixture of Gaussians, drawn here"

    name: Literal["gaussians"] = "gaussians"
    layout: Literal["grid", "ring"] = Field(default="grid", description="a square grid, or a circle around 0")
    components: int = Field(default=25, ge=1, le=10_000, description="of the mixture; of a grid, a square number")
    spacing: float = Field(
        default=2.0, gt=0, le=100, description="between neighbours on the grid; of a ring, the radius"
    )
    deviation: float = Field(default=0.05, gt=0, le=100, description="of each coordinate around its centre")
    examples: int = Field(default=10_000, ge=1, le=10**9, description="training points that count as an epoch")
    scored: int = Field(
        default=2500, ge=10, le=1_000_000, description="points of a split, and as many made ones, that scores are of"
    )
    data_seed: int | None = Field(
        default=0, ge=0, description="of validation and test points; null: they vary with the run's seed"
    )

    def build(self, seed: int, cache: Path) -> "GaussiansSource":
        """Place the components, and draw the points that are not trained on."""
        return GaussiansSource(self, self.centres(), seed)

    def centres(self) -> Tensor:
        """Return the components' centres, float64 `[components, 2]`, around 0.

        Raises:
            InputError: a grid of a number that is no square.
        """
        if self.layout == "ring":
            angles = torch.arange(self.components, dtype=torch.float64) * (2 * math.pi / self.components)
            return self.spacing * torch.stack([angles.cos(), angles.sin()], 1)
        side = math.isqrt(self.components)
        if side**2 != self.components:
            nearest = round(math.sqrt(self.components)) ** 2
            raise InputError(
                f"data.components: {self.components} is no square number, as a grid needs; the nearest is {nearest}"
            )
        along = self.spacing * (torch.arange(side, dtype=torch.float64) - (side - 1) / 2)
        return torch.cartesian_prod(along, along).view(-1, 2)


def draw(centres: Tensor, deviation: float, count: int, seed: int) -> Tensor:
    """Return points of the mixture, float64 `[count, 2]`."""
    generator = torch.Generator().manual_seed(seed)
    chosen = torch.randint(len(centres), (count,), generator=generator)
    return centres[chosen] + deviation * torch.randn(count, 2, generator=generator, dtype=torch.float64)


class GaussiansSource(Source):
    """A mixture of Gaussians.

    Args:
        config: how it is drawn.
        centres: float64 `[components, 2]`.
        seed: the run's.
    """

    def __init__(self, config: GaussiansConfig, centres: Tensor, seed: int) -> None:
        self.spec = PointSynthesisSpec(Features(NAMES))
        self.encoding = FeaturesEncoding.unchanged(NAMES)
        self.sizes = {"train": config.examples, "validation": config.scored, "test": config.scored}
        self.centres, self.deviation = centres, config.deviation
        self._seed = seed
        data_seed = seed if config.data_seed is None else config.data_seed
        self._points = {
            split: draw(centres, config.deviation, config.scored, stream_seed(data_seed, "sample", i))
            for i, split in enumerate(SPLITS)
        }
        self._device = torch.device("cpu")
        by = f"the run's seed, {seed}" if config.data_seed is None else f"data.data_seed={config.data_seed}"
        self.notes = [
            f"{len(centres)} components on a {config.layout}, each with a deviation of {config.deviation:g}",
            f"training points are drawn afresh at each step, {config.examples:,} count as an epoch; validation and "
            f"test, {config.scored:,} points each, drawn with {by}",
            "inputs: 2 numbers, not standardised",
            f"scores are of {config.scored:,} points of a split and as many made ones",
        ]

    def train(self, order: Order) -> "PointsStream":
        """Return the endless training stream, at step 0."""
        return PointsStream(self.centres, self.deviation, order, self._device)

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        """Return a split in order; of the training split, as many points as others have."""
        for part in self._points[name].float().to(self._device).split(batch_size):
            yield Batch((part,), torch.zeros(len(part), device=self._device))

    def raw(self, name: str, indices: list[int]) -> Tensor:
        """Return points of a split."""
        return self._points[name][indices]

    def evaluate(self, model: nn.Module, split: str) -> dict[str, float]:
        """Return how well points that are made now cover the mixture."""
        given = self._points[split]
        made, accuracy = make(model, given.float().to(self._device), self._seed, split)
        points = made.cpu().double()
        scores = coverage(points, self.centres, self.deviation)
        distance = frechet_distance(moments(given), moments(points))
        return {**scores, "frechet_distance": distance, "discriminator_accuracy": accuracy}

    def snapshot(self, model: nn.Module) -> Tensor | None:
        """Return where points that are made now lie, of the same latents each time."""
        made = a_few(model, SHOWN, self._device)
        return None if made is None else plane(made, 1.15 * float(self.centres.abs().max()) + 3 * self.deviation)

    def to(self, device: torch.device) -> "GaussiansSource":
        """Deliver batches on `device`."""
        self._device = device
        return self


class PointsStream(SteppedStream):
    """Endless batches, each drawn by the seed and its step; with several processes, each takes its share of it."""

    def __init__(self, centres: Tensor, deviation: float, order: Order, device: torch.device) -> None:
        self._centres, self._deviation, self._order, self._device = centres, deviation, order, device

    def batch(self, step: int) -> Batch:
        """Return this process's share of a step's batch."""
        order = self._order
        seed = stream_seed(order.seed, "order", step)
        points = draw(self._centres, self._deviation, order.batch_size, seed)
        share = points.tensor_split(order.processes)[order.rank].float().to(self._device)
        return Batch((share,), torch.zeros(len(share), device=self._device))
