"""The perceptron's learning rule: change the weights only where a unit is wrong, by the input itself.

    w <- w + lr (t - step(s)) x,   b <- b + lr (t - step(s))

Examples are taken one at a time, in the stream's order, however many a batch holds. If some hyperplane separates the
classes, the rule stops making mistakes after finitely many changes; if none does, it never ends, and `finish` says so.

Paper: Rosenblatt, The perceptron, Psychological Review 65, 1958; the rule and its convergence in Principles of
Neurodynamics, 1962, chapter 5.
Departures: every wrong unit of several is corrected, each as a classifier of its own (as in scikit-learn).
Checked by: scikit-learn's Perceptron, weight for weight; AND and OR learnt exactly, XOR never; exact resume.
"""

from collections.abc import Mapping
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.base import AlgorithmConfig
from fourfold.algorithms.diagnosis import diagnose
from fourfold.algorithms.separability import contradictions, is_separable
from fourfold.core.errors import InputError
from fourfold.core.words import counted
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Loss, LossValue, Plan, Source, Training, require_task

MOST_LOOKED_AT = 1_000_000  # inputs x examples x units for which `finish` solves linear programs: about a second


class PerceptronRuleConfig(AlgorithmConfig):
    """Fields of `algorithm: perceptron_rule`."""

    name: Literal["perceptron_rule"] = "perceptron_rule"
    lr: float = Field(default=1.0, gt=0, description="size of a change; from zero weights it only scales them")

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "PerceptronRule":
        """Return the rule at step 0; the model must have threshold units."""
        require_task(source.spec, ClassificationSpec, "perceptron_rule")
        weight, bias = getattr(model, "weight", None), getattr(model, "bias", None)
        if not isinstance(weight, Tensor) or not isinstance(bias, Tensor) or not hasattr(model, "predict"):
            raise InputError(
                f"perceptron_rule trains threshold units, and {type(model).__name__} has none; "
                "use model=perceptron, or algorithm=supervised"
            )
        if plan.processes.count > 1:
            raise InputError(
                f"perceptron_rule takes one example at a time, which {plan.processes.count} processes cannot share; "
                "use runtime.processes=1"
            )
        return PerceptronRule(model, loss, source, plan, self.lr)


