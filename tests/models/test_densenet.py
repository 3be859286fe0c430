import pytest
import torch
import torchvision
from torch import nn
from torchvision.models.densenet import _Transition
from torchvision_oracle import cross_entropy, make_pair, output_difference, pair_of, step_difference
from verification import record

from fourfold.core.errors import InputError
from fourfold.models import MODELS, DenseNet
from fourfold.models.densenet import DenseBlock
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

DIGITS = tuple("0123456789")


def built(name: str, image: Image, **fields: object) -> nn.Module:
    config = MODELS.parse({"name": name, **fields}, "model")
    return config.build(ClassificationSpec(image, DIGITS))  # type: ignore[attr-defined]


def shapes_of(model: nn.Module, x: torch.Tensor) -> dict[str, tuple[int, ...]]:
    """Return what each part of `features` gives, for one example."""
    found: dict[str, tuple[int, ...]] = {}
    for name, layer in model.features.named_children():
        layer.register_forward_hook(lambda _, __, out, name=name: found.__setitem__(name, tuple(out.shape[1:])))
    model(x)
    return found


def test_stages_have_the_shapes_of_table_1() -> None:
    with torch.device("meta"):
        shapes = shapes_of(DenseNet(), torch.zeros(2, 3, 224, 224))
    assert {name: shape for name, shape in shapes.items() if name[:4] not in ("norm", "relu")} == {
        "conv0": (64, 112, 112),
        "pool0": (64, 56, 56),
        "denseblock1": (256, 56, 56),
        "transition1": (128, 28, 28),
        "denseblock2": (512, 28, 28),
        "transition2": (256, 14, 14),
        "denseblock3": (1024, 14, 14),
        "transition3": (512, 7, 7),
        "denseblock4": (1024, 7, 7),
    }


def test_stages_of_the_network_for_small_pictures() -> None:
    """k = 12, 12 layers a block, 16 maps to begin with: 16 + 144, + 144, + 144 maps, none of them given up."""
    with torch.device("meta"):
        shapes = shapes_of(built("densenet40_k12", Image(3, 32, 32)), torch.zeros(2, 3, 32, 32))
    assert shapes == {
        "conv0": (16, 32, 32),
        "denseblock1": (160, 32, 32),
        "transition1": (160, 16, 16),
        "denseblock2": (304, 16, 16),
        "transition2": (304, 8, 8),
        "denseblock3": (448, 8, 8),
        "norm4": (448, 8, 8),
    }


@pytest.mark.parametrize(
    ("name", "depth"),
    [("densenet121", 121), ("densenet161", 161), ("densenet169", 169), ("densenet201", 201), ("densenet40_k12", 40)],
)
def test_depth_counts_weighted_layers(name, depth) -> None:
    with torch.device("meta"):
        model = built(name, Image(3, 224, 224))
    assert sum(isinstance(m, nn.Conv2d | nn.Linear) for m in model.modules()) == depth


@pytest.mark.parametrize("bottleneck", [False, True])
def test_a_block_by_hand(bottleneck) -> None:
    """Layer l sees the input and l - 1 layers' maps, oldest first; each convolution follows norm and relu."""
    block = DenseBlock(3, 4, 2, bottleneck).double()
    for norm in block.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
    x = torch.randn(3, 4, 5, 5, dtype=torch.float64)
    maps = x
    for layer in block:
        new = layer.conv1(layer.norm1(maps).relu())
        maps = torch.cat([maps, layer.conv2(layer.norm2(new).relu()) if bottleneck else new], 1)
    torch.testing.assert_close(block(x), maps)


class WithoutBottleneck(nn.Module):
    """The second half of a layer of torchvision's, which has no other."""

    def __init__(self, in_channels: int, growth: int) -> None:
        super().__init__()
        self.norm, self.relu = nn.BatchNorm2d(in_channels), nn.ReLU(inplace=True)
        self.conv = nn.Conv2d(in_channels, growth, 3, padding=1, bias=False)

    def forward(self, maps: list[torch.Tensor]) -> torch.Tensor:
        return self.conv(self.relu(self.norm(torch.cat(maps, 1))))


