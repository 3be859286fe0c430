import pytest
import torch
from torch import nn
from verification import verified

from fourfold.core.errors import InputError
from fourfold.models import MODELS, LeNet5
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Features, Image

DIGITS = tuple("0123456789")


def built(image: Image, **fields: object) -> nn.Module:
    return MODELS.parse({"name": "lenet5", **fields}, "model").build(ClassificationSpec(image, DIGITS))


@pytest.mark.promise("R14")
@pytest.mark.parametrize(("name", "squash"), [("tanh", nn.Tanh), ("relu", nn.ReLU), ("gelu", nn.GELU)])
@pytest.mark.parametrize(("pooling", "pool"), [("average", nn.AvgPool2d), ("max", nn.MaxPool2d)])
def test_equals_torchs_sequential_with_copied_weights(name, squash, pooling, pool) -> None:
    """Convolve, squash, then pool, with C5 as the paper's 5x5 convolution."""
    ours = LeNet5(1, 10, activation=name, pooling=pooling).double()
    theirs = nn.Sequential(
        *(nn.Conv2d(1, 6, 5), squash(), pool(2), nn.Conv2d(6, 16, 5), squash(), pool(2)),
        *(nn.Conv2d(16, 120, 5), squash(), nn.Flatten(), nn.Linear(120, 84), squash(), nn.Linear(84, 10)),
    ).double()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        other.data.copy_(mine.view_as(other))
    x = torch.randn(3, 1, 32, 32, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x))
    for output in (ours(x), theirs(x)):
        output.square().sum().backward()
    grads = [[p.grad.flatten() for p in network.parameters()] for network in (ours, theirs)]
    torch.testing.assert_close(*grads)
    verified("network", "lenet5", "torch's layers in a row", "outputs", ours(x), theirs(x))
    verified("network", "lenet5", "torch's layers in a row", "gradients", *grads)


def test_stages_have_the_papers_shapes() -> None:
    shapes: dict[str, tuple[int, ...]] = {}
    model = LeNet5()
    for name in ("c1", "s2", "c3", "s4", "c5", "f6", "output"):
        getattr(model, name).register_forward_hook(
            lambda _, __, out, name=name: shapes.__setitem__(name, tuple(out.shape))
        )
    model(torch.zeros(2, 1, 32, 32))
    assert shapes == {
        "c1": (2, 6, 28, 28),
        "s2": (2, 6, 14, 14),
        "c3": (2, 16, 10, 10),
        "s4": (2, 16, 5, 5),
        "c5": (2, 120),
        "f6": (2, 84),
        "output": (2, 10),
    }


def test_parameters_of_each_layer() -> None:
    counts = {name: sum(p.numel() for p in layer.parameters()) for name, layer in LeNet5().named_children()}
    assert {name: count for name, count in counts.items() if count} == {
        "c1": 156,
        "c3": 2_416,
        "c5": 48_120,
        "f6": 10_164,
        "output": 850,
    }


@pytest.mark.parametrize("image", [Image(1, 28, 28), Image(3, 32, 32), Image(1, 20, 26), Image(1, 8, 8)])
def test_smaller_pictures_are_framed_to_32(image) -> None:
    model = built(image)
    x = torch.randn(2, *image)
    framed = torch.zeros(2, image.channels, 32, 32)
    top, left = (32 - image.height) // 2, (32 - image.width) // 2
    framed[:, :, top : top + image.height, left : left + image.width] = x
    paper = LeNet5(image.channels)
    paper.load_state_dict(model.state_dict())
    torch.testing.assert_close(model(x), paper(framed))


@pytest.mark.parametrize("image", [Image(1, 64, 64), Image(1, 27, 27), Image(1, 32, 33)])
def test_other_sizes_are_refused(image) -> None:
    with pytest.raises(InputError, match="lenet5 needs pictures of 32x32, or smaller with even sides"):
        built(image)


def test_rows_are_refused() -> None:
    with pytest.raises(InputError, match="lenet5 needs pictures, but this data gives rows of 2 numbers"):
        MODELS.parse("lenet5", "model").build(ClassificationSpec(Features(("a", "b")), DIGITS))


def test_channels_last_memory_gives_the_same() -> None:
    model, x = LeNet5(pooling="max", activation="relu"), torch.randn(4, 1, 32, 32)
    expected = model(x)
    model = model.to(memory_format=torch.channels_last)
    torch.testing.assert_close(model(x.to(memory_format=torch.channels_last)), expected, rtol=1e-4, atol=1e-5)
