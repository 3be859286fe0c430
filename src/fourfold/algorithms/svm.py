"""Support vector machines: the plane with the widest margin, in the kernel's space, for each pair of classes.

    minimise |w|^2 / 2 + C sum_n xi_n,   xi_n >= 0 and >= 1 - t_n (w f(x_n) + b)

Paper: Cortes and Vapnik, Support-Vector Networks, Machine Learning 20, 1995; solved by sequential minimal optimization
(Platt 1998; Chang and Lin's libsvm, in scikit-learn).
Departures: none in the problem that is solved; the training split is taken as it is, without augmentation.
Checked by: scikit-learn's SVC.decision_function and predict, from the tensors; exact resume.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.base import AlgorithmConfig
from fourfold.algorithms.diagnosis import DATA
from fourfold.core.errors import DivergedError, InputError
from fourfold.core.words import counted
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Loss, LossValue, Plan, Source, Training, require_task

BATCH = 1024  # examples described at once


class SVMConfig(AlgorithmConfig):
    """Fields of `algorithm: svm`."""

    name: Literal["svm"] = "svm"
    C: float = Field(default=1.0, gt=0, description="price of an example inside the margin; large ones overfit")
    tolerance: float = Field(default=1e-3, gt=0, le=0.5, description="of the solver, at which it stops")
    cache_mb: int = Field(default=500, ge=1, description="memory for rows of the kernel matrix; only the time depends")

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "SVM":
        """Return the algorithm; the model must be a kernel machine, the task classification."""
        require_task(source.spec, ClassificationSpec, "svm")
        if not hasattr(model, "describe") or not hasattr(model, "store"):
            raise InputError(f"svm is for kernel machines, not {type(model).__name__}; use model=kernel_svm")
        if plan.processes.count > 1:
            raise InputError(f"svm solves in one process, not {plan.processes.count}; use runtime.processes=1")
        return SVM(model, loss, source, plan, self)


class SVM(Training):
    """The solver at work: the first step solves, later ones change nothing.

    Args:
        model: has `describe(x)`, what is compared, `gamma`, and `store(...)` for the solution.
        loss: what is reported; it steers nothing.
        source: labelled examples.
        plan: seed and batch size of the batches whose loss is reported.
        config: C, and how exactly to solve.
    """

    def __init__(self, model: nn.Module, loss: Loss, source: Source, plan: Plan, config: SVMConfig) -> None:
        self.model: Any = model
        self.loss, self.source, self.plan, self.config = loss, source, plan, config
        self._step = 0
        self._stream = source.train(plan.order)

    @torch.no_grad()
    def step(self) -> LossValue:
        """Solve, the first time; the loss is the next batch's at the solution."""
        if self._step == 0:
            self._solve()
        self._step += 1
        batch = next(self._stream)
        return self.loss(self.model(*batch.inputs), batch)

    def _solve(self) -> None:
        from sklearn.svm import SVC

        batches = list(self.source.split("train", BATCH))
        x = torch.cat([self.model.describe(batch.inputs[0]) for batch in batches]).double()
        labels = torch.cat([batch.targets for batch in batches])
        if not x.isfinite().all():
            raise DivergedError(f"step 0: an input of the training split is not finite; {DATA}", 0)
        if len(labels.unique()) < 2:
            raise InputError("svm tells classes apart, and the training split has one")
        chosen, variance = self.model.gamma, float(x.var(correction=0))
        gamma: Any = float(chosen) if chosen != "scale" else 1 / (x.shape[1] * variance) if variance > 0 else 1.0
        settings = self.config
        machine = SVC(C=settings.C, gamma=gamma, tol=settings.tolerance, cache_size=settings.cache_mb)
        machine.fit(x.cpu().numpy(), labels.cpu().numpy())
        weight, bias, counts = solution(machine, len(self.model.counts))
        device = self.model.support.device
        support = torch.as_tensor(machine.support_vectors_, dtype=torch.float32)
        self.model.store(support.to(device), weight.float().to(device), bias.float().to(device), gamma, counts)

    def finish(self) -> list[str]:
        """Say how much of the training split supports the solution."""
        support, train = int(self.model.counts.sum()), self.source.sizes["train"]
        return [
            f"Support vector machine: {support} of {train} training examples are support vectors, "
            f"gamma {float(self.model.scale):.3g}, C {self.config.C:g}."
        ]

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        return [
            "first step only: solve for the widest margins between each two classes, over the whole training split; "
            "the time grows faster than the square of its size",
            f"draw the next {counted(self.plan.batch_size, 'training example')}",
            f"loss: {type(self.loss).__name__} at the solution, only reported",
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return the step; the support vectors are the model's."""
        return {"step": self._step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._step = int(state["step"])
        self._stream.seek(self._step)


def solution(machine: Any, num_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return a fitted SVC's weights `[classes, support]`, biases `[classes, classes]` and support vectors a class.

    Of a class that no example has, each other one is told apart at once.
    """
    classes, counts = machine.classes_.tolist(), machine.n_support_.tolist()
    dual, intercepts = torch.as_tensor(machine.dual_coef_), torch.as_tensor(machine.intercept_)
    if len(classes) == 2:  # scikit-learn turns the sign round where there is one pair: above zero is the second class
        dual, intercepts = -dual, -intercepts
    weight = torch.zeros(num_classes, dual.shape[1], dtype=torch.float64)
    bias = torch.zeros(num_classes, num_classes, dtype=torch.float64)
    starts = [sum(counts[:i]) for i in range(len(classes) + 1)]
    pair = 0
    for i, first in enumerate(classes):
        own = slice(starts[i], starts[i + 1])
        for j, other in enumerate(classes):
            if j != i:
                weight[other, own] = dual[j - 1 if j > i else j, own]  # row j - 1 of class i's is against j
            if j > i:
                bias[first, other] = bias[other, first] = intercepts[pair]
                pair += 1
        for absent in set(range(num_classes)) - set(classes):
            bias[first, absent] = bias[absent, first] = 1.0 if first < absent else -1.0
    number = torch.zeros(num_classes, dtype=torch.int64)
    number[classes] = torch.tensor(counts)
    return weight, bias, number
