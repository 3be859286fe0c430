"""Cross-entropy with hard, soft or smoothed labels.

    -sum_k q_k log softmax(z)_k

Source: label smoothing from Szegedy et al., Rethinking the Inception Architecture, CVPR 2016, section 7,
arXiv:1512.00567.
Of a task with a class for each token it is the sum over tokens, and counts those whose target is not `IGNORED`.

Checked by: torch.nn.functional.cross_entropy; hand values; gradcheck.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from fourfold.losses.base import Loss, LossConfig
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import LossValue, Spec, require_task
from fourfold.tasks.tokens import IGNORED, TokenSpec


class CrossEntropyConfig(LossConfig):
    """Fields of `loss: cross_entropy`."""

    name: Literal["cross_entropy"] = "cross_entropy"
    label_smoothing: float = Field(default=0.0, ge=0, lt=1, description="probability spread over all classes")

    def build(self, spec: Spec) -> "CrossEntropy | TokenCrossEntropy":
        """Return the loss; the task must be classification, of whole examples or of tokens."""
        if isinstance(spec, TokenSpec):
            return TokenCrossEntropy(self.label_smoothing)
        require_task(spec, ClassificationSpec, "cross_entropy")
        return CrossEntropy(self.label_smoothing)


def cross_entropy(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> LossValue:
    """Return the summed cross-entropy of `logits [batch, classes]`.

    `targets` are class numbers, int64 `[batch]`, or probabilities `[batch, classes]`.
    """
    total = F.cross_entropy(logits, targets, reduction="sum", label_smoothing=label_smoothing)
    return LossValue(total, logits.shape[0])


class CrossEntropy(Loss):
    """Cross-entropy as a part of a recipe."""

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        """Return the summed cross-entropy of logits `[batch, classes]`."""
        return cross_entropy(output, targets, self.label_smoothing)

    def totals(self, output: Tensor, targets: Tensor) -> Tensor:
        """Return each network's summed cross-entropy, from logits `[stack, batch, classes]`."""
        rows, labels = output.flatten(0, 1), targets.flatten(0, 1)
        terms = F.cross_entropy(rows, labels, reduction="none", label_smoothing=self.label_smoothing)
        return terms.view(len(output), -1).sum(1)

    def totals_and_gradient(self, output: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return each network's summed cross-entropy, `[stack]`, and its gradient, softmax(z) sum_k q_k - q."""
        log_p = output.mT.log_softmax(1).mT  # the same bits; over few classes beside each other it is ten times as slow
        if targets.is_floating_point() or self.label_smoothing > 0:
            hard = targets if targets.is_floating_point() else F.one_hot(targets, output.shape[2])
            q = hard * (1 - self.label_smoothing) + self.label_smoothing / output.shape[2]
            return -(q * log_p).sum((1, 2)), log_p.exp() * q.sum(2, keepdim=True) - q
        labels = targets.unsqueeze(2)
        totals = -log_p.gather(2, labels).sum((1, 2))
        return totals, log_p.exp().scatter_add_(2, labels, log_p.new_full(labels.shape, -1.0))


def token_cross_entropy(logits: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> LossValue:
    """Return the summed cross-entropy of `logits [batch, length, classes]`; the count is of targets not `IGNORED`.

    `targets` are class numbers, int64 `[batch, length]`.
    """
    total = F.cross_entropy(
        logits.flatten(0, 1), targets.flatten(), ignore_index=IGNORED, reduction="sum", label_smoothing=label_smoothing
    )
    return LossValue(total, (targets != IGNORED).sum())


class TokenCrossEntropy(Loss):
    """Cross-entropy of tokens as a part of a recipe."""

    def __init__(self, label_smoothing: float = 0.0) -> None:
        super().__init__()
        self.label_smoothing = label_smoothing

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        """Return the summed cross-entropy of logits `[batch, length, classes]`."""
        return token_cross_entropy(output, targets, self.label_smoothing)
