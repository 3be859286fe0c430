"""Counting: a model of counts goes over the training split once, and is done.

For a Markov model this is maximum likelihood before smoothing: the relative frequency of what came after a context.

Source: Markov, An Example of Statistical Investigation of the Text Eugene Onegin, 1913; Shannon 1948, section 3.
Departures: none.
Checked by: the model's counts by hand; exact resume.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from torch import nn

from fourfold.algorithms.base import AlgorithmConfig
from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.tasks.seam import Loss, LossValue, Plan, Source, Training

BATCH = 1024  # examples counted at once


class CountingConfig(AlgorithmConfig):
    """Fields of `algorithm: counting`."""

    name: Literal["counting"] = "counting"

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "Counting":
        """Return the algorithm; the model must be one that counts."""
        if not hasattr(model, "count"):
            raise InputError(f"counting is for models of counts, not {type(model).__name__}; use model=markov")
        if plan.processes.count > 1:
            raise InputError(f"counting is done in one process, not {plan.processes.count}; use runtime.processes=1")
        return Counting(model, loss, source, plan)


class Counting(Training):
    """Counting at work: the first step counts, later ones change nothing.

    Args:
        model: has `count(batches)`.
        loss: what is reported; it steers nothing.
        source: what is counted.
        plan: seed and batch size of the batches whose loss is reported.
    """

    def __init__(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> None:
        self.model: Any = model
        self.loss, self.source, self.plan = loss, source, plan
        self._step = 0
        self._stream = source.train(plan.order)

    @torch.no_grad()
    def step(self) -> LossValue:
        """Count, the first time; the loss is the next batch's, by the counts."""
        if self._step == 0:
            self.model.count(self.source.split("train", BATCH))
        self._step += 1
        batch = next(self._stream)
        return self.loss(self.model(*batch.inputs), batch)

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        return [
            "first step only: count what comes after each context, over the whole training split",
            f"draw the next {counted(self.plan.batch_size, 'training example')}",
            f"loss: {type(self.loss).__name__} by the counts, only reported",
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return the step; the counts are the model's."""
        return {"step": self._step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._step = int(state["step"])
        self._stream.seek(self._step)
