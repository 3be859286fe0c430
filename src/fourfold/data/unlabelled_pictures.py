"""Another source's pictures without their labels, for whom makes more of them.

Splits are that source's. Labels are used for one thing: the network in whose features pictures are scored is trained,
once, to tell the classes (`data.synthesis.classifier`).

Source: that of the pictures.
Licence: that of the pictures.
Checked by: the source's own pixels; labels that are exchanged leave batches as they are.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import Field, SerializeAsAny
from torch import Tensor

from fourfold.core.errors import InputError
from fourfold.core.registry import choice_of
from fourfold.data import DATA
from fourfold.data.augment.base import AnyAugment
from fourfold.data.base import DataConfig, DividedDataConfig
from fourfold.data.image_encoding import ImageEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.data.notes import augment_note
from fourfold.data.synthesis.classifier import Judge, averages, classifier_of
from fourfold.data.synthesis.inception import inception_of
from fourfold.data.synthesis.pictures import PicturesToMake
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.inputs import Image

AnyData = Annotated[SerializeAsAny[DataConfig], choice_of(DATA, "data.of")]
SPLITS = ("train", "validation", "test")


class UnlabelledPicturesConfig(DataConfig):
    """Fields of `data: unlabelled_pictures`."""

    licence: ClassVar[str] = "that of the pictures"
    origin: ClassVar[str] = "another source of pictures, which `of` names"

    name: Literal["unlabelled_pictures"] = "unlabelled_pictures"
    of: AnyData = Field(default="mnist", description="whose pictures")  # type: ignore[assignment]
    augment: list[AnyAugment] = Field(default=[], description="changes to training pictures, in this order")
    scored: int = Field(
        default=2000,
        ge=10,
        le=100_000,
        description="most pictures of a split, and as many made ones, that scores are of",
    )
    inception: str | None = Field(
        default=None,
        description="a file of torchvision's weights of inception_v3, to score by its features; null: by those of a "
        "network that is trained here to tell the pictures' classes, or of no class by averages over areas",
    )

    def build(self, seed: int, cache: Path) -> PicturesToMake:
        """Read the pictures, and train the network that scores by or read it from the cache."""
        if getattr(self.of, "augment", None):
            raise InputError("data.of.augment: give the changes as data.augment, and leave this out")
        given = self.of.build(seed, cache)
        if not isinstance(given, InMemorySource) or not isinstance(given.spec.input, Image):
            what = given.spec.input if isinstance(given, InMemorySource) else "more pictures than memory holds"
            raise InputError(f"data.of: {self.of.name} gives {what}; pictures that memory holds are needed")
        maximum = getattr(given.encoding, "maximum", 255.0)
        image = given.spec.input
        encoding = ImageEncoding(
            channels=1 if image.channels == 1 else 3,
            height=image.height,
            width=image.width,
            maximum=maximum,
            mean=[maximum / 2] * image.channels,
            deviation=[maximum / 2] * image.channels,
            largest=getattr(given.encoding, "largest", None),
        )
        pixels = {split: _pixels(given, split) for split in SPLITS if given.sizes.get(split)}
        augment = [part.build(image) for part in self.augment]
        for part in augment:
            part.fit(pixels["train"].split(4096), maximum)
        judge = self._judge(given, encoding, cache)
        notes = [note for note in given.notes if not note.startswith("pictures: ")]
        notes += [
            f"pictures: {image.channels}x{image.height}x{image.width}, pixels 0 to {maximum:g} brought to [-1, 1]; "
            "labels are left out",
            *augment_note([part.name for part in self.augment]),
            f"scores are of at most {self.scored:,} pictures of a split and as many made ones",
            f"features that pictures are scored by: {judge.words}",
        ]
        source = PicturesToMake(pixels, encoding, augment, judge, self.scored, seed, notes)
        source.files = given.files
        return source

    def _judge(self, given: InMemorySource, encoding: ImageEncoding, cache: Path) -> Judge:
        if self.inception is not None:
            return inception_of(Path(self.inception).expanduser())
        spec = given.spec
        if not isinstance(spec, ClassificationSpec):
            return averages()
        if isinstance(self.of, DividedDataConfig) and (self.of.split_seed != 0 or self.of.bootstrap or self.of.folds):
            # one network for all runs, or their scores could not be compared
            usual = self.of.model_copy(update={"split_seed": 0, "bootstrap": False, "folds": None, "fold": None})
            built = usual.build(0, cache)
            assert isinstance(built, InMemorySource)
            given = built
        return classifier_of(
            self.of.name,
            _pixels(given, "train"),
            given.labels("train"),
            spec.num_classes,
            encoding.standardise().encode,
            cache,
        )


def _pixels(source: InMemorySource, split: str) -> Tensor:
    """Return all pictures of a split, `[pictures, channels, height, width]`."""
    return source.raw(split, list(range(source.sizes[split])))
