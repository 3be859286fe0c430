"""Stochastic weight averaging: late in a run, networks along the path of descent are averaged, and that is evaluated.

    w_SWA <- (n w_SWA + w) / (n + 1)   every c updates from `start` on; the first w is the one at `start`

Equal weights, at a learning rate that stays large (`schedule: swa`), so the networks lie around a wide minimum and
their mean near its middle. An average has never seen data: batch normalisation's statistics are computed for it in one
pass over the training examples, at the end. Until `start` the evaluated network is the trained one.

With `ema` beside it, the first in the list is evaluated and saved; the other is kept, and said so at the end.

Paper: Izmailov, Podoprikhin, Garipov, Vetrov and Wilson, Averaging Weights Leads to Wider Optima and Better
Generalization, UAI 2018, arXiv:1803.05407, Algorithm 1 and section 3.2.
Departures: before the end of the run, when validation looks, the statistics of batch normalisation are averaged like
the weights. In the pass that computes them, other layers, dropout among them, are as in evaluation. The pass takes the
training examples as the first epoch had them, augmented, without what other regularizers do to a batch.
Checked by: torch.optim.swa_utils.AveragedModel and update_bn; the plain mean of the weights along a run.
"""

import copy
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.algorithms.schedules.base import Moment, to_steps
from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.tasks.seam import Order, Plan, Source, Spec


class SWAConfig(RegularizerConfig):
    """Fields of `swa`."""

    name: Literal["swa"] = "swa"
    start: Moment = Field(
        default=0.75, description="when averaging begins: updates (9000) or a share of the run (0.75)"
    )
    every: int | None = Field(
        default=None, ge=1, description="updates between averaged networks, the cycle length c; null is once an epoch"
    )

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "SWA":
        """Return the average of `model`.

        Raises:
            InputError: the run ends before averaging begins.
        """
        start = to_steps(self.start, plan.steps)
        if start >= plan.steps:
            raise InputError(
                f"algorithm.regularizers: swa.start of {self.start} is not before the end of {plan.steps} steps"
            )
        return SWA(model, plan, start, self.every or plan.steps_per_epoch)


class SWA(Regularizer):
    """Averages networks along the run and evaluates their mean.

    Args:
        model: the network in training.
        plan: the run's plan.
        start: updates made when the first network is taken.
        every: updates between networks.
    """

    def __init__(self, model: nn.Module, plan: Plan, start: int, every: int) -> None:
        super().__init__(model, plan)
        self.start, self.every = start, every
        self.average = copy.deepcopy(model).requires_grad_(False).eval()
        # one that is in evaluation mode in a network that trains is frozen, and keeps its statistics
        both = zip(normalisations(model), normalisations(self.average), strict=True)
        self._layers = [own for layer, own in both if layer.training == model.training]
        self._is_evaluated = False
        self._count = 0  # networks averaged
        self._source: Source | None = None

    @torch.no_grad()
    def after_update(self, step: int) -> None:
        late = step + 1 - self.start  # updates since averaging began
        if late > 0 and late % self.every:
            return
        averages, values = _all_tensors(self.average), _all_tensors(self.model)
        if late <= 0:  # until then, evaluate what is trained
            self._count = int(late == 0)
            torch._foreach_copy_(averages, values)
            return
        self._count += 1
        real = [i for i, average in enumerate(averages) if average.is_floating_point()]
        torch._foreach_lerp_([averages[i] for i in real], [values[i] for i in real], 1 / self._count)
        for average, value in zip(averages, values, strict=True):
            if not average.is_floating_point():
                average.copy_(value)

    def evaluated_model(self) -> nn.Module:
        return self.average

    def watch(self, model: nn.Module) -> None:
        self._is_evaluated = model is self.average  # of several averages, the first is

    def supply(self, source: Source) -> None:
        self._source = source

    def finish(self) -> str | None:
        """Give batch normalisation the statistics of the average."""
        if not self._is_evaluated:
            return (
                "swa: another average comes before it in algorithm.regularizers, and that one was evaluated and saved"
            )
        if self._count == 0:
            return f"swa: the run ended before step {self.start}, where averaging begins; nothing was averaged"
        averaged = "1 network was averaged" if self._count == 1 else f"{self._count} networks were averaged"
        if self._count > 1 and self._source is not None:
            recompute_statistics(self.average, self._layers, self._source, self.plan)
        return f"swa: {averaged}, from step {self.start} on, every {counted(self.every, 'step')}"

    def explain(self) -> list[tuple[str, str]]:
        return [
            (
                "after_update",
                f"weight average: from step {self.start}, take in the new weights every {counted(self.every, 'step')}",
            )
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return the count, and the average unless it is the evaluated network, whose weights a checkpoint has."""
        return {"count": self._count} | ({} if self._is_evaluated else {"average": dict(self.average.state_dict())})

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        if not self._is_evaluated:
            self.average.load_state_dict(state["average"])
        self._count = int(state["count"])


def normalisations(model: nn.Module) -> list[nn.Module]:
    """Return the layers of a network that keep running statistics."""
    return [m for m in model.modules() if isinstance(getattr(m, "running_mean", None), Tensor)]


@torch.no_grad()
def recompute_statistics(model: nn.Module, layers: Sequence[Any], source: Source, plan: Plan) -> None:
    """Set batch normalisations' running mean and variance to those of one pass over the training examples.

    They are the means over batches, a batch counting as much as another. Every process makes the whole pass, so all of
    them come to the same numbers.

    Args:
        model: left in evaluation mode.
        layers: its normalisations, changed in place.
        source: of the training examples.
        plan: says how large a batch is, and how many there are.
    """
    if not layers:
        return
    model.eval()
    usual = [layer.momentum for layer in layers]
    for layer in layers:
        layer.train()
    batches = islice(source.train(Order(plan.seed, plan.batch_size)), plan.steps_per_epoch)
    for number, batch in enumerate(batches, start=1):
        for layer in layers:
            layer.momentum = 1 / number  # the mean of all batches so far
        with plan.autocast():
            model(*batch.inputs)
    for layer, momentum in zip(layers, usual, strict=True):
        layer.momentum = momentum
    model.eval()


def _all_tensors(model: nn.Module) -> list[Tensor]:
    return [*model.parameters(), *model.buffers()]
