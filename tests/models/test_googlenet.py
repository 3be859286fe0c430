import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torchvision_oracle import make_pair, output_difference, step_difference, with_auxiliary
from verification import verified

from fourfold.core.errors import InputError
from fourfold.models import MODELS, GoogLeNet
from fourfold.models.googlenet import AuxiliaryHead, Inception
from fourfold.tasks.auxiliary import WithAuxiliary
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image


def built(image: Image, **fields: object) -> nn.Module:
    config = MODELS.parse({"name": "googlenet", **fields}, "model")
    return config.build(ClassificationSpec(image, tuple("0123456789")))  # type: ignore[attr-defined]


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


@pytest.mark.promise("R14")
def test_the_main_path_has_the_papers_parameters() -> None:
    with torch.device("meta"):
        assert count(GoogLeNet(auxiliary_weight=None)) == 6_998_552
        assert count(GoogLeNet(variant="torchvision", auxiliary_weight=None)) == 6_624_904
        assert count(GoogLeNet().aux1) == 512 * 128 + 128 + 2048 * 1024 + 1024 + 1024 * 1000 + 1000
        assert count(GoogLeNet().aux2) == 528 * 128 + 128 + 2048 * 1024 + 1024 + 1024 * 1000 + 1000


def test_stages_have_the_shapes_of_table_1() -> None:
    found: dict[str, tuple[int, ...]] = {}
    with torch.device("meta"):
        model = GoogLeNet().eval()
        for name, layer in model.named_children():
            layer.register_forward_hook(lambda _, __, out, name=name: found.__setitem__(name, tuple(out.shape[1:])))
        model(torch.zeros(1, 3, 224, 224))
    sides = {"inception3": 28, "inception4": 14, "inception5": 7}
    maps = {"3a": 256, "3b": 480, "4a": 512, "4b": 512, "4c": 512, "4d": 528, "4e": 832, "5a": 832, "5b": 1024}
    for block, width in maps.items():
        side = sides[f"inception{block[0]}"]
        assert found[f"inception{block}"] == (width, side, side)
    assert (found["conv1"], found["maxpool1"], found["conv3"], found["maxpool2"]) == (
        (64, 112, 112),
        (64, 56, 56),
        (192, 56, 56),
        (192, 28, 28),
    )


def test_the_papers_block_by_hand() -> None:
    """Each convolution is followed by relu; the widest kernel is 5x5, and the poolings' maps come last."""
    block = Inception("paper", 6, 4, (3, 5), (2, 7), 8).double()
    x = torch.randn(2, 6, 9, 9, dtype=torch.float64)
    first, (low3, high3), (low5, high5), (_, last) = block.branch1, block.branch2, block.branch3, block.branch4
    weights = [each[0] for each in (first, low3, high3, low5, high5, last)]
    assert [tuple(w.weight.shape[2:]) for w in weights] == [(1, 1), (1, 1), (3, 3), (1, 1), (5, 5), (1, 1)]

    def apply(layer: nn.Conv2d, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, layer.weight, layer.bias, padding=layer.weight.shape[2] // 2).relu()

    one, l3, h3, l5, h5, after = weights
    pooled = F.pad(x, (1, 1, 1, 1), value=-torch.inf).unfold(2, 3, 1).unfold(3, 3, 1).amax((4, 5))
    expected = [apply(one, x), apply(h3, apply(l3, x)), apply(h5, apply(l5, x)), apply(after, pooled)]
    torch.testing.assert_close(block(x), torch.cat(expected, 1))
    verified("network", "googlenet", "a block by hand", "outputs", block(x), torch.cat(expected, 1))


@pytest.mark.parametrize("side", [14, 16])
def test_the_papers_head_by_hand(side) -> None:
    head = AuxiliaryHead("paper", 6, 10).double().eval()
    x = torch.randn(2, 6, side, side, dtype=torch.float64)
    averaged = x.unfold(2, 5, 3).unfold(3, 5, 3).mean((4, 5))  # [2, 6, 4, 4]
    maps = torch.einsum("oi,bihw->bohw", head.conv[0].weight[:, :, 0, 0], averaged)
    maps = (maps + head.conv[0].bias[:, None, None]).relu().flatten(1)
    torch.testing.assert_close(head(x), head.fc2(head.fc1(maps).relu()))
    verified("network", "googlenet", "a head by hand", "outputs", head(x), head.fc2(head.fc1(maps).relu()))
    assert head.dropout.p == 0.7


def test_heads_are_there_in_training_only() -> None:
    model = built(Image(3, 32, 32), auxiliary_weight=0.25)
    x = torch.randn(2, 3, 32, 32)
    output = model(x)
    assert isinstance(output, WithAuxiliary)
    assert output.weight == 0.25
    assert [tuple(each.shape) for each in (output.main, *output.auxiliary)] == [(2, 10)] * 3
    assert isinstance(model.eval()(x), torch.Tensor)
    without = built(Image(3, 32, 32), auxiliary_weight=None)
    assert isinstance(without(x), torch.Tensor)
    assert not any(name.startswith("aux") for name, _ in without.named_parameters())


def test_the_first_head_sees_the_first_block_of_the_fourth_stage_and_the_second_its_fourth() -> None:
    model = built(Image(3, 32, 32)).double()
    seen: dict[str, torch.Tensor] = {}
    for name in ("inception4a", "inception4d"):
        model.get_submodule(name).register_forward_hook(lambda _, __, out, n=name: seen.__setitem__(n, out))
    for name in ("aux1", "aux2"):
        model.get_submodule(name).register_forward_hook(lambda _, args, __, n=name: seen.__setitem__(n, args[0]))
    model(torch.randn(2, 3, 32, 32, dtype=torch.float64))
    assert seen["aux1"] is seen["inception4a"]
    assert seen["aux2"] is seen["inception4d"]


@pytest.mark.parametrize("variant", ["paper", "torchvision"])
@pytest.mark.parametrize(("stem", "least"), [("imagenet", 31), ("small", 8)])
def test_the_smallest_pictures(variant, stem, least) -> None:
    model = built(Image(3, least, 40), stem=stem, variant=variant)
    model(torch.randn(2, 3, least, 40))
    with pytest.raises(InputError, match=f"googlenet with the {stem} stem needs pictures of {least} pixels a side"):
        built(Image(3, 40, least - 1), stem=stem)


def test_grey_pictures_are_not_rescaled_by_the_means_of_colours() -> None:
    built(Image(1, 8, 8), variant="torchvision")(torch.randn(2, 1, 8, 8))


def _a_louder_head(net: nn.Module) -> None:
    head = net.aux1.forward
    net.aux1.forward = lambda x: 1.001 * head(x)


MUTANTS = {
    "the last pooling": lambda net: setattr(net, "maxpool4", nn.MaxPool2d(3, 2, ceil_mode=True)),
    "pooling rounds down": lambda net: setattr(net.maxpool1, "ceil_mode", False),
    "inputs as they are": lambda net: setattr(net, "rescaled", False),
    "eps": lambda net: setattr(net.inception4c.branch1.bn, "eps", 1e-5),
    "a head": _a_louder_head,
    "weight of the heads": lambda net: setattr(net, "auxiliary_weight", 0.31),
}


@pytest.mark.parametrize("bug", MUTANTS)
def test_the_oracle_sees_a_planted_bug(bug) -> None:
    pair = make_pair("googlenet_bn", torch.float32)
    MUTANTS[bug](pair.ours)
    assert max(output_difference(pair), *step_difference(pair, with_auxiliary)) > 1e-4
