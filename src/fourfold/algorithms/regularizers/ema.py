"""Averaged weights: the network that is evaluated and saved is a running average of the one that trains.

    average_n = d_n * average_{n-1} + (1 - d_n) * theta_n,   d_n = min(decay, 1 - 1 / n),   n = 1, 2, …

so the first 1 / (1 - decay) updates are averaged equally, and later ones exponentially; initial weights never count.

Paper: Polyak and Juditsky, Acceleration of Stochastic Approximation by Averaging, SIAM Journal on Control and
Optimization 30, 1992 (equal weights); the exponential form with this start from Tarvainen and Valpola, Mean teachers
are better role models, NeurIPS 2017, arXiv:1703.01780.
Departures: buffers of real numbers (the running statistics of batch normalisation) are averaged with the same weights,
others are copied.
Checked by: torch.optim.swa_utils.AveragedModel; the plain mean where decay is 1.
"""

import copy
from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.tasks.seam import Plan, Spec


class EMAConfig(RegularizerConfig):
    """Fields of `ema`."""

    name: Literal["ema"] = "ema"
    decay: float = Field(default=0.999, ge=0, le=1, description="share of the average kept each step; 1 is the mean")

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "EMA":
        """Return the average of `model`."""
        return EMA(model, plan, self.decay)


def average_in(averages: list[Tensor], values: list[Tensor], decay: float, count: int) -> None:
    """Move `averages` towards `values`, the `count`-th to be averaged (from 1), in place."""
    torch._foreach_lerp_(averages, values, 1 - min(decay, 1 - 1 / count))


class EMA(Regularizer):
    """Keeps the average of a network's weights and evaluates that."""

    def __init__(self, model: nn.Module, plan: Plan, decay: float) -> None:
        super().__init__(model, plan)
        self.decay = decay
        self.average = copy.deepcopy(model).requires_grad_(False).eval()
        self._is_evaluated = False
        self._count = 0

    @torch.no_grad()
    def after_update(self, step: int) -> None:
        self._count += 1
        averages, values = _all_tensors(self.average), _all_tensors(self.model)
        real = [i for i, average in enumerate(averages) if average.is_floating_point()]
        average_in([averages[i] for i in real], [values[i] for i in real], self.decay, self._count)
        for average, value in zip(averages, values, strict=True):
            if not average.is_floating_point():
                average.copy_(value)

    def evaluated_model(self) -> nn.Module:
        return self.average

    def watch(self, model: nn.Module) -> None:
        self._is_evaluated = model is self.average  # of several averages, the first is

    def explain(self) -> list[tuple[str, str]]:
        return [("after_update", f"weight average: move it to the new weights, keeping {self.decay:g}")]

    def state_dict(self) -> dict[str, Any]:
        """Return the count, and the average unless it is the evaluated network, whose weights a checkpoint has."""
        return {"count": self._count} | ({} if self._is_evaluated else {"average": dict(self.average.state_dict())})

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if not self._is_evaluated:
            self.average.load_state_dict(state["average"])
        self._count = int(state["count"])


def _all_tensors(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]
