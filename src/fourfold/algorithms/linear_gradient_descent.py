"""Linear regression by gradient descent, its partial derivatives worked out by hand.

    y_nk = sum_j w_kj x_nj + b_k
    MSE = 1/(N K) sum_nk (y_nk - t_nk)^2                      N examples, K targets
    dMSE/dw_kj = 2/(N K) sum_n (y_nk - t_nk) x_nj
    dMSE/db_k = 2/(N K) sum_n (y_nk - t_nk)
    w <- w - lr dMSE/dw,  b <- b - lr dMSE/db

Source: Cauchy, Méthode générale pour la résolution des systèmes d'équations simultanées, 1847 (gradient descent).
Checked by: autograd; numpy's lstsq, to which it converges; exact resume.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.base import AlgorithmConfig
from fourfold.algorithms.diagnosis import diagnose
from fourfold.algorithms.normal_equation import least_squares, regressors_of, require_least_squares
from fourfold.core.words import counted
from fourfold.tasks.seam import Loss, LossValue, Plan, Source, Training


class LinearGradientDescentConfig(AlgorithmConfig):
    """Fields of `algorithm: linear_gradient_descent`."""

    name: Literal["linear_gradient_descent"] = "linear_gradient_descent"
    lr: float = Field(
        default=0.1, gt=0, description="step size; above 2 / the Hessian's largest eigenvalue it diverges"
    )

    def build(self, model: nn.Module, loss: Loss, source: Source, plan: Plan) -> "LinearGradientDescent":
        """Return the algorithm at step 0; the model must be linear, the task regression, and the loss squared error."""
        require_least_squares(model, loss, source, "linear_gradient_descent")
        return LinearGradientDescent(model, loss, source, plan, self.lr)


class Partials(NamedTuple):
    """Sums over examples, before the factor 2/(N K)."""

    weight: Tensor  # [targets, features]
    bias: Tensor  # [targets]


def partials(x: Tensor, output: Tensor, target: Tensor) -> Partials:
    """Return sum_n (y_nk - t_nk) x_nj and sum_n (y_nk - t_nk).

    Args:
        x: inputs `[batch, features]`.
        output: y, `[batch, targets]`.
        target: t, `[batch, targets]`.
    """
    error = output - target
    return Partials(error.T @ x, error.sum(0))


class LinearGradientDescent(Training):
    """Gradient descent on a linear model at work.

    Args:
        model: has `weight [targets, features]` and `bias [targets]`.
        loss: squared error.
        source: standardised examples.
        plan: seed, batch size, processes.
        lr: step size.
    """

    def __init__(self, model: nn.Module, loss: Loss, source: Source, plan: Plan, lr: float) -> None:
        self.model: Any = model
        self.loss, self.source, self.plan, self.lr = loss, source, plan, lr
        self._step = 0
        self._stream = source.train(plan.order)

    @torch.no_grad()
    def step(self) -> LossValue:
        """Move w and b once against their partial derivatives."""
        model: Any = self.model
        batch = next(self._stream)
        x = regressors_of(model, batch.inputs[0])
        output = model(*batch.inputs)
        value = self.loss(output, batch)
        dw, db = partials(x, output, batch.targets)
        total, count = value.total, torch.as_tensor(value.count, dtype=value.total.dtype, device=value.total.device)
        self.plan.processes.sum([total, count, dw, db])
        scale = 2 / (count * model.bias.numel())
        dw, db = dw * scale, db * scale  # dMSE/dw, dMSE/db
        if not (total.isfinite() & dw.isfinite().all() & db.isfinite().all()):
            raise diagnose(model, self.loss, batch, value, {"weight": dw, "bias": db}, self._step)
        model.weight.sub_(dw, alpha=self.lr)
        model.bias.sub_(db, alpha=self.lr)
        self._step += 1
        return LossValue(total, value.count if self.plan.processes.count == 1 else count)

    @torch.no_grad()
    def finish(self) -> list[str]:
        """Say how far the weights and the training error are from the closed form."""
        best = least_squares(self.source, self.model)
        weight, bias = self.model.weight.cpu().double(), self.model.bias.cpu().double()
        gap = max(float((weight - best.weight).abs().max()), float((bias - best.bias).abs().max()))
        size = max(float(best.weight.abs().max()), float(best.bias.abs().max()))
        total, count = 0.0, 0
        for batch in self.source.split("train", 4096):
            value = self.loss(self.model(*batch.inputs), batch)
            total, count = total + float(value.total), count + int(value.count)
        return [
            f"Closed form, for comparison: the furthest weight is {gap:.3g} away (the largest is {size:.3g}); "
            f"training MSE {total / count:.6g}, closed form {best.mse:.6g}."
        ]

    def explain(self) -> list[str]:
        """Return what one step does, in order."""
        return [
            f"draw the next {counted(self.plan.batch_size, 'training example')}",
            f"forward: {type(self.model).__name__}, y = w x + b",
            f"loss: {type(self.loss).__name__}, summed over examples",
            "dMSE/dw = 2/(N K) sum (y - t) x and dMSE/db = 2/(N K) sum (y - t), by hand",
            "stop if the loss or a derivative is not finite",
            f"update: w - {self.lr:g} dMSE/dw, b - {self.lr:g} dMSE/db",
        ]

    def state_dict(self) -> dict[str, Any]:
        """Return the step; the weights are the model's."""
        return {"step": self._step}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from a state."""
        self._step = int(state["step"])
        self._stream.seek(self._step)
