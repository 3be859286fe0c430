"""VGG beside torchvision's."""

import pytest
import torch
import torchvision
from torch import nn
from torchvision_oracle import Pair, cross_entropy, output_difference, pair_of, step_difference
from verification import record

from fourfold.core.errors import InputError
from fourfold.models import MODELS, VGG
from fourfold.nn.normalisation import BatchNorm, GroupNorm, InstanceNorm
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

TEN = tuple("0123456789")
SIZES = [(depth, norm) for depth in (11, 13, 16, 19) for norm in ("none", "batch")]
FIRST = [pytest.param(*size, marks=[] if size[0] == 11 else pytest.mark.slow) for size in SIZES]  # one shows the most


def name_of(depth: int, norm: str) -> str:
    return f"vgg{depth}{'_bn' if norm == 'batch' else ''}"


def theirs_of(depth: int, norm: str) -> nn.Module:
    return getattr(torchvision.models, name_of(depth, norm))()


def make_pair(depth, norm, dtype: torch.dtype) -> Pair:
    with torch.device("meta"):
        theirs = theirs_of(depth, norm)
        for i, layer in ((0, nn.Linear(25088, 16)), (3, nn.Linear(16, 16)), (6, nn.Linear(16, 1000))):
            theirs.classifier[i] = layer  # 16 units show what 4096 do
        ours = VGG(depth, norm=norm, full_width=16)
    return pair_of(ours, theirs, 32, dtype)


@pytest.mark.promise("R14")
@pytest.mark.parametrize(("depth", "norm"), FIRST)
def test_outputs_equal_torchvisions_with_copied_weights(depth, norm) -> None:
    output = output_difference(make_pair(depth, norm, torch.float32))
    record("network", name_of(depth, norm), "torchvision", {"outputs": output})
    assert output < 1e-5


@pytest.mark.promise("R14")
@pytest.mark.parametrize(("depth", "norm"), FIRST)
def test_a_training_step_equals_torchvisions(depth, norm) -> None:
    gradients, kept = step_difference(make_pair(depth, norm, torch.float64), cross_entropy)
    record("network", name_of(depth, norm), "torchvision", {"gradients": gradients, "statistics": kept})
    assert gradients < 1e-9
    assert kept < 1e-9


@pytest.mark.parametrize(("depth", "norm"), SIZES)
def test_weights_have_torchvisions_names_and_shapes(depth, norm) -> None:
    with torch.device("meta"):
        ours, theirs = VGG(depth, norm=norm).state_dict(), theirs_of(depth, norm).state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


def poolings(model: nn.Module, side: int, channels: int = 3) -> list[tuple[int, ...]]:
    """What each pooling gives, for one example."""
    found: list[tuple[int, ...]] = []
    for layer in model.modules():
        if isinstance(layer, nn.MaxPool2d):
            layer.register_forward_hook(lambda _, __, out: found.append(tuple(out.shape[1:])))
    model(torch.zeros(2, channels, side, side, device="meta"))
    return found


def test_stages_have_the_papers_shapes() -> None:
    with torch.device("meta"):
        model = VGG(16)
    assert poolings(model, 224) == [(64, 112, 112), (128, 56, 56), (256, 28, 28), (512, 14, 14), (512, 7, 7)]


@pytest.mark.parametrize(("side", "sides"), [(32, (16, 8, 4, 2, 1)), (28, (14, 7, 4, 2, 1))])
@pytest.mark.parametrize("channels", [1, 3])
def test_small_pictures_end_at_one_pixel(side, sides, channels) -> None:
    with torch.device("meta"):
        model = MODELS.parse("vgg11", "model").build(ClassificationSpec(Image(channels, side, side), TEN))
    assert poolings(model, side, channels) == list(zip((64, 128, 256, 512, 512), (*sides,), (*sides,), strict=True))
    assert [tuple(p.shape) for p in model.classifier.parameters()][::2] == [(512, 512), (512, 512), (10, 512)]


@pytest.mark.parametrize(
    ("norm", "kind", "groups"),
    [("batch", BatchNorm, None), ("instance", InstanceNorm, None), ("group", GroupNorm, 32), ("layer", GroupNorm, 1)],
)
def test_every_convolution_is_normalised_before_its_relu(norm, kind, groups) -> None:
    with torch.device("meta"):
        layers = list(VGG(13, norm=norm).features)
    after = [(layers[i + 1], layers[i + 2]) for i, layer in enumerate(layers) if isinstance(layer, nn.Conv2d)]
    assert len(after) == 10
    assert all(isinstance(first, kind) and isinstance(second, nn.ReLU) for first, second in after)
    assert all(getattr(first, "groups", None) == groups for first, _ in after)


def test_pictures_that_are_too_small_are_refused() -> None:
    message = "vgg with the imagenet stem needs pictures of 32 pixels a side or more"
    with pytest.raises(InputError, match=message):
        MODELS.parse({"name": "vgg16", "stem": "imagenet"}, "model").build(ClassificationSpec(Image(3, 31, 31), TEN))
