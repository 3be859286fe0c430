"""Network in Network beside torch's own layers, written out."""

from itertools import pairwise

import pytest
import torch
from torch import nn
from verification import verified

from fourfold.core.errors import InputError
from fourfold.models import MODELS, NiN
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

TEN = tuple("0123456789")


def block(in_channels: int, widths: tuple[int, ...], kernel: int, stride: int, padding: int) -> list[nn.Module]:
    convolutions = [nn.Conv2d(in_channels, widths[0], kernel, stride, padding)]
    convolutions += [nn.Conv2d(a, b, 1) for a, b in pairwise(widths)]
    return [module for convolution in convolutions for module in (convolution, nn.ReLU())]


def written_out(stem: str) -> nn.Module:
    """The authors' two networks, dropout left out."""
    average = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    if stem == "small":
        return nn.Sequential(
            *(*block(3, (192, 160, 96), 5, 1, 2), nn.MaxPool2d(3, 2, ceil_mode=True)),
            *(*block(96, (192, 192, 192), 5, 1, 2), nn.AvgPool2d(3, 2, ceil_mode=True)),
            *(*block(192, (192, 192, 10), 3, 1, 1), *average),
        )
    return nn.Sequential(
        *(*block(3, (96, 96, 96), 11, 4, 0), nn.MaxPool2d(3, 2, ceil_mode=True)),
        *(*block(96, (256, 256, 256), 5, 1, 2), nn.MaxPool2d(3, 2, ceil_mode=True)),
        *(*block(256, (384, 384, 384), 3, 1, 1), nn.MaxPool2d(3, 2, ceil_mode=True)),
        *(*block(384, (1024, 1024, 10), 3, 1, 1), *average),
    )


@pytest.mark.promise("R14")
@pytest.mark.parametrize(("stem", "side"), [("small", 32), ("small", 28), ("imagenet", 67)])
def test_equals_torchs_layers_with_copied_weights(stem, side) -> None:
    torch.manual_seed(0)
    ours, theirs = NiN(10, 3, stem, dropout=0.0).double(), written_out(stem).double()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        other.data.copy_(mine)
    x = torch.randn(2, 3, side, side, dtype=torch.float64)
    outputs = ours(x), theirs(x)
    assert outputs[0].count_nonzero() > 10  # of 20; a last ReLU that gives nothing leaves nothing to compare
    torch.testing.assert_close(*outputs)
    for output in outputs:
        output.square().sum().backward()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine.grad, other.grad)
    verified("network", "nin", "torch's layers in a row", "outputs", *outputs)
    grads = [[p.grad for p in network.parameters()] for network in (ours, theirs)]
    verified("network", "nin", "torch's layers in a row", "gradients", *grads)


def test_the_imagenet_form_has_the_published_number_of_parameters() -> None:
    with torch.device("meta"):
        model = MODELS.parse("nin", "model").build(ClassificationSpec(Image(3, 224, 224), tuple(map(str, range(1000)))))
    first, second = 96 * (363 + 1 + 2 * 97), 256 * (25 * 96 + 1 + 2 * 257)
    third, fourth = 384 * (9 * 256 + 1 + 2 * 385), 1024 * (9 * 384 + 1 + 1025) + 1000 * 1025
    assert sum(p.numel() for p in model.parameters()) == first + second + third + fourth == 7_595_176


@pytest.mark.parametrize(("stem", "sides"), [("small", [16, 8]), ("imagenet", [27, 13, 6])])
def test_stages_have_the_authors_shapes(stem, sides) -> None:
    with torch.device("meta"):
        model, found = NiN(stem=stem), []
        for layer in model.modules():
            if isinstance(layer, nn.MaxPool2d | nn.AvgPool2d):
                layer.register_forward_hook(lambda _, __, out: found.append(out.shape[2]))
        model(torch.zeros(2, 3, *((32, 32) if stem == "small" else (224, 224))))
    assert found == sides


def test_dropout_is_between_blocks() -> None:
    kinds = [[type(layer).__name__ for layer in NiN(stem=stem).features] for stem in ("small", "imagenet")]
    blocks = [*("Sequential", "MaxPool2d"), *("Sequential", "MaxPool2d"), *("Sequential", "MaxPool2d", "Dropout")]
    assert kinds[0] == ["Sequential", "MaxPool2d", "Dropout", "Sequential", "AvgPool2d", "Dropout", "Sequential"]
    assert kinds[1] == [*blocks, "Sequential"]


@pytest.mark.parametrize(("stem", "side", "least"), [("imagenet", 38, 39), ("small", 3, 4)])
def test_pictures_that_are_too_small_are_refused(stem, side, least) -> None:
    spec = ClassificationSpec(Image(1, side, side), TEN)
    with pytest.raises(InputError, match=f"nin with the {stem} stem needs pictures of {least} pixels a side or more"):
        MODELS.parse({"name": "nin", "stem": stem}, "model").build(spec)
