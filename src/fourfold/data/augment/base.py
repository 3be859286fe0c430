"""The base of all augmentations: what is random is drawn apart from what is done with it.

`draw` is the only place where chance enters, for a whole batch at once; `apply` is a pure function. So a process that
works on its share of a batch draws for all of it and uses its own rows, and the pictures are the same however many
processes there are.
"""

from collections.abc import Iterable
from typing import Annotated

import torch
from pydantic import SerializeAsAny
from torch import Tensor

from fourfold.core.config import PartConfig
from fourfold.core.registry import choice_of
from fourfold.data.augment import AUGMENTS
from fourfold.tasks.seam import Image


class Augment:
    """One augmentation."""

    def fit(self, pictures: Iterable[Tensor], maximum: float) -> None:
        """Hear, once and before anything is drawn, what the training pictures are like.

        Args:
            pictures: all of them as the source holds them, in parts `[examples, channels, height, width]`; where they
                are not in memory they are read only if this is gone through.
            maximum: the value of a fully bright pixel.
        """

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return everything random about `count` pictures, `[count, …]`, on the CPU."""
        raise NotImplementedError

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Return changed pictures; neither argument is written to.

        Args:
            images: `[batch, channels, height, width]`, uint8 or float32; channels-last memory is fastest and is kept.
            draws: what `draw` returned for these pictures.
        """
        raise NotImplementedError

    def __call__(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Draw and apply."""
        return self.apply(images, self.draw(len(images), generator))


class AugmentConfig(PartConfig):
    """The fields of an augmentation."""

    def build(self, image: Image) -> Augment:
        """Return the augmentation for pictures of this size.

        Raises:
            InputError: it does not fit the pictures.
        """
        raise NotImplementedError


AnyAugment = Annotated[SerializeAsAny[AugmentConfig], choice_of(AUGMENTS, "data.augment")]
