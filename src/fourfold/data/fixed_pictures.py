"""What sets of pictures have in common whose makers set the test split: validation pictures come from training ones."""

from typing import ClassVar

from pydantic import Field

from fourfold.data.augment.base import AnyAugment
from fourfold.data.base import FixedTestDataConfig
from fourfold.data.in_memory import InMemorySource
from fourfold.data.labelled_pictures import Labelled, source_of_pictures
from fourfold.data.notes import split_note


class FixedPicturesConfig(FixedTestDataConfig):
    """The fields of such sets.

    Attributes:
        class_names: of each class, in the order of their numbers.
    """

    class_names: ClassVar[tuple[str, ...]]

    augment: list[AnyAugment] = Field(default=[], description="changes to training pictures, in this order")

    def source_of(self, pool: Labelled, test: Labelled, seed: int, notes: list[str]) -> InMemorySource:
        """Return the source: the test split as it is, the others drawn from the pool; `notes` are those made so far.

        Raises:
            InputError: a split would be empty, or an augmentation does not fit.
        """
        train, validation = self.pool_splits(pool.labels, seed)
        examples = {"train": pool.images[train], "validation": pool.images[validation], "test": test.images}
        targets = {"train": pool.labels[train], "validation": pool.labels[validation], "test": test.labels}
        drawn = self.drawn(seed, in_proportion=True)
        notes = [*notes, split_note(targets, f"test as its makers set it, the others {drawn}")]
        if self.train_examples is not None:
            notes.append(f"training examples: at most {self.train_examples:,}, as data.train_examples says")
        return source_of_pictures(examples, targets, self.class_names, self.augment, notes)