class PerceptronRule(Training):
    """The perceptron rule at work.

    Args:
        model: has `weight [units, features]`, `bias [units]`, and `predict(x)`, which gives 0.0 or 1.0 for each unit.
        loss: what is reported; it steers nothing.
        source: labelled examples.
        plan: seed and batch size.
        lr: size of a change.
    """

    def __init__(self, model: nn.Module, loss: Loss, source: Source, plan: Plan, lr: float) -> None:
        self.model: Any = model
        self.loss, self.source, self.plan, self.lr = loss, source, plan, lr
        self.corrections = 0  # examples so far that changed a weight
        self._last_correction = 0  # the step that made the last one, counted from 1
        self._step = 0
        self._stream = source.train(plan.order)

    @torch.no_grad()
    def step(self) -> LossValue:
        """Correct each example of the next batch in turn; the loss is the batch's before the first correction."""
        model: Any = self.model
        batch = next(self._stream)
        value = self.loss(model(*batch.inputs), batch)
        if not value.total.isfinite():
            raise diagnose(model, self.loss, batch, value, {}, self._step)
        self._step += 1
        fires = _firing(batch.targets, model.bias.numel()).to(model.weight.dtype)
        for x, target in zip(batch.inputs[0].split(1), fires.split(1), strict=True):
            error = target - model.predict(x)  # [1, units], each -1, 0 or 1
            if error.any():
                model.weight.addmm_(error.T, x.flatten(1), alpha=self.lr)
                model.bias.add_(error[0], alpha=self.lr)
                self.corrections += 1
                self._last_correction = self._step
        return value

    def gauges(self) -> dict[str, float]:
        """Return the number of corrections so far."""
        return {"corrections": float(self.corrections)}

    @torch.no_grad()
    def finish(self) -> list[str]:
        """Say whether the rule converged, and if not, whether it ever could."""
        batches = list(self.source.split("train", 1024))
        inputs = torch.cat([batch.inputs[0].flatten(1) for batch in batches])
        labels = torch.cat([batch.targets for batch in batches])
        spec = require_task(self.source.spec, ClassificationSpec, "perceptron_rule")
        model: Any = self.model
        fires = _firing(labels, model.bias.numel()) > 0
        wrong = (model.predict(inputs) > 0) != fires  # [examples, units]
        num_wrong = int(wrong.any(1).sum())
        if num_wrong == 0:
            last = f", the last one in step {self._last_correction}" if self.corrections else ""
            changes = counted(self.corrections, "change")
            return [f"Converged: all {len(labels)} training examples are right after {changes}{last}."]
        said = [_why_not(inputs, labels, fires, wrong, num_wrong, spec.class_names)]
        if not model(inputs).any():
            said.append(
                "The last correction left all weights at zero, so every score is 0, and so is a loss that asks how far "
                "on the wrong side an example lies, though not all are right; the curve has it before each correction."
            )
        return said

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        return [
            f"draw the next {counted(self.plan.batch_size, 'training example')}",
            f"loss: {type(self.loss).__name__}, only reported",
            f"for each example in turn: forward through {type(self.model).__name__}, compare each unit with its target",
            f"where a unit is wrong: w + {self.lr:g} (t - step(s)) x, b + {self.lr:g} (t - step(s))",
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return the step and what `finish` reports; the weights are the model's."""
        return {"step": self._step, "corrections": self.corrections, "last_correction": self._last_correction}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._step, self.corrections = int(state["step"]), int(state["corrections"])
        self._last_correction = int(state["last_correction"])
        self._stream.seek(self._step)


def _firing(labels: Tensor, units: int) -> Tensor:
    """Return which units should fire, int64 `[examples, units]`: the one unit for class 1, or each for its class."""
    return labels.unsqueeze(1) if units == 1 else nn.functional.one_hot(labels, units)


def _why_not(
    inputs: Tensor, labels: Tensor, fires: Tensor, wrong: Tensor, num_wrong: int, class_names: tuple[str, ...]
) -> str:
    """Say why training examples are still wrong: impossible, possible but unfinished, or not decided."""
    several = fires.shape[1] > 1
    stand = f"{num_wrong} of {len(labels)} training examples are still wrong" + (" in some unit" if several else "")
    if inputs.numel() * int(wrong.any(0).sum()) > MOST_LOOKED_AT:
        return f"{stand}; whether any weights would do is not decided, for there is too much data to check quickly."
    verdicts = {unit: is_separable(inputs, fires[:, unit]) for unit in wrong.any(0).nonzero().flatten().tolist()}
    plane = {1: "point", 2: "straight line", 3: "plane"}.get(inputs.shape[1], "hyperplane")
    for unit, separable in verdicts.items():
        if separable is False:
            classes = f"'{class_names[unit]}' from the other classes" if several else "these classes"
            where = " in its unit" if several else ""
            impossible = f"No {plane} separates {classes} (the linear program has no solution)"
            now = int(wrong[:, unit].sum())
            at_least = f"at least 1 of {len(labels)} examples stays wrong{where} whatever the weights (now {now})"
            if alike := contradictions(inputs, labels):
                way_out = f"For {alike} of them no model can help: equal inputs, different classes."
            else:
                way_out = "A hidden layer can: try model=mlp with algorithm=supervised."
            return f"{impossible}: {at_least}. {way_out}"
    if None in verdicts.values():
        return f"{stand}; whether any weights would do is not decided, for the linear program gave no answer."
    return f"{stand}, though a {plane} separates the classes (the linear program has a solution): train longer."
