"""Linear regression: each target is a weighted sum of the inputs.

    y = w x + b

Source: Legendre, Nouvelles méthodes pour la détermination des orbites des comètes, 1805.
Departures: weights start at zero, from where every algorithm here reaches the same least-squares solution.
Checked by: torch.nn.Linear with copied weights; numpy's lstsq, through the algorithms.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.models.base import ModelConfig
from fourfold.nn.stacked import Objective, linear_stacked, linear_stacked_backward
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Features, Spec, require_task


class LinearRegressionConfig(ModelConfig):
    """Fields of `model: linear_regression`."""

    name: Literal["linear_regression"] = "linear_regression"

    def build(self, spec: Spec) -> "LinearRegression":
        """Return the model; the task must be regression."""
        spec = require_task(spec, RegressionSpec, "linear_regression")
        return LinearRegression(spec.input.size, spec.num_outputs)

    def paper_spec(self) -> Spec:
        """Ten inputs and one target, as in the diabetes data: 11 parameters."""
        return RegressionSpec(Features(tuple(f"x{i}" for i in range(1, 11))), ("y",), (0.0,), (1.0,))


class LinearRegression(nn.Module):
    """A weighted sum of the inputs for each target.

    Args:
        in_features: numbers in one example; inputs of any shape `[batch, …]` are flattened.
        num_targets: numbers to predict.
    """

    def __init__(self, in_features: int, num_targets: int = 1) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_targets, in_features))
        self.bias = nn.Parameter(torch.zeros(num_targets))

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, …]` to `[batch, targets]`."""
        return F.linear(x.flatten(1), self.weight, self.bias)

    def forward_stacked(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Map `[stack, batch, …]` to `[stack, batch, targets]` by the parameters of as many models."""
        return linear_stacked(x.flatten(2), params["weight"], params["bias"])

    def gradients_stacked(
        self, params: Mapping[str, Tensor], x: Tensor, objective: Objective, into: Mapping[str, Tensor]
    ) -> Tensor:
        """Write each model's gradient to `into`; return the losses, `[stack]`."""
        totals, grad = objective(self.forward_stacked(params, x))
        linear_stacked_backward(grad, x.flatten(2), into["weight"], into["bias"])
        return totals
