"""Linear regression in closed form: the weights at which the squared error's gradient is zero.

    (X'X) [w b]' = X't,  X with a column of ones

Source: Gauss, Theoria motus corporum coelestium, 1809; Legendre, 1805.
Departures: solved by a decomposition of X itself in float64, which gives the same weights without squaring its
condition number; of many solutions, the one of smallest norm.
Checked by: numpy's lstsq; the gradient at the solution is zero.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import torch
from torch import Tensor, nn

from fourfold.algorithms.base import AlgorithmConfig
from fourfold.algorithms.diagnosis import DATA
from fourfold.core.errors import DivergedError, InputError
from fourfold.core.words import counted
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Loss, LossValue, Plan, Source, Training, require_task


class NormalEquationConfig(AlgorithmConfig):
    """Fields of `algorithm: normal_equation`."""

    name: Literal["normal_equation"] = "normal_equation"

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "NormalEquation":
        """Return the algorithm; the model must be linear, the task regression, and the loss squared error."""
        require_least_squares(model, loss, source, "normal_equation")
        return NormalEquation(model, loss, source, plan)


class Solution(NamedTuple):
    """A least-squares solution, float64 on the CPU, in standardised units."""

    weight: Tensor  # [targets, features]
    bias: Tensor  # [targets]
    mse: float  # mean over training examples and targets
    rank: int  # of the inputs with their column of ones


def regressors_of(model: nn.Module, x: Tensor) -> Tensor:
    """Return what a linear model weighs, `[batch, features]`: what it says itself, or every number of its inputs."""
    own: Any = getattr(model, "regressors", None)
    return x.flatten(1) if own is None else own(x)


def least_squares(source: Source, model: nn.Module) -> Solution:
    """Solve for the whole training split.

    Args:
        source: standardised examples.
        model: says what is weighed; its weights are not looked at.

    Raises:
        DivergedError: an input or target is not finite.
    """
    batches = list(source.split("train", 4096))
    x = torch.cat([regressors_of(model, batch.inputs[0]) for batch in batches]).cpu().double()
    t = torch.cat([batch.targets for batch in batches]).cpu().double()
    if not (x.isfinite().all() and t.isfinite().all()):
        raise DivergedError(f"step 0: an input or target of the training split is not finite; {DATA}", 0)
    x = torch.cat([x, torch.ones(len(x), 1, dtype=torch.float64)], dim=1)  # [examples, features + 1]
    found = torch.linalg.lstsq(x, t, driver="gelsd")
    residual = x @ found.solution - t
    return Solution(found.solution[:-1].T, found.solution[-1], float(residual.square().mean()), int(found.rank))


class NormalEquation(Training):
    """The closed form at work: the first step solves, later ones change nothing.

    Args:
        model: has `weight [targets, features]` and `bias [targets]`.
        loss: squared error.
        source: standardised examples.
        plan: seed and batch size of the batches whose loss is reported.
    """

    def __init__(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> None:
        self.model: Any = model
        self.loss, self.source, self.plan = loss, source, plan
        self._step = 0
        self._solution: Solution | None = None  # of this execution
        self._stream = source.train(plan.order)

    @torch.no_grad()
    def step(self) -> LossValue:
        """Solve, the first time; the loss is the next batch's at the solution."""
        if self._step == 0:
            self._solution = least_squares(self.source, self.model)
            self.model.weight.copy_(self._solution.weight)
            self.model.bias.copy_(self._solution.bias)
        self._step += 1
        batch = next(self._stream)
        value = self.loss(self.model(*batch.inputs), batch)
        total, count = value.total, torch.tensor(float(value.count), device=value.total.device)
        self.plan.processes.sum([total, count])
        return LossValue(total, value.count if self.plan.processes.count == 1 else count)

    def finish(self) -> list[str]:
        """Say what was solved; solved again only if that was before a resume."""
        solution = self._solution or least_squares(self.source, self.model)
        unknowns = solution.weight.shape[1] + 1
        size = f"{self.source.sizes['train']} equations for {unknowns} weights a target"
        findings = [f"Least squares in closed form, {size}: training MSE {solution.mse:.6g} in standardised units."]
        if solution.rank < unknowns:
            findings.append(
                f"The inputs leave {unknowns - solution.rank} of {unknowns} weights open (rank {solution.rank}); "
                "of all solutions this is the smallest."
            )
        return findings

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        return [
            "first step only: solve for the weights that make the squared error of the whole training split least",
            f"draw the next {counted(self.plan.batch_size, 'training example')}",
            f"loss: {type(self.loss).__name__} at the solution, only reported",
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return the step; the weights are the model's."""
        return {"step": self._step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._step = int(state["step"])
        self._stream.seek(self._step)


def require_least_squares(model: nn.Module, loss: Loss, source: Source, who: str) -> None:
    """Raise InputError unless this is linear regression with squared error."""
    spec = require_task(source.spec, RegressionSpec, who)
    shapes = {name: tuple(param.shape) for name, param in model.named_parameters()}
    targets = spec.num_outputs
    linear = set(shapes) == {"weight", "bias"} and len(shapes["weight"]) == 2
    features = regressors_of(model, spec.example()[0]).shape[1] if linear else 0
    if shapes != {"weight": (targets, features), "bias": (targets,)}:
        raise InputError(f"{who} is for a linear model, not {type(model).__name__}; use model=linear_regression")
    # Parts know nothing of each other, so the loss is asked for its value rather than for its name.
    output, target = torch.tensor([[0.0] * targets, [3.0] * targets]), torch.tensor([[0.5] * targets] * 2)
    value = loss(output, Batch((), target)).mean
    if not torch.isclose(value, (output - target).square().mean()):
        raise InputError(f"{who} minimises the squared error, not {type(loss).__name__}; use loss=mse")