def stacked(depth: int, bottleneck: bool) -> nn.Module:
    """torchvision's layers, blocks and transitions in the form for 32x32."""
    count = (depth - 4) // (6 if bottleneck else 3)
    first = 24 if bottleneck else 16
    theirs = torchvision.models.DenseNet(12, (count,) * 3, first, num_classes=1000)
    theirs.features.conv0 = nn.Conv2d(3, first, 3, padding=1, bias=False)
    for name in ("norm0", "relu0", "pool0"):
        setattr(theirs.features, name, nn.Identity())
    if bottleneck:
        return theirs
    channels = first
    for number in (1, 2, 3):
        block = getattr(theirs.features, f"denseblock{number}")
        for i in range(count):
            setattr(block, f"denselayer{i + 1}", WithoutBottleneck(channels + 12 * i, 12))
        channels += 12 * count
        if number < 3:
            setattr(theirs.features, f"transition{number}", _Transition(channels, channels))
    theirs.features.norm5, theirs.classifier = nn.BatchNorm2d(channels), nn.Linear(channels, 1000)
    return theirs


@pytest.mark.slow
@pytest.mark.promise("R14")
@pytest.mark.parametrize(("name", "depth"), [("densenet40_k12", 40), ("densenet_bc100_k12", 100)])
def test_cifar_networks_are_torchvisions_layers_with_copied_weights(name, depth) -> None:
    config, pairs = MODELS.parse(name, "model"), []
    for dtype in (torch.float32, torch.float64):
        ours = config.build(ClassificationSpec(Image(3, 16, 16), tuple(map(str, range(1000)))))
        pairs.append(pair_of(ours, stacked(depth, depth == 100), 16, dtype))
    output, (gradients, kept) = output_difference(pairs[0]), step_difference(pairs[1], cross_entropy)
    differences = {"outputs": output, "gradients": gradients, "statistics": kept}
    record("network", name, "torchvision's layers, stacked", differences)
    assert output < 1e-5
    assert gradients < 1e-9
    assert kept < 1e-9


@pytest.mark.parametrize(
    ("fields", "convolutions"),
    [({}, 36 + 2), ({"bottleneck": True, "depth": 40}, 36 + 2)],  # all but the first of the network
)
def test_units_are_dropped_after_each_convolution_but_the_first(fields, convolutions) -> None:
    model = built("densenet40_k12", Image(3, 8, 8), dropout=0.5, **fields)
    calls: list[float] = []
    original = torch.nn.functional.dropout

    def counted(x, p, training, *rest):
        calls.append(p)
        return original(x, p, training, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("torch.nn.functional.dropout", counted)
        model(torch.randn(2, 3, 8, 8))
    assert calls == [0.5] * convolutions


def _newest_first(block: DenseBlock) -> None:
    def forward(x: torch.Tensor) -> torch.Tensor:
        for layer in block:
            x = torch.cat([layer(x), x], 1)
        return x

    block.forward = forward


MUTANTS = {
    "maps in another order": lambda net: _newest_first(net.features.denseblock1),
    "eps": lambda net: setattr(net.features.norm5, "eps", 1e-3),
    "largest of four in a transition": lambda net: setattr(net.features.transition1, "pool", nn.MaxPool2d(2)),
    "momentum of the statistics": lambda net: setattr(net.features.transition2.norm, "momentum", 0.01),
}


@pytest.mark.parametrize("bug", MUTANTS)
def test_the_oracle_sees_a_planted_bug(bug) -> None:
    pair = make_pair("densenet121", torch.float32)
    MUTANTS[bug](pair.ours)
    assert max(output_difference(pair), *step_difference(pair, cross_entropy)) > 1e-3


@pytest.mark.parametrize(("bottleneck", "depth", "nearest"), [(False, 41, 40), (True, 99, 100), (False, 8, 7)])
def test_other_depths_of_the_small_network_are_refused(bottleneck, depth, nearest) -> None:
    with pytest.raises(InputError, match=rf"model.depth: must be [36]n \+ 4 \(got {depth}\); the nearest is {nearest}"):
        built("densenet_cifar", Image(3, 32, 32), depth=depth, bottleneck=bottleneck)


@pytest.mark.parametrize(("stem", "least"), [("small", 8), ("imagenet", 29)])
def test_the_smallest_pictures(stem, least) -> None:
    built("densenet121", Image(3, least, 40), stem=stem).eval()(torch.zeros(1, 3, least, 40))
    with pytest.raises(InputError, match=f"densenet needs pictures of {least} pixels a side or more"):
        built("densenet121", Image(3, 40, least - 1), stem=stem)
