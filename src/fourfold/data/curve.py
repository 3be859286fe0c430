"""A noisy sine: one input, one number to predict, and everything about it known.

    y = sin(2 pi x) + e,   e Gaussian with deviation `noise`,   x uniform on 0 to 1

Training and validation examples are drawn; the test inputs stand at equal distances, the same in every run, each with
noise of its own. Each run's seed draws other examples, so runs of several seeds show what varies with the sample.

Source: C. Bishop, Pattern Recognition and Machine Learning, 2006, sections 1.1 and 3.2.
Licence: none needed; the points are drawn here.
Checked by: the residuals' mean and deviation; `truth` against targets without noise.
"""

import math
from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.seeds import stream_seed
from fourfold.data.base import DataConfig, Truth
from fourfold.data.in_memory import InMemorySource
from fourfold.data.rows import measured_rows


class CurveConfig(DataConfig):
    """Fields of `data: curve`."""

    licence: ClassVar[str] = "none needed; the points are drawn here"
    origin: ClassVar[str] = "drawn here: a sine with Gaussian noise"

    name: Literal["curve"] = "curve"
    train_examples: int = Field(default=25, ge=2, le=1_000_000, description="training examples")
    validation_examples: int = Field(default=100, ge=0, le=1_000_000, description="examples that steer training")
    test_examples: int = Field(default=200, ge=1, le=1_000_000, description="test inputs, at equal distances")
    noise: float = Field(default=0.3, ge=0, le=100, description="standard deviation of what is added to the sine")
    data_seed: int | None = Field(default=None, ge=0, description="null: the examples vary with the run's seed")

    def build(self, seed: int, cache: Path) -> InMemorySource:
        """Draw the examples."""
        sizes = {
            "train": self.train_examples,
            "validation": self.validation_examples,
            "test": self.test_examples,
        }
        data_seed = seed if self.data_seed is None else self.data_seed
        x, y, splits, start = [], [], {}, 0
        for i, (name, size) in enumerate(sizes.items()):
            generator = torch.Generator().manual_seed(stream_seed(data_seed, "sample", i))  # sizes change no other draw
            drawn = torch.rand(size, 1, generator=generator, dtype=torch.float64)
            x.append(even(size) if name == "test" else drawn)
            y.append(sine(x[-1]) + self.noise * torch.randn(size, 1, generator=generator, dtype=torch.float64))
            splits[name] = torch.arange(start, start + size)
            start += size
        by = f"the run's seed, {seed}" if self.data_seed is None else f"data.data_seed={self.data_seed}"
        notes = [
            f"y = sin(2 pi x) with Gaussian noise of deviation {self.noise:g}, drawn with {by}",
            f"split: train {self.train_examples:,} and validation {self.validation_examples:,} examples, x uniform on "
            f"0 to 1; test {self.test_examples:,}, x at equal distances, the same in every run",
        ]
        return measured_rows(("x",), torch.cat(x), ("y",), torch.cat(y), splits, "regression", notes)

    def truth(self) -> Truth | None:
        """Return the sine at the test inputs; None where every run has the same training sample."""
        return None if self.data_seed is not None else Truth(sine(even(self.test_examples)), self.noise**2)


def sine(x: Tensor) -> Tensor:
    """Return sin(2 pi x), float64 `[examples, 1]`."""
    return (2 * math.pi * x).sin()


def even(count: int) -> Tensor:
    """Return the middles of `count` equal parts of 0 to 1, float64 `[count, 1]`."""
    return ((torch.arange(count, dtype=torch.float64) + 0.5) / count).unsqueeze(1)
