"""Supervised gradient descent: the default algorithm.

One step: draw a batch, forward, loss, backward, refuse anything that is not finite, regularize, update. Gradients
are of the mean loss over the whole batch, sum(total) / sum(count), however it is cut into micro-batches and processes.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
from pydantic import BeforeValidator, Field, SerializeAsAny
from torch import Tensor, nn

from fourfold.algorithms.base import AlgorithmConfig
from fourfold.algorithms.coupled_gradient import CoupledGradient
from fourfold.algorithms.diagnosis import LATER, diagnose
from fourfold.algorithms.fine_tuning import FineTuning, LrFactor, listed
from fourfold.algorithms.finite import FiniteCheck
from fourfold.algorithms.gradient import Gradient
from fourfold.algorithms.one_graph import GradientGraph, StepGraph
from fourfold.algorithms.optimizers import OPTIMIZERS
from fourfold.algorithms.optimizers.base import Optimizer, OptimizerConfig
from fourfold.algorithms.regularizers import REGULARIZERS
from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig, tell_apart, with_hook
from fourfold.algorithms.schedules import SCHEDULES
from fourfold.algorithms.schedules.base import Schedule, ScheduleConfig
from fourfold.algorithms.soft_targets import require_soft_targets
from fourfold.core.errors import DivergedError, InputError
from fourfold.core.registry import choice_of
from fourfold.core.words import counted
from fourfold.tasks.auxiliary import AuxiliaryLoss
from fourfold.tasks.seam import Batch, Loss, LossValue, Plan, Source, Training
from fourfold.tasks.synthesis import SynthesisSpec

AnyOptimizer = Annotated[SerializeAsAny[OptimizerConfig], choice_of(OPTIMIZERS, "algorithm.optimizer")]
AnySchedule = Annotated[SerializeAsAny[ScheduleConfig], choice_of(SCHEDULES, "algorithm.schedule")]
AnyRegularizer = Annotated[SerializeAsAny[RegularizerConfig], choice_of(REGULARIZERS, "algorithm.regularizers")]


class DescentConfig(AlgorithmConfig):
    """The fields of gradient descent, for one network or for each member of an ensemble."""

    optimizer: AnyOptimizer = Field(default="adam", description="how a gradient becomes an update")  # type: ignore[assignment]
    schedule: AnySchedule = Field(default="constant", description="learning rate over the run")  # type: ignore[assignment]
    regularizers: list[AnyRegularizer] = Field(default=[], description="applied in this order")
    freeze: list[str] = Field(
        default=[], description="what stands still: beginnings of parameters' names, or patterns (features, *.bias)"
    )
    lr_factors: Annotated[list[LrFactor], BeforeValidator(listed)] = Field(
        default=[], description="on the learning rate of some parameters, such as {features: 0.1}; the last one counts"
    )

    def descent(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "Supervised":
        """Return the descent of one network, at step 0.

        Raises:
            InputError: no parameter of it takes a gradient, or it has none of those named.
        """
        if isinstance(source.spec, SynthesisSpec):
            raise InputError(
                "gradient descent moves all of a network one way, and this data is for two players that go against "
                "each other; use algorithm=adversarial"
            )
        if not any(p.requires_grad for p in model.parameters()):
            raise InputError(
                f"gradient descent has nothing to move: no parameter of {type(model).__name__} takes a gradient "
                "(model=kernel_svm is solved by algorithm=svm)"
            )
        tuning = FineTuning(model, self.freeze, self.lr_factors)
        return Supervised(
            model,
            loss,
            source,
            plan,
            tuning.build(self.optimizer),
            self.schedule.build(plan.steps),
            [regularizer.build(model, source.spec, plan) for regularizer in self.regularizers],
            tuning,
        )


class SupervisedConfig(DescentConfig):
    """Fields of `algorithm: supervised`."""

    name: Literal["supervised"] = "supervised"

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "Supervised":
        """Return the algorithm at step 0."""
        return self.descent(model, loss, source, plan)


class Supervised(Training):
    """Gradient descent at work.

    Args:
        model: the network, on `plan.device`.
        loss: summed over examples.
        source: where batches come from.
        plan: how long, how large, and on what.
        optimizer: moves the parameters.
        schedule: factor on each group's learning rate, by step.
        regularizers: hooks, in order.
        tuning: what stands still; None: nothing.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Loss,
        source: Source,
        plan: Plan,
        optimizer: Optimizer,
        schedule: Schedule,
        regularizers: list[Regularizer],
        tuning: FineTuning | None = None,
    ) -> None:
        self.network, self.loss, self.plan = model, loss, plan
        self._objective = AuxiliaryLoss(loss)
        self.optimizer, self.schedule, self.regularizers = optimizer, schedule, regularizers
        self.tuning = tuning or FineTuning(model, [], [])
        self.names = [name for name, p in model.named_parameters() if p.requires_grad]
        self.params = [p for p in model.parameters() if p.requires_grad]
        tell_apart(regularizers)
        averaged = [r.evaluated_model() for r in regularizers]
        self.model = next((m for m in averaged if m is not None), model)
        for regularizer in regularizers:
            regularizer.watch(self.model)
            regularizer.supply(source)
        mixing = next((r for r in regularizers if r.mixes_targets), None)
        if mixing is not None:
            require_soft_targets(loss, source.spec, type(mixing).__name__.lower(), plan.device)

        self._stream = source.train(plan.order)
        self._step = 0
        self._base_lrs = [float(group["lr"]) for group in optimizer.param_groups]
        self._on_batch = with_hook(regularizers, "on_batch")
        self._before_forward = with_hook(regularizers, "before_forward")
        self._on_gradients = with_hook(regularizers, "on_gradients")
        self._before_update = with_hook(regularizers, "before_update")
        self._after_update = with_hook(regularizers, "after_update")
        in_pieces = plan.accumulate > 1 or plan.processes.count > 1
        if plan.compile == "step" and in_pieces:
            raise InputError("runtime.compile: 'step' is for one process without accumulation; use 'model'")
        kind = CoupledGradient if self._objective.couples_examples else Gradient
        self._whole = kind(model, self._objective, plan)
        self._gradient: Any = self._whole.in_pieces if in_pieces else self._whole
        self._finite = FiniteCheck(plan.device)
        self._graph: StepGraph | None = None
        if plan.compile == "step":
            if self._before_forward or self._on_gradients or self._before_update:
                self._gradient = GradientGraph(model, self._objective, plan)
            else:
                self._graph = StepGraph(model, self._objective, plan, optimizer, self._finite.found_inf)

    def step(self) -> LossValue:
        """Move the parameters once."""
        step = self._step
        self.tuning.hold()
        batch = next(self._stream)
        for regularizer in self._on_batch:
            batch = regularizer.on_batch(batch, step)
        factor = self.schedule(step)
        for group, base in zip(self.optimizer.param_groups, self._base_lrs, strict=True):
            group["lr"] = base * factor
        value = self._move(batch, step) if self._graph is None else self._move_in_one_graph(self._graph, batch, step)
        self._step = step + 1
        return value

    def _move(self, batch: Batch, step: int) -> LossValue:
        """Gradient, a look at it, regularizers, update."""
        for regularizer in self._before_forward:
            regularizer.before_forward(step)
        for param in self.params:
            param.grad = None
        value, scale = self._gradient(batch)
        for regularizer in self._before_forward:
            regularizer.after_backward()
        with torch.no_grad():
            grads = [p.grad for p in self.params if p.grad is not None]
            if self._finite.scale(grads, scale, value.total, step):
                self._raise_diverged(value, batch, step)
            if self.regularizers:
                self._regularize(step, grads)
            else:
                self.optimizer.step(self._finite.found_inf)
        return value

    def _move_in_one_graph(self, graph: StepGraph, batch: Batch, step: int) -> LossValue:
        """Move in one compiled graph, where no regularizer acts between gradient and update."""
        value = graph(batch)
        if self._finite.noted(step):
            self._raise_diverged(value, batch, step)
        if self._after_update and not self._finite.waits():
            with torch.no_grad():
                for regularizer in self._after_update:
                    regularizer.after_update(step)
        return value

    def _regularize(self, step: int, grads: list[Tensor]) -> None:
        """Update with the gradient and weight hooks around the optimizer."""
        if (self._before_update or self._after_update) and self._finite.waits():
            return  # these hooks must not move weights either; on other devices a refused step has raised already
        moved = [p for p in self.params if p.grad is not None]
        for regularizer in self._on_gradients:
            regularizer.on_gradients(moved, grads)
        for group in self.optimizer.param_groups if self._before_update else ():
            if own := [p for p in group["params"] if p.grad is not None]:
                for regularizer in self._before_update:
                    regularizer.before_update(own, float(group["lr"]))
        self.optimizer.step(self._finite.found_inf)
        for regularizer in self._after_update:
            regularizer.after_update(step)

    def check(self) -> None:
        """Raise DivergedError if the device refused a step since the last check, or an update left a weight not finite.

        The loop asks before it saves, so no checkpoint holds such a weight.
        """
        if self._finite.waits():
            step = self._finite.refused_at
            self._stream.seek(step)
            batch = next(self._stream)
            for regularizer in self._on_batch:
                batch = regularizer.on_batch(batch, step)
            self._raise_diverged(None, batch, step)
        if not self.params:
            return
        norms = torch._foreach_norm([p.detach() for p in self.params])
        if not torch.stack([norm.float() for norm in norms]).isfinite().all():  # a huge finite weight may overflow here
            names = [name for name, p in zip(self.names, self.params, strict=True) if not p.isfinite().all()]
            if not names:
                return
            raise DivergedError(
                f"step {self._step - 1}: parameter '{names[0]}' is not finite after the update; {LATER}"
            )

    def _raise_diverged(self, value: LossValue | None, batch: Batch, step: int) -> None:
        if value is None or self._graph is not None:  # the gradients there are a later step's, or none
            for param in self.params:
                param.grad = None
            self._whole(batch)
        grads = {name: p.grad for name, p in zip(self.names, self.params, strict=True) if p.grad is not None}
        raise diagnose(self.network, self._objective, batch, value, grads, step)

    def gauges(self) -> dict[str, float]:
        """Return the learning rate of the last step."""
        return {"lr": float(self.optimizer.param_groups[0]["lr"])}

    def validated(self, step: int, metrics: Mapping[str, float]) -> str | None:
        """Ask each regularizer; the first reason to stop counts."""
        reasons = [r.validated(step, metrics) for r in self.regularizers]
        return next((reason for reason in reasons if reason), None)

    def finish(self) -> list[str]:
        """Let each regularizer end the run."""
        return [finding for r in self.regularizers if (finding := r.finish())]

    def kept_step(self) -> int | None:
        """Return which step's weights a regularizer went back to; of several the last to end the run counts."""
        return next((step for r in reversed(self.regularizers) if (step := r.kept_step()) is not None), None)

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        hooks: dict[str, list[str]] = {}
        for regularizer in self.regularizers:
            for hook, what in regularizer.explain():
                hooks.setdefault(hook, []).append(what)
        pieces = f", in {self.plan.accumulate} micro-batches" if self.plan.accumulate > 1 else ""
        return [
            f"draw the next {counted(self.plan.batch_size, 'training example')}",
            *hooks.get("on_batch", []),
            self.tuning.explain_lr(),
            *self.tuning.explain_frozen(),
            *hooks.get("before_forward", []),
            f"forward: {type(self.network).__name__}{pieces}",
            f"loss: {type(self.loss).__name__}, summed over examples",
            "backward: gradient of the mean loss",
            *hooks.get("after_backward", []),
            "stop if the loss or a gradient is not finite",
            *hooks.get("on_gradients", []),
            *hooks.get("before_update", []),
            f"update: {type(self.optimizer).__name__}",
            *hooks.get("after_update", []),
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return step, optimizer and regularizers, and the trained weights where others are evaluated."""
        state: dict[str, Any] = {
            "step": self._step,
            "optimizer": self.optimizer.state_dict(),
            "regularizers": [r.state_dict() for r in self.regularizers],
        }
        if self.model is not self.network:
            state["network"] = self.network.state_dict()
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._step = int(state["step"])
        self._stream.seek(self._step)
        self.optimizer.load_state_dict(state["optimizer"])
        if self._graph is not None:
            self._graph.rebind()
        if self.model is not self.network:
            self.network.load_state_dict(state["network"])
        for regularizer, part in zip(self.regularizers, state["regularizers"], strict=True):
            regularizer.load_state_dict(part)
