"""What networks for photographs share: ImageNet's inputs and classes, a stem for small pictures, published weights.

A network that was made for 224x224 pixels shrinks its input at once, in its first layers: the stem. Pictures of 28x28
or 32x32 have nothing to give away, so there each network has a second stem that does not, as its file says.

Source: the stem that keeps the size is that of He et al., CVPR 2016, section 4.2, and Huang et al., CVPR 2017, section
4.2, for CIFAR.
Checked by: every network that uses it, with both stems.
"""

from typing import Literal

from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Spec

Stem = Literal["auto", "imagenet", "small"]
SMALL = 64  # pixels: pictures whose shorter side is at most this have the small stem


class ImageNetConfig(ModelConfig):
    """The fields of a network that was made for ImageNet."""

    stem: Stem = Field(
        default="auto",
        description=f"first layers for pictures of 224x224 or for small ones; auto: small up to {SMALL} pixels a side",
    )

    def paper_spec(self) -> Spec:
        """Colour pictures of 224x224 and 1000 classes."""
        return imagenet_spec()


def chosen_stem(stem: Stem, image: Image) -> Literal["imagenet", "small"]:
    """Return the stem for pictures of this size."""
    if stem != "auto":
        return stem
    return "small" if min(image.height, image.width) <= SMALL else "imagenet"


def require_pixels(image: Image, least: int, who: str) -> None:
    """Raise InputError for pictures of which a network's poolings leave nothing."""
    if min(image.height, image.width) < least:
        raise InputError(f"{who} needs pictures of {least} pixels a side or more, but this data gives {image}")


def imagenet_spec(side: int = 224) -> ClassificationSpec:
    """Return ImageNet's inputs and outputs: colour pictures of `side` x `side` and 1000 numbered classes."""
    return ClassificationSpec(Image(3, side, side), tuple(map(str, range(1000))))
