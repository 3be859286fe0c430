"""Contrastive learning: among many pictures, find the other view of the same one; no label is needed for it.

Inputs: `(first, second)`, two views of each picture, `[batch, channels, height, width]`, in training and scoring; or
pictures alone, as in predicting. Output: `ContrastiveOutput`. Targets: `ContrastiveTargets`.

The headline is `knn_accuracy` where the pictures have labels, though nothing was trained on them: it says what the
features are good for, it has nothing to be fitted and no other split to look at, and so it is cheap enough for each
validation. A picture's class is voted for by the 20 others of its own split whose features are most alike, each with
the weight exp(cosine / 0.07). It rises with the size of the split, so it compares models on one split, and not splits;
`fourfold probe` has the measure of the papers, a linear classifier. Without labels the headline is
`contrastive_accuracy`: the share of views whose nearest other view in the batch, by the cosine of their projections, is
of the same picture.

Paper: Chen, Kornblith, Norouzi and Hinton, A Simple Framework for Contrastive Learning of Visual Representations, ICML
2020, arXiv:2002.05709; the vote as in Wu, Xiong, Yu and Lin, Unsupervised Feature Learning via Non-parametric Instance
Discrimination, CVPR 2018, arXiv:1805.01978, section 3.4.
Departures: the vote is among the split's own other pictures, where Wu et al. ask the training pictures.
Checked by: scikit-learn's KNeighborsClassifier, with the same weights; scores counted by hand.
"""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.tasks.inputs import Image
from fourfold.tasks.seam import Batch, Scorer, Spec

NEIGHBOURS, SHARPNESS = 20, 0.07  # k of Caron et al. 2021, arXiv:2104.14294, table 2; tau of Wu et al.
ROWS = 512  # pictures compared with all others at once


class ContrastiveOutput(NamedTuple):
    """What a model returns."""

    first: Tensor  # projections of the first views, or of pictures alone, [batch, projected]
    second: Tensor | None  # projections of the second views; None where there are none
    features: Tensor  # what the encoder says of the first views, or of pictures alone, [batch, features]


class ContrastiveTargets(NamedTuple):
    """What only scoring looks at; in training `labels` are all IGNORED and `pictures` have no pixels."""

    labels: Tensor  # int64 [batch], IGNORED where there are none
    pictures: Tensor  # as they are, [batch, channels, height, width]; [batch, 0] in training


@dataclass(frozen=True)
class ContrastiveSpec(Spec):
    """What a source of two views promises.

    Attributes:
        class_names: of the labels that features are scored by; empty where there are none.
    """

    input: Image
    class_names: tuple[str, ...] = ()

    task = "contrastive"
    higher_is_better = True
    metrics = {"knn_accuracy": True, "contrastive_accuracy": True}  # noqa: RUF012
    own_models = True

    @property
    def headline(self) -> str:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The metric that decides."""
        return "knn_accuracy" if self.class_names else "contrastive_accuracy"

    @property
    def num_outputs(self) -> int:
        """None are asked for: how many numbers a projection has is the model's to say."""
        return 0

    def scorer(self) -> "ContrastiveScorer":
        """Return empty sums."""
        return ContrastiveScorer(len(self.class_names))

    def predictions(self, output: ContrastiveOutput) -> list[dict[str, Any]]:
        """Return each picture's features."""
        return [{"features": row} for row in output.features.detach().float().tolist()]

    def draw(self, batch: Batch, output: ContrastiveOutput, raw: Any) -> Any:
        """Return a figure of a few pictures and those whose features are most like theirs."""
        from fourfold.tasks.neighbour_drawing import draw_neighbours  # matplotlib only when something is drawn

        return draw_neighbours(output.features, raw, batch.targets.labels, self.class_names)


class ContrastiveScorer(Scorer):
    """How often a view finds its other one, and every labelled picture's features.

    Args:
        num_classes: of the labels; 0 where there are none.
    """

    def __init__(self, num_classes: int) -> None:
        self.num_classes = num_classes
        self.found, self.views = 0, 0
        self.features: list[Tensor] = []
        self.labels: list[Tensor] = []

    def ask(self, model: nn.Module, batch: Batch) -> None:
        """Have the model say what the pictures are like as they are."""
        if self.num_classes:
            self.features.append(F.normalize(model(batch.targets.pictures).features.float()).cpu())
            self.labels.append(batch.targets.labels.cpu())

    def update(self, output: ContrastiveOutput, batch: Batch) -> None:
        """Add one batch."""
        assert output.second is not None
        self.found += int(finds_other(output.first, output.second).sum())
        self.views += 2 * len(output.first)

    def merge(self, other: "ContrastiveScorer") -> None:
        """Add another scorer's sums and features."""
        self.found, self.views = self.found + other.found, self.views + other.views
        self.features, self.labels = self.features + other.features, self.labels + other.labels

    def compute(self) -> dict[str, float]:
        """Return the share of views that find their other one, and of pictures whose neighbours tell their class."""
        metrics = {"contrastive_accuracy": self.found / max(self.views, 1)}
        if not self.features:
            return metrics
        features, labels = torch.cat(self.features), torch.cat(self.labels)
        said = vote_of_neighbours(features, labels, self.num_classes)
        return {"knn_accuracy": float((said == labels).double().mean()), **metrics}


def finds_other(first: Tensor, second: Tensor) -> Tensor:
    """Return for each view whether the most similar other one is of the same picture, bool `[2 batch]`.

    Args:
        first: projections, `[batch, projected]`.
        second: of the other views of the same pictures, in the same order.
    """
    views = F.normalize(torch.cat([first, second]).float())
    alike = (views @ views.T).fill_diagonal_(-math.inf)
    numbers = torch.arange(len(views), device=views.device)
    return alike.argmax(1) == numbers.roll(len(first))


def vote_of_neighbours(features: Tensor, labels: Tensor, num_classes: int, voters: Tensor | None = None) -> Tensor:
    """Return the class that labelled pictures vote for, int64 `[pictures]`.

    Args:
        features: of length 1, `[pictures, features]`.
        labels: of the voters, int64.
        num_classes: how many classes there are.
        voters: features of the labelled ones, of length 1; None: the pictures themselves, of which none has a vote on
            itself.
    """
    said: list[Tensor] = []
    known = features if voters is None else voters
    most = len(known) if voters is not None else max(len(known) - 1, 1)
    for start in range(0, len(features), ROWS):
        alike = features[start : start + ROWS] @ known.T
        if voters is None:
            rows = torch.arange(len(alike))
            alike[rows, start + rows] = -math.inf
        nearest, who = alike.topk(min(NEIGHBOURS, most), dim=1)
        weights = ((nearest - 1) / SHARPNESS).exp()  # at most 1, however sharp
        said.append(torch.zeros(len(alike), num_classes).scatter_add_(1, labels[who], weights).argmax(1))
    return torch.cat(said) if said else labels
