"""Focal loss: cross-entropy that turns away from what is easy.

    -sum_k q_k alpha_k (1 - p_k)^gamma log p_k,  p = softmax(z)

Paper: Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, arXiv:1708.02002, Eq. 4 and 5.
Departures: softmax over any number of classes in place of a sigmoid; for two classes it is the paper's with
z = z_1 - z_0. The mean is over all examples (the paper divides by the anchors that hold an object).
Checked by: torchvision.ops.sigmoid_focal_loss for two classes; cross-entropy at gamma 0; gradcheck.
"""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.losses.base import Loss, LossConfig
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import LossValue, Spec, require_task


class FocalConfig(LossConfig):
    """Fields of `loss: focal`."""

    name: Literal["focal"] = "focal"
    gamma: float = Field(default=2.0, ge=0, description="how strongly easy examples fade; 0 is cross-entropy")
    alpha: list[Annotated[float, Field(ge=0)]] | None = Field(
        default=None, description="weight of each class; the paper's alpha=0.25 is [0.75, 0.25]; null weighs all by 1"
    )

    def build(self, spec: Spec) -> "Focal":
        """Return the loss; the task must be classification, with a weight for each of its classes or none."""
        classes = require_task(spec, ClassificationSpec, "focal").num_classes
        if self.alpha is not None and len(self.alpha) != classes:
            raise InputError(f"loss.alpha: {len(self.alpha)} weights for {classes} classes; give one for each")
        return Focal(self.gamma, self.alpha)


def focal(logits: Tensor, targets: Tensor, gamma: float = 2.0, alpha: Tensor | None = None) -> LossValue:
    """Return the summed focal loss.

    Args:
        logits: `[batch, classes]`.
        targets: class numbers, int64 `[batch]`, or probabilities `[batch, classes]`.
        gamma: focusing exponent, at least 0.
        alpha: weight of each class, `[classes]`; None weighs all by 1.
    """
    log_p = logits.log_softmax(1)
    # 1 - p without cancellation; the floor keeps the slope of x^gamma finite at p = 1 for gamma below 1
    missing = (-torch.expm1(log_p)).clamp(min=torch.finfo(log_p.dtype).tiny)
    terms = -missing.pow(gamma) * log_p  # [batch, classes]
    if alpha is not None:
        terms = terms * alpha
    if targets.is_floating_point():
        # A class of probability 0 has log p = -inf where the softmax underflows, and 0 * inf is not a number.
        return LossValue((targets * terms.masked_fill(targets == 0, 0.0)).sum(), logits.shape[0])
    return LossValue(terms.gather(1, targets.unsqueeze(1)).sum(), logits.shape[0])


class Focal(Loss):
    """Focal loss as a part of a recipe.

    Args:
        gamma: focusing exponent.
        alpha: weight of each class, or None.
    """

    alpha: Tensor | None

    def __init__(self, gamma: float = 2.0, alpha: list[float] | None = None) -> None:
        super().__init__()
        self.gamma = gamma
        self.register_buffer("alpha", None if alpha is None else torch.tensor(alpha), persistent=False)

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        """Return the summed focal loss of logits `[batch, classes]`."""
        return focal(output, targets, self.gamma, self.alpha)
