"""Pictures and their classes, once they are divided: the end that every set of them has in common."""

from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from fourfold.data.augment.base import AugmentConfig
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.data.notes import augment_note, classes_note, pictures_note
from fourfold.data.rows import class_counts
from fourfold.tasks.classification import ClassificationSpec


class Labelled(NamedTuple):
    """Pictures, uint8 `[examples, channels, height, width]`, and their classes, int64 `[examples]`."""

    images: Tensor
    labels: Tensor


def source_of_pictures(
    examples: dict[str, Tensor],
    targets: dict[str, Tensor],
    class_names: tuple[str, ...],
    augment: Sequence[AugmentConfig],
    notes: list[str],
    maximum: int = 255,
) -> InMemorySource:
    """Return the source of divided pictures, standardised over the training split.

    Args:
        examples: each split's pictures.
        targets: each split's classes.
        class_names: of each class, in the order of their numbers.
        augment: changes to training pictures, in this order.
        notes: those made so far.
        maximum: the brightest value a pixel can have.

    Raises:
        InputError: an augmentation does not fit.
    """
    encoding = ImageEncoding.fit(examples["train"], maximum=maximum)
    counts = class_counts(targets["train"], len(class_names))
    notes = [*notes, classes_note(class_names, counts), pictures_note(encoding)]
    notes += augment_note([part.name for part in augment])
    spec = ClassificationSpec(encoding.image, class_names, counts)
    return InMemorySource(spec, examples, targets, encoding, [part.build(encoding.image) for part in augment], notes)
