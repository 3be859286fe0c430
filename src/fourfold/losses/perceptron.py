"""The perceptron criterion: how far each wrong example lies on the wrong side.

    sum over units of max(0, -y s),  y = +1 for the unit's class and -1 for the rest

Two classes share one unit, whose score is s = (z_1 - z_0) / 2. Right examples cost nothing, however narrowly right.
A gradient step on one example is the perceptron's learning rule, s = 0 counting as below the threshold.

Source: Rosenblatt, Principles of Neurodynamics, 1962, chapter 5 (the rule); Duda and Hart, Pattern Classification and
Scene Analysis, 1973, section 5.5 (the criterion).
Checked by: scikit-learn's hinge_loss without its margin; the learning rule as its gradient; gradcheck.
"""

from typing import Literal

from torch import Tensor
from torch.nn import functional as F

from fourfold.losses.base import Loss, LossConfig
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import LossValue, Spec, require_task


class PerceptronCriterionConfig(LossConfig):
    """Fields of `loss: perceptron`."""

    name: Literal["perceptron"] = "perceptron"

    def build(self, spec: Spec) -> "PerceptronCriterion":
        """Return the loss; the task must be classification."""
        require_task(spec, ClassificationSpec, "perceptron")
        return PerceptronCriterion()


def perceptron_criterion(scores: Tensor, targets: Tensor) -> LossValue:
    """Return the summed perceptron criterion.

    Args:
        scores: `[batch, classes]`, as `models.perceptron` gives them.
        targets: class numbers, int64 `[batch]`, or probabilities `[batch, classes]`, which average over classes.
    """
    batch, classes = scores.shape
    q = targets if targets.is_floating_point() else F.one_hot(targets, classes).to(scores.dtype)
    if classes == 2:
        scores, q = (scores[:, 1:] - scores[:, :1]) / 2, q[:, 1:]
    step = (scores.detach() > 0).to(scores.dtype)
    # max(0, -y s), written so that its gradient is step(s) - q at s = 0 too, where training starts
    return LossValue(((step - q) * scores).sum(), batch)


class PerceptronCriterion(Loss):
    """The perceptron criterion as a part of a recipe."""

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        """Return the summed criterion of scores `[batch, classes]`."""
        return perceptron_criterion(output, targets)
