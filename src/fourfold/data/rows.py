"""Sources made of rows of numbers: from plain tensors to a split, standardised source."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.data.encoding import FeaturesEncoding, statistics
from fourfold.data.in_memory import InMemorySource, take
from fourfold.data.notes import classes_note, inputs_note, targets_note
from fourfold.data.splitting import Splits
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Features, Image, Series

if TYPE_CHECKING:
    from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
    from fourfold.tasks.regression import RegressionSpec

RegressionTask = Literal["regression", "probabilistic_regression"]


def labelled_rows(
    names: tuple[str, ...],
    values: Tensor,
    labels: Tensor,
    class_names: tuple[str, ...],
    splits: Splits,
    notes: Iterable[str],
) -> InMemorySource:
    """Return a source that poses classification.

    Args:
        names: one a feature.
        values: float64 `[examples, features]`.
        labels: class numbers, int64 `[examples]`.
        class_names: one a class.
        splits: example numbers of each split.
        notes: what was decided so far.
    """
    examples, targets = take(values, splits), take(labels, splits)
    counts = class_counts(targets["train"], len(class_names))
    spec = ClassificationSpec(Features(names), class_names, counts)
    encoding = FeaturesEncoding.fit(names, examples["train"])
    notes = [*notes, classes_note(class_names, counts), inputs_note(names)]
    return InMemorySource(spec, examples, targets, encoding, notes=notes)


def measured_rows(
    names: tuple[str, ...],
    values: Tensor,
    target_names: tuple[str, ...],
    targets: Tensor,
    splits: Splits,
    task: RegressionTask,
    notes: Iterable[str],
) -> InMemorySource:
    """Return a source that poses regression, its targets standardised.

    Args:
        names: one a feature.
        values: float64 `[examples, features]`.
        target_names: one a target.
        targets: in their own units, float64 `[examples, targets]`.
        splits: example numbers of each split.
        task: what kind of regression.
        notes: what was decided so far.
    """
    examples = take(values, splits)
    encoding = FeaturesEncoding.fit(names, examples["train"])
    spec, standardised = standardised_targets(Features(names), target_names, take(targets, splits), task)
    notes = [*notes, inputs_note(names), targets_note(spec.target_names, spec.target_mean, spec.target_deviation)]
    return InMemorySource(spec, examples, standardised, encoding, notes=notes)


def standardised_targets(
    inputs: Features | Image | Series, names: tuple[str, ...], targets: dict[str, Tensor], task: RegressionTask
) -> tuple["RegressionSpec | ProbabilisticRegressionSpec", dict[str, Tensor]]:
    """Return the spec and each split's targets, float32 `[examples, targets]`, mean 0 and deviation 1 in training.

    Raises:
        InputError: a target does not vary in the training split.
    """
    from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
    from fourfold.tasks.regression import RegressionSpec

    train = targets["train"]
    for name, column in zip(names, train.T, strict=True):
        if (column == column[0]).all():
            raise InputError(f"data: the target '{name}' is {column[0]:g} in every training example; nothing to learn")
    mean, deviation = statistics(train)
    kind = RegressionSpec if task == "regression" else ProbabilisticRegressionSpec
    spec = kind(inputs, names, tuple(mean), tuple(deviation))
    centre, scale = torch.tensor([mean, deviation], dtype=torch.float64)
    return spec, {name: ((part - centre) / scale).float() for name, part in targets.items()}


def class_counts(labels: Tensor, num_classes: int) -> tuple[int, ...]:
    """Return how many of `labels`, int64 `[examples]`, are of each class."""
    return tuple(torch.bincount(labels, minlength=num_classes).tolist())
