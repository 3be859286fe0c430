from functools import partial

import pytest
import torch
import torchvision
from torch import nn
from torchvision_oracle import Pair, cross_entropy, make_pair, output_difference, pair_of, step_difference
from verification import difference, record

from fourfold.core.errors import InputError
from fourfold.models import MODELS, ResNet, ResNetCifar
from fourfold.models.resnet import BasicBlock, Bottleneck, ZeroPadded
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Features, Image

PICTURES = ClassificationSpec(Image(3, 32, 32), tuple("0123456789"))


def shapes_of(model: nn.Module, layers: list[str], x: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """Return what each layer gives, for one example."""
    found: dict[str, tuple[int, ...]] = {}
    for name in layers:
        model.get_submodule(name).register_forward_hook(
            lambda _, __, out, name=name: found.__setitem__(name, tuple(out.shape[1:]))
        )
    model(x)
    return found


def test_stages_have_the_shapes_of_table_1() -> None:
    with torch.device("meta"):
        model, x = ResNet(50), torch.zeros(2, 3, 224, 224)
        assert shapes_of(model, ["conv1", "maxpool", "layer1", "layer2", "layer3", "layer4", "fc"], x) == {
            "conv1": (64, 112, 112),
            "maxpool": (64, 56, 56),
            "layer1": (256, 56, 56),
            "layer2": (512, 28, 28),
            "layer3": (1024, 14, 14),
            "layer4": (2048, 7, 7),
            "fc": (1000,),
        }


def test_small_pictures_keep_their_size_in_the_stem() -> None:
    model = MODELS.parse("resnet18", "model").build(PICTURES)
    assert shapes_of(model, ["maxpool", "layer1", "layer4"], torch.zeros(2, 3, 32, 32)) == {
        "maxpool": (64, 32, 32),
        "layer1": (64, 32, 32),
        "layer4": (512, 4, 4),
    }


@pytest.mark.parametrize("side", [32, 28])
def test_stages_of_the_small_network(side) -> None:
    model = ResNetCifar(20)
    half, quarter = side // 2, side // 4
    assert shapes_of(model, ["conv1", "layer1", "layer2", "layer3", "fc"], torch.zeros(2, 3, side, side)) == {
        "conv1": (16, side, side),
        "layer1": (16, side, side),
        "layer2": (32, half, half),
        "layer3": (64, quarter, quarter),
        "fc": (10,),
    }


@pytest.mark.parametrize("depth", [20, 56])
def test_depth_counts_weighted_layers(depth) -> None:
    """The first convolution, two a block, and the output; shortcuts of zeros have no weights."""
    weighted = [m for m in ResNetCifar(depth).modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(weighted) == depth


@pytest.mark.parametrize(("depth", "projections"), [(18, 3), (34, 3), (50, 4), (101, 4), (152, 4)])
def test_depth_counts_weighted_layers_beside_projections(depth, projections) -> None:
    with torch.device("meta"):
        model = ResNet(depth)
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in model.modules()) == depth + projections


def test_zeros_are_added_after_the_maps_and_every_second_pixel_is_kept() -> None:
    x = torch.arange(2 * 2 * 4 * 6, dtype=torch.float32).view(2, 2, 4, 6)
    out = ZeroPadded(3, 2)(x)
    assert out.shape == (2, 5, 2, 3)
    for i in range(2):
        for j in range(3):
            assert torch.equal(out[:, :2, i, j], x[:, :, 2 * i, 2 * j])
    assert out[:, 2:].abs().sum() == 0


@pytest.mark.parametrize("make", [lambda s: BasicBlock(4, 4, 1, s), lambda s: Bottleneck(8, 2, 1, s)])
def test_a_block_adds_its_input_and_its_plain_twin_does_not(make) -> None:
    """Eq. 1: relu(F(x) + x); the same weights without the shortcut give relu(F(x))."""
    block, plain = make("identity"), make("none")
    plain.load_state_dict(block.state_dict())
    x = torch.randn(5, 4 if isinstance(block, BasicBlock) else 8, 6, 6)
    before: list[torch.Tensor] = []
    last = block.bn2 if isinstance(block, BasicBlock) else block.bn3
    last.register_forward_hook(lambda _, __, out: before.append(out.clone()))
    torch.testing.assert_close(block(x), (before[0] + x).clamp(min=0))
    torch.testing.assert_close(plain(x), before[0].clamp(min=0))


def test_option_a_by_hand() -> None:
    """Where the shape changes: the residual, and every second pixel of the input on the first maps."""
    block = BasicBlock(3, 6, 2, "identity")
    x = torch.randn(2, 3, 8, 8)
    residual = block.bn2(block.conv2(block.bn1(block.conv1(x)).relu()))
    residual[:, :3] += x[:, :, ::2, ::2]
    torch.testing.assert_close(block(x), residual.relu())


class Padded(nn.Module):
    """Option A, as a product with a matrix: every second pixel, on the first maps of twice as many."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.register_buffer("first", torch.eye(width, width // 2).view(width, width // 2, 1, 1), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.conv2d(x, self.first.to(x), stride=2)


def stacked(depth: int, shortcut: str, classes: int) -> nn.Module:
    """torchvision has no networks for 32x32; its blocks, stacked n-n-n, are one."""
    blocks: list[nn.Module] = []
    for width, before in ((16, 16), (32, 16), (64, 32)):
        for i in range((depth - 2) // 6):
            new = i == 0 and width != before
            down: nn.Module | None = None
            if new and shortcut == "projection":
                down = nn.Sequential(nn.Conv2d(before, width, 1, 2, bias=False), nn.BatchNorm2d(width))
            elif new:
                down = Padded(width)
            block = torchvision.models.resnet.BasicBlock
            blocks.append(block(before if i == 0 else width, width, 2 if new else 1, down))
    first = [nn.Conv2d(3, 16, 3, padding=1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*first, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, classes))


def cifar_pair(depth: int, shortcut: str, dtype: torch.dtype) -> Pair:
    return pair_of(ResNetCifar(depth, 1000, shortcut=shortcut), stacked(depth, shortcut, 1000), 32, dtype)


CIFAR = [("resnet20", "projection"), *[(f"resnet{depth}", "identity") for depth in (20, 32, 44, 56, 110)]]
DEEP = [pytest.param(*each, marks=pytest.mark.slow if each[0] != "resnet20" else []) for each in CIFAR]


@pytest.mark.promise("R14")
@pytest.mark.parametrize(("name", "shortcut"), DEEP)
def test_cifar_networks_are_torchvisions_blocks_with_copied_weights(name, shortcut) -> None:
    depth, oracle = int(name.removeprefix("resnet")), f"torchvision's blocks, stacked; shortcut {shortcut}"
    output = output_difference(cifar_pair(depth, shortcut, torch.float32))
    gradients, kept = step_difference(cifar_pair(depth, shortcut, torch.float64), cross_entropy)
    record("network", name, oracle, {"outputs": output, "gradients": gradients, "statistics": kept})
    assert output < 1e-5
    assert gradients < 1e-9
    assert kept < 1e-9


def without_sum(block: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """torchvision's basic block, its last line left out."""
    return block.relu(block.bn2(block.conv2(block.relu(block.bn1(block.conv1(x))))))


PLAIN = ["plain20", *[pytest.param(name, marks=pytest.mark.slow) for name in ("plain18", "plain34", "plain56")]]


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", PLAIN)
def test_plain_networks_are_torchvisions_without_the_sums(name) -> None:
    depth, pairs = int(name.removeprefix("plain")), []
    for dtype in (torch.float32, torch.float64):
        if name in ("plain20", "plain56"):
            theirs, ours, side = stacked(depth, "identity", 1000), ResNetCifar(depth, 1000, shortcut="none"), 32
        else:
            theirs, ours, side = getattr(torchvision.models, f"resnet{depth}")(), ResNet(depth, shortcut="none"), 48
        for block in theirs.modules():
            if isinstance(block, torchvision.models.resnet.BasicBlock):
                block.downsample, block.forward = None, partial(without_sum, block)
        pairs.append(pair_of(ours, theirs, side, dtype))
    output, (gradients, kept) = output_difference(pairs[0]), step_difference(pairs[1], cross_entropy)
    oracle = "torchvision's blocks, the sum left out"
    record("network", name, oracle, {"outputs": output, "gradients": gradients, "statistics": kept})
    assert output < 1e-5
    assert gradients < 1e-9
    assert kept < 1e-9


@pytest.mark.parametrize(("stride_in", "equal"), [("3x3", True), ("1x1", False)])
def test_where_a_bottleneck_halves_the_picture(stride_in, equal) -> None:
    """The published weights fit both in shape, but only v1.5 gives torchvision's output."""
    pair = make_pair("resnet50", torch.float32)
    other = MODELS.parse({"name": "resnet50", "stem": "imagenet", "stride_in": stride_in}, "model").build(
        ClassificationSpec(Image(3, 48, 48), tuple(map(str, range(1000))))
    )
    other.load_state_dict(pair.ours.state_dict())
    assert (output_difference(pair._replace(ours=other)) < 1e-5) is equal
    strides = {other.get_submodule(f"layer{i}.0.conv{1 if stride_in == '1x1' else 2}").stride for i in (2, 3, 4)}
    assert strides == {(2, 2)}


MUTANTS = {
    "no relu after the sum": lambda net: net.layer4[-1].register_forward_hook(lambda _, __, out: out - 0.1),
    "momentum of the statistics": lambda net: setattr(net.layer1[0].bn1, "momentum", 0.01),
    "eps": lambda net: setattr(net.bn1, "eps", 1e-3),
    "average pooling in the stem": lambda net: setattr(net, "maxpool", nn.AvgPool2d(3, 2, 1)),
    "padding": lambda net: (
        setattr(net.layer2[0].conv1, "padding_mode", "reflect")
        or setattr(net.layer2[0].conv1, "_reversed_padding_repeated_twice", [1, 1, 1, 1])
    ),
    "a lost shortcut": lambda net: setattr(net.layer3[1], "downsample", None),
}


@pytest.mark.parametrize("bug", MUTANTS)
def test_the_oracle_sees_a_planted_bug(bug) -> None:
    pair = make_pair("resnet18", torch.float32)
    MUTANTS[bug](pair.ours)
    output = output_difference(pair)
    gradients, kept = step_difference(pair, cross_entropy)
    assert max(output, gradients, kept) > 1e-5


def test_weights_are_drawn_by_he() -> None:
    """Zero mean, variance 2 / fan-in, biases and betas 0, gammas 1."""
    torch.manual_seed(0)
    for name, layer in ResNet(18).named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            fan_in = layer.weight[0].numel()
            assert abs(float(layer.weight.detach().std()) / (2 / fan_in) ** 0.5 - 1) < 0.05, name
        if isinstance(layer, nn.BatchNorm2d):
            assert torch.equal(layer.weight, torch.ones_like(layer.weight))
        if isinstance(layer, nn.Linear | nn.BatchNorm2d):
            assert layer.bias.abs().sum() == 0


@pytest.mark.parametrize("name", ["resnet18", "resnet50", "resnet20"])
def test_with_the_last_gammas_at_zero_a_block_starts_as_its_shortcut(name) -> None:
    model = MODELS.parse({"name": name, "zero_init_last": True}, "model").build(PICTURES)
    block = model.layer1[1]
    channels = block.downsample and 16 if name == "resnet20" else (64 if name == "resnet18" else 256)
    x = torch.rand(2, channels, 8, 8)  # not negative, as after a relu
    assert difference(block(x), x) == 0


def test_a_plain_network_cannot_start_with_blocks_at_zero() -> None:
    for name in ("plain18", "plain20"):
        with pytest.raises(InputError, match=r"model\.zero_init_last: a plain network"):
            MODELS.parse({"name": name, "zero_init_last": True}, "model").build(PICTURES)


@pytest.mark.parametrize(("depth", "nearest"), [(18, 20), (21, 20), (9, 8), (110 - 2, 110)])
def test_other_depths_of_the_small_network_are_refused(depth, nearest) -> None:
    with pytest.raises(InputError, match=rf"model.depth: must be 6n \+ 2 \(got {depth}\); the nearest is {nearest}"):
        MODELS.parse({"name": "resnet_cifar", "depth": depth}, "model").build(PICTURES)


@pytest.mark.parametrize("name", ["resnet18", "resnet20"])
def test_rows_are_refused(name) -> None:
    with pytest.raises(InputError, match="needs pictures, but this data gives rows of 2 numbers"):
        MODELS.parse(name, "model").build(ClassificationSpec(Features(("a", "b")), ("x", "y")))
