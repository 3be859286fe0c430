"""Softmax regression: a weighted sum of the inputs for each class, read as log odds.

    z = W x + b,  P(class k) = exp z_k / sum_j exp z_j

Source: Cox, The regression analysis of binary sequences, JRSS B 20, 1958 (two classes); Bridle, Probabilistic
interpretation of feedforward classification network outputs, 1990 (softmax).
Departures: weights start at zero; with cross-entropy the loss is convex and the start does not matter.
Checked by: torch.nn.Linear with copied weights; scikit-learn's LogisticRegression at the optimum.
"""

from collections.abc import Mapping
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.models.base import ModelConfig
from fourfold.nn.stacked import Objective, linear_stacked, linear_stacked_backward
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Spec, require_task


class SoftmaxRegressionConfig(ModelConfig):
    """Fields of `model: softmax_regression`."""

    name: Literal["softmax_regression"] = "softmax_regression"

    def build(self, spec: Spec) -> "SoftmaxRegression":
        """Return the model; the task must be classification."""
        spec = require_task(spec, ClassificationSpec, "softmax_regression")
        return SoftmaxRegression(spec.input.size, spec.num_classes)

    def paper_spec(self) -> Spec:
        """Pictures of 28x28 and ten classes: 7,850 parameters."""
        return ClassificationSpec(Image(1, 28, 28), tuple("0123456789"))


class SoftmaxRegression(nn.Module):
    """A weighted sum of the inputs for each class.

    Args:
        in_features: numbers in one example; inputs of any shape `[batch, …]` are flattened.
        num_classes: classes to tell apart.
    """

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(num_classes, in_features))
        self.bias = nn.Parameter(torch.zeros(num_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, …]` to class scores before the softmax, `[batch, classes]`."""
        return F.linear(x.flatten(1), self.weight, self.bias)

    def forward_stacked(self, params: Mapping[str, Tensor], x: Tensor) -> Tensor:
        """Map `[stack, batch, …]` to class scores `[stack, batch, classes]` by the parameters of as many models."""
        return linear_stacked(x.flatten(2), params["weight"], params["bias"])

    def gradients_stacked(
        self, params: Mapping[str, Tensor], x: Tensor, objective: Objective, into: Mapping[str, Tensor]
    ) -> Tensor:
        """Write each model's gradient to `into`; return the losses, `[stack]`."""
        totals, grad = objective(self.forward_stacked(params, x))
        linear_stacked_backward(grad, x.flatten(2), into["weight"], into["bias"])
        return totals
