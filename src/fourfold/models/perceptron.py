"""The perceptron: threshold units that fire where a weighted sum of the inputs is above zero.

    s = w x + b,  step(s) = 1 where s > 0, else 0                      (one unit tells two classes apart)

Three or more classes get a unit each, "this class or not"; the largest s decides.

Paper: Rosenblatt, The perceptron: a probabilistic model for information storage and organization in the brain,
Psychological Review 65, 1958; in the reduced form that Minsky and Papert, Perceptrons, 1969, study.
Departures: the fixed random connections between retina and association units are left out, so the units see the inputs
themselves; weights start at zero; one unit a class where there are more than two (as scikit-learn does).
Checked by: scikit-learn's Perceptron, through the learning rule; hand-set weights for AND, OR and NOT.
"""

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.models.base import ModelConfig
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Features, Spec, require_task


class PerceptronConfig(ModelConfig):
    """Fields of `model: perceptron`."""

    name: Literal["perceptron"] = "perceptron"

    def build(self, spec: Spec) -> "Perceptron":
        """Return the perceptron; the task must be classification."""
        spec = require_task(spec, ClassificationSpec, "perceptron")
        return Perceptron(spec.input.size, spec.num_classes)

    def paper_spec(self) -> Spec:
        """Two inputs and two classes, as for a logic gate: 3 parameters."""
        return ClassificationSpec(Features(("x1", "x2")), ("0", "1"))


class Perceptron(nn.Module):
    """Threshold units on the inputs.

    Args:
        in_features: numbers in one example; inputs of any shape `[batch, …]` are flattened.
        num_classes: two classes share one unit; more have one each.
    """

    def __init__(self, in_features: int, num_classes: int) -> None:
        super().__init__()
        units = 1 if num_classes == 2 else num_classes
        self.weight = nn.Parameter(torch.zeros(units, in_features))
        self.bias = nn.Parameter(torch.zeros(units))

    def forward(self, x: Tensor) -> Tensor:
        """Return class scores `[batch, classes]`: each unit's s, or (-s, s) of the one unit."""
        s = self.score(x)
        return torch.cat([-s, s], dim=1) if s.shape[1] == 1 else s

    def score(self, x: Tensor) -> Tensor:
        """Return each unit's weighted sum s, `[batch, units]`."""
        return F.linear(x.flatten(1), self.weight, self.bias)

    def predict(self, x: Tensor) -> Tensor:
        """Return which units fire, 0.0 or 1.0, `[batch, units]`."""
        s = self.score(x)
        return (s > 0).to(s.dtype)
