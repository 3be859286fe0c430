"""Class-balanced loss: each class weighs by how many examples of it really differ.

    w_k = (1 - beta) / (1 - beta^n_k), scaled so that the weights of C classes sum to C

n_k training examples cover as much as an effective number (1 - beta^n_k) / (1 - beta) of distinct ones; beta 0 weighs
all classes alike, and towards 1 the weight becomes 1 / n_k.

Paper: Cui et al., Class-Balanced Loss Based on Effective Number of Samples, CVPR 2019, arXiv:1901.05555, Eq. 2, section
4 and Eq. 10 to 12.
Departures: the focal form uses the softmax (see `losses.focal`); a class without training examples weighs as one with
a single example, where the paper's weight would be infinite.
Checked by: hand weights; torch.nn.functional.cross_entropy with those weights; the limits in beta; gradcheck.
"""

from typing import Literal, Sequence

import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.losses.base import Loss, LossConfig
from fourfold.losses.focal import focal
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import LossValue, Spec, require_task


class ClassBalancedConfig(LossConfig):
    """Fields of `loss: class_balanced`."""

    name: Literal["class_balanced"] = "class_balanced"
    beta: float = Field(default=0.999, ge=0, lt=1, description="the paper tries 0.9, 0.99, 0.999 and 0.9999")
    gamma: float = Field(default=0.0, ge=0, description="0 balances cross-entropy; above 0, focal loss of that gamma")

    def build(self, spec: Spec) -> "ClassBalanced":
        """Return the loss; the task must be classification, and the data must count its classes."""
        spec = require_task(spec, ClassificationSpec, "class_balanced")
        if not spec.class_counts:
            raise InputError("class_balanced needs the training examples of each class, which this data does not count")
        return ClassBalanced(spec.class_counts, self.beta, self.gamma)


def class_weights(counts: Sequence[int], beta: float) -> Tensor:
    """Return the weight of each class, float32 `[classes]`, summing to the number of classes."""
    seen = torch.tensor(counts, dtype=torch.float64).clamp(min=1)
    weights = (1 - beta) / (1 - beta**seen)
    return (weights * (len(counts) / weights.sum())).float()


class ClassBalanced(Loss):
    """Class-balanced loss as a part of a recipe.

    The mean is the sum of weighted terms over the number of examples, as in the paper; torch's weighted
    cross-entropy divides by the sum of the examples' weights instead.

    Args:
        class_counts: training examples of each class.
        beta: from 0 up to, not including, 1.
        gamma: focusing exponent; 0 is cross-entropy.
    """

    weights: Tensor

    def __init__(self, class_counts: Sequence[int], beta: float = 0.999, gamma: float = 0.0) -> None:
        super().__init__()
        self.gamma = gamma
        self.register_buffer("weights", class_weights(class_counts, beta), persistent=False)

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        """Return the summed, weighted loss of logits `[batch, classes]`."""
        return focal(output, targets, self.gamma, self.weights)
