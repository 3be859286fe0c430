"""Two views of each picture: what is to be told from all others without a label.

The pictures are another source's, with its splits; labels are left with it, and come back only where features are
scored. Each picture is changed twice, by draws of its own.

Source: that of the pictures.
Licence: that of the pictures.
Paper: Chen, Kornblith, Norouzi and Hinton, A Simple Framework for Contrastive Learning of Visual Representations, ICML
2020, arXiv:2002.05709, section 2.1 and appendix A; by default the changes of appendix B.9, for small pictures.
Departures: what is done with colours by `random_grey` and `colour_jitter` does little to grey pictures.
Checked by: the source's own pictures; one view against the augmentations by hand; labels that are exchanged.
"""

from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, SerializeAsAny

from fourfold.core.errors import InputError
from fourfold.core.registry import choice_of
from fourfold.data import DATA
from fourfold.data.augment.base import AnyAugment
from fourfold.data.base import DataConfig
from fourfold.data.in_memory import InMemorySource
from fourfold.data.streamed import StreamedSource
from fourfold.data.views import TwoViewsSource
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.contrastive import ContrastiveSpec
from fourfold.tasks.inputs import Image

AnyData = Annotated[SerializeAsAny[DataConfig], choice_of(DATA, "data.of")]
STRENGTH = 0.5  # of the changes in colour: 0.5 for CIFAR-10, appendix B.9; 1 for ImageNet, appendix A
CHANGES: list[Any] = [
    {"name": "random_resized_crop"},
    {"name": "horizontal_flip"},
    {
        "name": "colour_jitter",
        "brightness": 0.8 * STRENGTH,
        "contrast": 0.8 * STRENGTH,
        "saturation": 0.8 * STRENGTH,
        "hue": 0.2 * STRENGTH,
        "probability": 0.8,
    },
    {"name": "random_grey"},
]


class TwoViewsConfig(DataConfig):
    """Fields of `data: two_views`."""

    licence: ClassVar[str] = "that of the pictures"
    origin: ClassVar[str] = "another source of pictures, which `of` names"

    name: Literal["two_views"] = "two_views"
    of: AnyData = Field(default="fashion_mnist", description="whose pictures")  # type: ignore[assignment]
    augment: list[AnyAugment] = Field(
        default=CHANGES, min_length=1, description="changes that make a view of a picture, in this order"
    )
    compared: int = Field(
        default=256, ge=2, le=8192, description="pictures in a batch where a split is scored; training has the budget's"
    )

    def build(self, seed: int, cache: Path) -> TwoViewsSource:
        """Read the pictures.

        Raises:
            InputError: the data are no pictures with labels, or they have changes of their own.
        """
        if getattr(self.of, "augment", None):
            raise InputError("data.of.augment: views are made by data.augment; leave it out")
        pictures = self.of.build(seed, cache)
        spec = pictures.spec
        if not isinstance(pictures, InMemorySource | StreamedSource) or not isinstance(spec.input, Image):
            raise InputError(f"data.of: {self.of.name} gives {spec.input}, and views are of pictures")
        names = spec.class_names if isinstance(spec, ClassificationSpec) else ()
        augment = [part.build(spec.input) for part in self.augment]
        return TwoViewsSource(
            ContrastiveSpec(spec.input, names), pictures, augment, [part.name for part in self.augment], self.compared
        )
