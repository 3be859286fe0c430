"""What sets of pictures have in common that are one pool: all three splits are drawn here."""

from pydantic import Field
from torch import Tensor

from fourfold.data.augment.base import AnyAugment
from fourfold.data.base import SplitDataConfig
from fourfold.data.in_memory import InMemorySource, take
from fourfold.data.labelled_pictures import Labelled, source_of_pictures
from fourfold.data.notes import split_note


class PooledPicturesConfig(SplitDataConfig):
    """The fields of such sets."""

    augment: list[AnyAugment] = Field(default=[], description="changes to training pictures, in this order")

    def source_of(
        self,
        pool: Labelled,
        class_names: tuple[str, ...],
        seed: int,
        notes: list[str],
        *,
        maximum: int = 255,
        groups: Tensor | None = None,
        of_groups: str = "",
    ) -> InMemorySource:
        """Return the source, every split drawn in proportion to the classes.

        Args:
            pool: all pictures, and their classes.
            class_names: of each class, in the order of their numbers.
            seed: the run's seed.
            notes: those made so far.
            maximum: the brightest value a pixel can have.
            groups: group numbers, int64 `[examples]`; a group is in one split.
            of_groups: what the note on the splits says of groups.

        Raises:
            InputError: a split would be empty, or an augmentation does not fit.
        """
        splits = self.splits(len(pool.labels), pool.labels, seed, groups)
        examples, targets = take(pool.images, splits), take(pool.labels, splits)
        notes = [*notes, split_note(splits, f"{self.drawn(seed, in_proportion=True)}{of_groups}")]
        return source_of_pictures(examples, targets, class_names, self.augment, notes, maximum)
