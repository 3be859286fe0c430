"""Networks by the names of their sizes, for use outside a recipe: `ff.models.resnet50(num_classes=10)`.

Checked by: the same network from its config.
"""

from pathlib import Path
from typing import Any, Protocol

from torch import nn

from fourfold.core.errors import InputError
from fourfold.models import MODELS
from fourfold.models.named_texts import TextBuilder
from fourfold.models.weights import locate, put_weights, read_weights
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Tokens


class Builder(Protocol):
    """What `ff.models.resnet50` is."""

    def __call__(
        self,
        num_classes: int | None = None,
        in_channels: int | None = None,
        image_size: int | tuple[int, int] | None = None,
        weights: str | Path | None = None,
    ) -> nn.Module: ...


def builder(name: str) -> Builder | TextBuilder:
    """Return the function that builds the network called `name`, at its paper's sizes where nothing else is said."""
    paper = MODELS.parse(name, "model").paper_spec()  # type: ignore[attr-defined]
    if isinstance(paper.input, Tokens):
        return TextBuilder(name)

    def build(
        num_classes: int | None = None,
        in_channels: int | None = None,
        image_size: int | tuple[int, int] | None = None,
        weights: str | Path | None = None,
    ) -> nn.Module:
        config: Any = MODELS.parse(name, "model")
        file = None if weights is None else locate(str(weights), config)
        spec = _sized(config.paper_spec(), num_classes, in_channels, image_size)
        model = config.build(spec)
        if file is not None:
            put_weights(model, config, read_weights(file), spec.num_outputs, file)
        return model

    build.__name__ = build.__qualname__ = name
    build.__doc__ = f"""Return {name} ({MODELS[name].summary}), its weights drawn from torch's generator, or read.

    Args:
        num_classes: scores returned for one picture; the paper's by default.
        in_channels: 1 for grey, 3 for colour; the paper's by default.
        image_size: pixels on a side, or (height, width), of the pictures it is for; the paper's by default.
        weights: a .pth or .safetensors file, or "torchvision", its published one in torch's hub cache; with another
            number of classes the output layer stays as drawn.

    Raises:
        InputError: the network cannot be built for such pictures, or the weights do not fit it.
    """
    return build


def _sized(
    paper: ClassificationSpec,
    num_classes: int | None,
    in_channels: int | None,
    image_size: int | tuple[int, int] | None,
) -> ClassificationSpec:
    """Return the paper's spec with other sizes."""
    image = paper.input
    assert isinstance(image, Image)
    size = (image_size, image_size) if isinstance(image_size, int) else image_size or (image.height, image.width)
    classes = paper.num_classes if num_classes is None else num_classes
    for what, number in (("num_classes", classes), ("in_channels", in_channels), ("image_size", min(size))):
        if number is not None and number < 1:
            raise InputError(f"{what}: must be at least 1 (got {number})")
    names = tuple(map(str, range(classes)))
    return ClassificationSpec(Image(in_channels or image.channels, *size), names)
