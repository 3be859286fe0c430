"""Soft F1: the metric itself, made smooth by counting probabilities instead of decisions.

    F1_k = 2 sum_i p_ik q_ik / (sum_i p_ik + sum_i q_ik),  loss = 1 - mean of F1_k over the classes in the batch

F1 is a ratio of sums, so it belongs to a batch and not to an example: `total` is batch size x loss and `count` is batch
size. The mean over several batches is therefore the mean of their losses weighted by size, which is *not* the loss of
all of them at once; accumulation and more processes change it, as do small batches, where a class has few examples.

Paper: Bénédict et al., sigmoidF1: A Smooth F1 Score Surrogate Loss for Multilabel Classification, TMLR 2022,
arXiv:2108.10566.
Departures: one class an example, so softmax probabilities in place of a tuned sigmoid for each label; macro average.
Checked by: scikit-learn's f1_score for certain predictions; hand values; gradcheck.
"""

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from fourfold.losses.base import Loss, LossConfig
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import LossValue, Spec, require_task


class SoftF1Config(LossConfig):
    """Fields of `loss: soft_f1`."""

    name: Literal["soft_f1"] = "soft_f1"

    def build(self, spec: Spec) -> "SoftF1":
        """Return the loss; the task must be classification."""
        require_task(spec, ClassificationSpec, "soft_f1")
        return SoftF1()


def soft_f1(logits: Tensor, targets: Tensor) -> LossValue:
    """Return batch size times one minus the macro soft F1 of the batch, between 0 and batch size.

    Args:
        logits: `[batch, classes]`.
        targets: class numbers, int64 `[batch]`, or probabilities `[batch, classes]`.
    """
    p = logits.softmax(1)
    q = targets if targets.is_floating_point() else F.one_hot(targets, logits.shape[1]).to(p.dtype)
    true, predicted = q.sum(0), p.sum(0)  # [classes]
    # the floor is for a class that is neither in the batch nor predicted at all
    f1 = 2 * (p * q).sum(0) / (true + predicted).clamp(min=torch.finfo(p.dtype).tiny)
    occurs = true > 0
    macro = (f1 * occurs).sum() / occurs.sum()
    return LossValue(logits.shape[0] * (1 - macro), logits.shape[0])


class SoftF1(Loss):
    """Soft F1 as a part of a recipe."""

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        """Return the soft F1 loss of logits `[batch, classes]`."""
        return soft_f1(output, targets)
