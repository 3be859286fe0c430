import pytest
import torch
from torch import nn

from fourfold.core.errors import InputError
from fourfold.models.densenet import DenseNet
from fourfold.models.googlenet import GoogLeNet
from fourfold.models.lenet5 import LeNet5
from fourfold.models.resnet import ResNet
from fourfold.models.vgg import VGG
from fourfold.run.views.layers import evaluating, last_places, record, stages


def _meta(build, side: int, channels: int = 3):
    with torch.device("meta"), torch.no_grad():
        return record(build(), torch.zeros(1, channels, side, side))[1]


@pytest.mark.parametrize(
    ("build", "side", "expected"),
    [
        (lambda: LeNet5(3), 32, {"c1, tanh": 28, "s2": 14, "c3, tanh": 10, "s4": 5}),
        (lambda: LeNet5(3, pooling="max"), 32, {"c1": 28, "s2": 14, "c3": 10, "s4": 5}),
        (lambda: ResNet(18), 224, {"conv1": 112, "bn1": 112, "layer1": 56, "layer2": 28, "layer3": 14, "layer4": 7}),
        (lambda: ResNet(18, stem="small"), 32, {"conv1": 32, "layer1": 32, "layer2": 16, "layer3": 8, "layer4": 4}),
        (
            lambda: VGG(11),
            224,
            {
                "features.0": 224,
                "features.3": 112,
                "features.8": 56,
                "features.13": 28,
                "features.18": 14,
                "features.20": 7,
            },
        ),
    ],
)
def test_stages_have_the_names_and_sizes_of_the_network(build, side, expected) -> None:
    assert {stage.name: stage.values.shape[2] for stage in stages(_meta(build, side))} == expected


@pytest.mark.parametrize("build", [lambda: DenseNet((2, 2)), lambda: GoogLeNet(), lambda: ResNet(50)])
def test_what_the_last_convolution_gives_is_a_stage_and_names_are_told_apart(build) -> None:
    layers = _meta(build, 64)
    shown = stages(layers)
    assert sum(stage.values is last_places(layers).values for stage in shown) == 1
    assert len({stage.name for stage in shown}) == len(shown) > 3


def test_what_is_heard_is_what_the_layers_give() -> None:
    model, x = LeNet5(1, 4), torch.randn(2, 1, 32, 32)
    output, layers = record(model, x)
    heard = {stage.name: stage.values for stage in stages(layers)}
    first = torch.tanh(model.c1(x))
    second = torch.tanh(model.c3(nn.functional.avg_pool2d(first, 2)))
    torch.testing.assert_close(heard["c1, tanh"], first)
    torch.testing.assert_close(heard["c3, tanh"], second)
    torch.testing.assert_close(last_places(layers).values, second)
    assert last_places(layers).name == "c3, tanh"
    torch.testing.assert_close(output, model(x))


def test_the_last_convolution_s_maps_are_those_after_its_relu_and_before_the_pooling() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(18, 2))
    x = torch.randn(3, 1, 8, 8)
    layers = record(model, x)[1]
    torch.testing.assert_close(last_places(layers).values, model[0](x).relu())


def test_maps_of_one_place_give_way_to_the_last_that_have_several() -> None:
    narrowing = [nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Conv2d(2, 3, 6), nn.ReLU(), nn.Flatten(), nn.Linear(3, 2)]
    x = torch.randn(2, 1, 8, 8)
    chosen = last_places(record(nn.Sequential(*narrowing), x)[1])
    assert (chosen.name, tuple(chosen.values.shape)) == ("0, relu", (2, 2, 6, 6))
    points = nn.Sequential(nn.Conv2d(1, 2, 8), nn.ReLU(), nn.Flatten(), nn.Linear(2, 2))
    assert tuple(last_places(record(points, x)[1]).values.shape) == (2, 2, 1, 1)  # there are no others


def test_the_network_is_as_it_was_after_it() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Dropout(0.9), nn.Flatten(), nn.Linear(2, 2))
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x = torch.randn(5, 1, 3, 3)
    output, layers = record(model, x)
    assert [layer.name for layer in layers] == ["0", "1"]  # what dropout passes on unchanged is no layer
    torch.testing.assert_close(output, model.eval()(x))
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not any(module._forward_hooks for module in model.modules())


def test_each_module_keeps_its_mode_even_after_an_error() -> None:
    model = nn.Sequential(nn.BatchNorm2d(2), nn.Dropout()).train()
    model[0].eval()
    with evaluating(model):
        assert not model[1].training
    with pytest.raises(RuntimeError), evaluating(model):
        model(torch.zeros(1, 3, 2, 2))  # of three channels, where there are two
    assert [module.training for module in model.modules()] == [True, False, True]


def test_a_network_without_a_convolution_has_no_stages() -> None:
    layers = record(nn.Sequential(nn.ReLU(), nn.Flatten(), nn.Linear(4, 2)), torch.randn(1, 1, 2, 2))[1]
    assert stages(layers) == []
    with pytest.raises(InputError, match="no convolution"):
        last_places(layers)
