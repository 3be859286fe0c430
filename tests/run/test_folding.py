"""Folded networks beside themselves as they were, and whatever must not be folded."""

import copy
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.models import MODELS
from fourfold.nn.normalisation import BatchNorm
from fourfold.run.folding import NORMALISATIONS, folded
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image

SPEC = ClassificationSpec(Image(3, 16, 16), tuple("0123456789"))


def as_trained(model: nn.Module) -> nn.Module:
    """Give every normalisation statistics and parameters that are not those of a fresh one."""
    generator = torch.Generator().manual_seed(0)
    for module in model.modules():
        if type(module) in NORMALISATIONS:
            module.running_mean.normal_(0, 0.3, generator=generator)
            module.running_var.uniform_(0.3, 3, generator=generator)
            for param, middle in ((module.weight, 1.0), (module.bias, 0.0)):
                if param is not None:
                    nn.init.normal_(param, middle, 0.3, generator=generator)
    return model.eval()


def built(name: str, **fields: Any) -> nn.Module:
    torch.manual_seed(0)
    config: Any = MODELS.parse({"name": name, **fields}, "model")
    return as_trained(config.build(SPEC))


def pictures(count: int = 3) -> Tensor:
    return torch.randn(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def normalisations(model: nn.Module) -> set[str]:
    return {name for name, module in model.named_modules() if type(module) in NORMALISATIONS}


def assert_same(network: nn.Module, model: nn.Module, x: Tensor) -> None:
    with torch.no_grad():
        expected = model(x)
        torch.testing.assert_close(network(x), expected, rtol=0, atol=1e-5 * float(expected.abs().max()))


@pytest.mark.parametrize(
    ("name", "fields", "left"),
    [
        ("resnet18", {}, ""),
        ("resnet_cifar", {"depth": 14, "shortcut": "projection"}, ""),
        ("vgg11_bn", {"full_width": 8}, ""),
        ("googlenet", {"variant": "torchvision"}, "aux"),
        ("densenet", {"blocks": [2, 2], "growth": 8}, "features.denseblock1.denselayer1.norm1 norm3 transition norm1"),
    ],
)
def test_a_folded_network_answers_as_before(name, fields, left) -> None:
    model = built(name, **fields)
    before = copy.deepcopy(model.state_dict())
    network = folded(model, pictures(1))
    assert_same(network, model, pictures())
    assert normalisations(network) < normalisations(model)
    assert all(any(word in each for word in left.split()) for each in normalisations(network))
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    assert not any(param.requires_grad for param in network.parameters())
    assert all(param.requires_grad for param in model.parameters())


def test_in_a_dense_layer_only_what_follows_a_convolution_is_folded() -> None:
    model = built("densenet", blocks=[2, 2], growth=8)
    gone = normalisations(model) - normalisations(folded(model, pictures(1)))
    assert gone == {f"features.denseblock{i}.denselayer{j}.norm2" for i in (1, 2) for j in (1, 2)}


class Own(nn.Module):
    """A convolution and a normalisation, and what `way` does with them."""

    def __init__(self, way: str, norm: type[nn.Module] = nn.BatchNorm2d) -> None:
        super().__init__()
        self.way = way
        self.conv, self.norm, self.second = nn.Conv2d(3, 3, 3, padding=1), norm(3), nn.BatchNorm2d(3)

    def forward(self, x: Tensor) -> Tensor:
        maps = self.conv(x)
        if self.way == "maps used twice":
            return self.norm(maps) + maps
        if self.way == "maps added to afterwards":
            return F.relu(self.norm(maps) + 1) - maps.mean()
        if self.way == "changed in place":
            return self.norm(F.relu(maps, inplace=True))
        if self.way == "two normalisations":
            return self.norm(maps) + self.second(maps)
        if self.way == "convolution called twice":
            return self.norm(self.conv(maps))
        if self.way == "normalisation called twice":
            return self.norm(self.norm(maps))
        return self.norm(maps)


WAYS = ["maps used twice", "maps added to afterwards", "changed in place", "two normalisations"]
CALLS = ["convolution called twice", "normalisation called twice"]


@pytest.mark.parametrize("way", WAYS + CALLS)
def test_what_would_change_the_answer_is_left_as_it_was(way) -> None:
    model = as_trained(Own(way))
    assert folded(model, pictures(1)) is model


@pytest.mark.parametrize("norm", [nn.BatchNorm2d, BatchNorm, lambda n: nn.BatchNorm2d(n, affine=False)])
def test_every_kind_of_batch_normalisation_folds(norm) -> None:
    model = as_trained(Own("", norm))
    network = folded(model, pictures(1))
    assert isinstance(network.norm, nn.Identity)
    assert_same(network, model, pictures())


def test_a_normalisation_without_running_statistics_stays() -> None:
    model = as_trained(nn.Sequential(nn.Conv2d(3, 3, 1)))
    model.append(nn.BatchNorm2d(3, track_running_stats=False).eval())
    assert folded(model, pictures(1)) is model


def test_a_convolution_of_another_class_stays() -> None:
    class Doubled(nn.Conv2d):
        def forward(self, input: Tensor) -> Tensor:
            return super().forward(2 * input)

    model = as_trained(nn.Sequential(Doubled(3, 3, 1), nn.BatchNorm2d(3)))
    assert folded(model, pictures(1)) is model


@pytest.mark.parametrize("name", ["lenet5", "nin", "alexnet_one_tower"])
def test_networks_without_batch_normalisation_are_themselves(name) -> None:
    model = built(name)
    assert folded(model) is model  # not even run
