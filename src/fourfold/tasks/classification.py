"""Classification: one of several classes for each example.

Output: class scores (logits), `[batch, classes]`. Targets: class numbers, int64 `[batch]`, or probabilities
`[batch, classes]` where a regularizer mixes examples.
Checked by: scikit-learn's accuracy_score and precision_recall_fscore_support.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.tasks.inputs import AnyInput
from fourfold.tasks.seam import Batch, Constant, Scorer, Spec


@dataclass(frozen=True)
class ClassificationSpec(Spec):
    """What a source of labelled examples promises."""

    input: AnyInput
    class_names: tuple[str, ...]
    class_counts: tuple[int, ...] = ()  # training examples of each class

    task = "classification"
    headline = "accuracy"
    higher_is_better = True
    metrics = {"accuracy": True, "error": False, "macro_f1": True, "macro_precision": True, "macro_recall": True}  # noqa: RUF012

    def __post_init__(self) -> None:
        if len(self.class_names) < 2:
            raise InputError(f"class_names: {len(self.class_names)} classes; classification needs two or more")
        if self.class_counts and len(self.class_counts) != len(self.class_names):
            raise InputError(f"class_counts: {len(self.class_counts)} counts for {len(self.class_names)} classes")

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def num_outputs(self) -> int:
        """One score a class."""
        return len(self.class_names)

    def scorer(self) -> "ClassificationScorer":
        """Return an empty confusion matrix."""
        return ClassificationScorer(self.num_classes)

    def predictions(self, output: Tensor) -> list[dict[str, Any]]:
        """Return the likeliest class of each example and every class's probability."""
        probabilities = output.detach().float().softmax(1).cpu()
        best = probabilities.argmax(1).tolist()
        return [
            {
                "class": self.class_names[k],
                "probability": row[k],
                "probabilities": dict(zip(self.class_names, row, strict=True)),
            }
            for k, row in zip(best, probabilities.tolist(), strict=True)
        ]

    def draw(self, batch: Batch, output: Tensor, raw: Any) -> Any:
        """Return a figure of examples with their predicted and true classes."""
        from fourfold.tasks.drawing import draw_classified  # matplotlib only when something is drawn

        return draw_classified(self, batch, output, raw)

    def constant(self) -> Constant | None:
        """Return the most frequent class of the training split."""
        if not self.class_counts:
            return None
        most = self.class_counts.index(max(self.class_counts))
        scores = torch.zeros(1, self.num_classes)
        scores[0, most] = 1.0
        return Constant(scores, f"always answering '{self.class_names[most]}', the most frequent class in training")


def to_probabilities(targets: Tensor, num_classes: int) -> Tensor:
    """Return targets as probabilities, float `[batch, classes]`: class numbers as certainties, others as they are."""
    if targets.is_floating_point():
        return targets
    return torch.nn.functional.one_hot(targets, num_classes).float()


class ClassificationScorer(Scorer):
    """A confusion matrix, int64 `[classes, classes]`: rows are true classes, columns are predicted ones."""

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.confusion = torch.zeros(num_classes, num_classes, dtype=torch.int64)

    def update(self, output: Tensor, batch: Batch) -> None:
        """Add one batch of scores `[batch, classes]`."""
        cells = batch.targets * self.num_classes + output.argmax(1)
        counts = torch.bincount(cells, minlength=self.num_classes**2)
        self.confusion = self.confusion.to(counts.device) + counts.view(self.num_classes, -1)

    def merge(self, other: "ClassificationScorer") -> None:
        """Add another confusion matrix."""
        self.confusion = self.confusion + other.confusion.to(self.confusion.device)

    def compute(self) -> dict[str, float]:
        """Return accuracy, error, and F1, precision and recall averaged over the classes that occur."""
        confusion = self.confusion.cpu().double()  # Apple's GPU has no float64
        hits, true, predicted = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
        occurs = true > 0
        precision = hits / predicted.clamp(min=1)
        recall = hits / true.clamp(min=1)
        f1 = 2 * hits / (true + predicted).clamp(min=1)
        accuracy = float(hits.sum() / confusion.sum().clamp(min=1))
        return {
            "accuracy": accuracy,
            "error": 1 - accuracy,
            "macro_f1": float(f1[occurs].mean()) if occurs.any() else 0.0,
            "macro_precision": float(precision[occurs].mean()) if occurs.any() else 0.0,
            "macro_recall": float(recall[occurs].mean()) if occurs.any() else 0.0,
        }
