"""Gaussian noise on the inputs, new at each step: an example becomes a small cloud.

Paper: Bishop, Training with Noise is Equivalent to Tikhonov Regularization, Neural Computation 7, 1995.
Departures: none. The deviation is in the units the model sees, which are standardised: 1.0 is as large as the data's
own spread.
Checked by: the draws' mean and deviation; the same noise at the same step; the data's own tensors stay as they were.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.core.errors import InputError
from fourfold.tasks.seam import Batch, Plan, Spec


class InputNoiseConfig(RegularizerConfig):
    """Fields of `input_noise`."""

    name: Literal["input_noise"] = "input_noise"
    deviation: float = Field(default=0.1, ge=0, description="of the noise, where the inputs' own is about 1")

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "InputNoise":
        """Return the regularizer of `model`."""
        return InputNoise(model, plan, self.deviation)


def add_noise(x: Tensor, deviation: float, generator: torch.Generator) -> Tensor:
    """Return `x` with independent Gaussian noise on each number."""
    noise = torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
    return torch.add(x, noise, alpha=deviation)


class InputNoise(Regularizer):
    """Adds noise to the inputs that are numbers; token ids and the like stay as they are."""

    def __init__(self, model: nn.Module, plan: Plan, deviation: float) -> None:
        super().__init__(model, plan)
        self.deviation = deviation

    def on_batch(self, batch: Batch, step: int) -> Batch:
        if not any(x.is_floating_point() for x in batch.inputs):
            raise InputError(
                "algorithm.regularizers: input_noise is for inputs that are real numbers; this data has none"
            )
        draw = self.generator(step)
        return batch._replace(
            inputs=tuple(add_noise(x, self.deviation, draw) if x.is_floating_point() else x for x in batch.inputs)
        )

    def explain(self) -> list[tuple[str, str]]:
        return [("on_batch", f"input noise: add Gaussian noise of deviation {self.deviation:g}")]
