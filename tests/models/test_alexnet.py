"""AlexNet beside torchvision's, and its two groups beside each half computed alone."""

import pytest
import torch
import torchvision
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision_oracle import Pair, cross_entropy, output_difference, pair_of, step_difference
from verification import record, verified

from fourfold.core.errors import InputError
from fourfold.models import MODELS, AlexNet
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

TEN = tuple("0123456789")


def one_tower_pair(side: int, dtype: torch.dtype) -> Pair:
    with torch.device("meta"):
        theirs = torchvision.models.alexnet()
        for i, layer in ((1, nn.Linear(9216, 16)), (4, nn.Linear(16, 16)), (6, nn.Linear(16, 1000))):
            theirs.classifier[i] = layer  # 16 units show what 4096 do
        ours = AlexNet(form="one_tower", full_width=16)
    return pair_of(ours, theirs, side, dtype)


@pytest.mark.promise("R14")
@pytest.mark.parametrize("side", [224, 100])
def test_one_towers_outputs_equal_torchvisions_with_copied_weights(side) -> None:
    output = output_difference(one_tower_pair(side, torch.float32))
    record("network", "alexnet_one_tower", "torchvision", {"outputs": output})
    assert output < 1e-5


@pytest.mark.promise("R14")
def test_a_training_step_of_one_tower_equals_torchvisions() -> None:
    gradients, kept = step_difference(one_tower_pair(224, torch.float64), cross_entropy)
    record("network", "alexnet_one_tower", "torchvision", {"gradients": gradients, "statistics": kept})
    assert gradients < 1e-9
    assert kept < 1e-9


def test_weights_have_torchvisions_names_and_shapes() -> None:
    with torch.device("meta"):
        ours, theirs = AlexNet(form="one_tower").state_dict(), torchvision.models.alexnet().state_dict()
    assert {k: v.shape for k, v in ours.items()} == {k: v.shape for k, v in theirs.items()}


def halves_alone(model: AlexNet, x: Tensor) -> Tensor:
    """What the paper's Figure 2 says, a GPU at a time; one writes what the other reads at the third convolution."""
    c1, c2, c3, c4, c5 = (layer for layer in model.features if isinstance(layer, nn.Conv2d))

    def half(layer: nn.Conv2d, x: Tensor, gpu: int) -> Tensor:
        weight, bias = layer.weight.chunk(2)[gpu], layer.bias.chunk(2)[gpu]
        return F.relu(F.conv2d(x, weight, bias, layer.stride, layer.padding))

    def normed(x: Tensor) -> Tensor:
        return F.local_response_norm(x, 5, alpha=5e-4, beta=0.75, k=2.0)

    gpus = [normed(half(c1, x, gpu)) for gpu in (0, 1)]
    gpus = [normed(half(c2, F.max_pool2d(x, 3, 2), gpu)) for gpu, x in enumerate(gpus)]
    both = torch.cat([F.max_pool2d(x, 3, 2) for x in gpus], 1)
    gpus = [half(c4, half(c3, both, gpu), gpu) for gpu in (0, 1)]
    gpus = [F.max_pool2d(half(c5, x, gpu), 3, 2) for gpu, x in enumerate(gpus)]
    f6, f7, output = (layer for layer in model.classifier if isinstance(layer, nn.Linear))
    return output(F.relu(f7(F.relu(f6(torch.cat(gpus, 1).flatten(1))))))


@pytest.mark.promise("R14")
def test_two_groups_equal_two_halves_computed_alone() -> None:
    torch.manual_seed(0)
    model = AlexNet(full_width=16, init="he").double().eval()
    x = 20 * torch.randn(2, 3, 224, 224, dtype=torch.float64)  # so that response normalisation has something to do
    ours, expected = model(x), halves_alone(model, x)
    torch.testing.assert_close(ours, expected, rtol=1e-9, atol=1e-9)
    grads = [torch.autograd.grad(y.square().sum(), list(model.parameters())) for y in (ours, expected)]
    verified("network", "alexnet", "each half computed alone", "outputs", ours, expected)
    verified("network", "alexnet", "each half computed alone", "gradients", *grads)
    for mine, other in zip(*grads, strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-8, atol=1e-8 * float(other.abs().max()))


def shapes(model: AlexNet, x: Tensor) -> list[tuple[int, ...]]:
    """What each convolution, each pooling and each full layer gives, for one example."""
    found: list[tuple[int, ...]] = []
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.MaxPool2d | nn.Linear):
            layer.register_forward_hook(lambda _, __, out: found.append(tuple(out.shape[1:])))
    model(x)
    return found


def test_stages_have_the_papers_shapes() -> None:
    with torch.device("meta"):
        found = shapes(AlexNet(), torch.zeros(2, 3, 224, 224))
    assert found == [
        *((96, 55, 55), (96, 27, 27), (256, 27, 27), (256, 13, 13)),
        *((384, 13, 13), (384, 13, 13), (256, 13, 13), (256, 6, 6), (4096,), (4096,), (1000,)),
    ]


@pytest.mark.parametrize("side", [28, 32])
@pytest.mark.parametrize("channels", [1, 3])
def test_small_pictures_lose_nothing_before_the_first_pooling(side, channels) -> None:
    with torch.device("meta"):
        model = MODELS.parse("alexnet", "model").build(ClassificationSpec(Image(channels, side, side), TEN))
        found = shapes(model, torch.zeros(2, channels, side, side))
    half, quarter = side // 2, side // 4
    assert found == [
        *((96, side, side), (96, half, half), (256, half, half), (256, quarter, quarter)),
        *((384, quarter, quarter), (384, quarter, quarter), (256, quarter, quarter), (256, 4, 4)),
        *((4096,), (4096,), (10,)),
    ]


def test_weights_are_drawn_as_in_section_5() -> None:
    torch.manual_seed(0)
    model = AlexNet(full_width=512)
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert [layer.bias.unique().tolist() for layer in layers] == [[b] for b in (0, 1, 0, 1, 1, 1, 1, 0)]
    for layer in layers:
        assert layer.weight.std().item() == pytest.approx(0.01, rel=0.02)


def test_dropout_is_on_the_two_hidden_full_layers() -> None:
    kinds = [type(layer).__name__ for layer in AlexNet(full_width=2, dropout=0.4).classifier]
    assert kinds == ["Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear"]


def test_pictures_that_are_too_small_are_refused() -> None:
    spec = ClassificationSpec(Image(3, 62, 100), TEN)
    message = "alexnet with the imagenet stem needs pictures of 63 pixels a side or more, but this data gives"
    with pytest.raises(InputError, match=message):
        MODELS.parse({"name": "alexnet", "stem": "imagenet"}, "model").build(spec)
