"""Receptive fields against hand computation, and against the units that a NaN in each pixel reaches."""

import sys

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.models.alexnet import AlexNet
from fourfold.models.googlenet import GoogLeNet
from fourfold.models.lenet5 import LeNet5
from fourfold.models.resnet import ResNet
from fourfold.models.vgg import VGG
from fourfold.nn.normalisation import GroupNorm, LocalResponseNorm
from fourfold.nn.pooling import GridAverage
from fourfold.run.views.layers import record, stages
from fourfold.run.views.receptive_field import Sees, theoretical_fields

# size and jump in pixels, each line of its own by hand: size + (k - 1) jump
LENET = {"c1, tanh": (5, 1), "s2": (6, 2), "c3, tanh": (14, 2), "s4": (16, 4)}
RESNET18 = {
    **{"conv1": (7, 2), "bn1": (7, 2), "layer1": (11 + 4 * 8, 4), "layer2": (43 + 8 + 3 * 16, 8)},
    **{"layer3": (99 + 16 + 3 * 32, 16), "layer4": (435, 32)},
}
VGG16 = {
    **{"features.0": (3, 1), "features.2": (5, 1), "features.7": (14, 2), "features.14": (40, 4)},
    **{"features.21": (92, 8), "features.28": (196, 16), "features.30": (212, 32)},
}


def test_torch_s_compiler_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:  # before others could import it
    monkeypatch.setitem(sys.modules, "torch._dynamo", None)
    assert theoretical_fields(nn.Sequential(nn.Conv2d(1, 1, 3)), torch.zeros(1, 1, 4, 4))


@pytest.mark.parametrize(
    ("build", "side", "expected"),
    [(lambda: LeNet5(3), 32, LENET), (lambda: ResNet(18), 224, RESNET18), (lambda: VGG(16), 224, VGG16)],
)
def test_by_hand(build, side, expected) -> None:
    with torch.device("meta"):
        found = theoretical_fields(build(), torch.zeros(1, 3, side, side))
    assert {stage.name: (field.rows.size, field.rows.jump) for stage, field in found if field} == expected


def test_response_normalisation_and_blocks_side_by_side_by_hand() -> None:
    with torch.device("meta"):
        alexnet = theoretical_fields(AlexNet(), torch.zeros(1, 3, 227, 227))[-1][1]
        googlenet = theoretical_fields(GoogLeNet(), torch.zeros(1, 3, 224, 224))[-1][1]
    assert alexnet is not None
    assert alexnet.rows.size == 163 + 2 * 16  # 11/4, 3/2, 5, 3/2, 3, 3, 3 give 163; the last pooling
    assert googlenet is not None
    assert googlenet.rows.size == 27 + 2 * 32 + 16 + 5 * 64 + 32 + 2 * 128  # each block's widest way is its 5x5


class Joined(nn.Module):
    """A way around that takes every second pixel, as a shortcut without weights does."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.down = nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(2, 4, 3, 2, padding=1)
        self.norm, self.wide = nn.BatchNorm2d(4), nn.Conv2d(4, 3, 5, padding=2)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        around = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 0, 2))
        x = F.relu(self.norm(self.down(x)) + around, inplace=True)
        return torch.cat([self.wide(x), x], 1)


class Sliced(nn.Module):
    """Pieces of a map, one moved against the other, side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(1, 4, 3), nn.Conv2d(4, 2, (1, 3), stride=(1, 2), padding=(0, 1))

    def forward(self, x: Tensor) -> Tensor:
        a, b = self.first(x).chunk(2, 1)
        return self.last(torch.cat([a[:, :, -6:, 1:], b[:, :, 3:9, :-1]], 1))


NETWORKS = {
    "padded and strided": lambda: nn.Sequential(
        nn.Conv2d(1, 2, (3, 5), (2, 1), padding=(1, 0)), nn.ReLU(), nn.MaxPool2d(3, 2, 1), nn.Conv2d(2, 2, 2)
    ),
    "dilated": lambda: nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 3, dilation=(2, 3)), nn.Tanh()),
    "pooled": lambda: nn.Sequential(nn.Conv2d(1, 2, 1), nn.AvgPool2d(3, 2, 1), nn.MaxPool2d(2), nn.GELU()),
    "framed": lambda: nn.Sequential(nn.ZeroPad2d((1, 2, 3, -1)), nn.Conv2d(1, 2, 3), nn.LeakyReLU(), nn.PReLU()),
    "normalised": lambda: nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), LocalResponseNorm(2), nn.Conv2d(2, 2, 3)),
    "joined": Joined,
    "sliced": Sliced,
}


@pytest.mark.parametrize("name", NETWORKS)
def test_a_nan_in_each_pixel_reaches_the_units_that_see_it(name) -> None:
    torch.manual_seed(0)
    model = NETWORKS[name]()
    height, width = 13, 12
    pictures = torch.randn(1, 1, height, width).repeat(height * width, 1, 1, 1)
    pictures.view(height * width, -1).fill_diagonal_(torch.nan)  # picture i has a NaN in pixel i
    shown = stages(record(model, pictures)[1])
    fields = theoretical_fields(model, torch.zeros(1, 1, height, width))
    assert [stage.name for stage, _ in fields] == [stage.name for stage in shown]
    assert shown
    for (_, field), stage in zip(fields, shown, strict=True):
        assert field is not None
        reached = stage.values.isnan().any(1).view(height, width, *stage.values.shape[2:])
        for seen, told, length in (
            (reached.any(1).any(2), field.rows, height),
            (reached.any(0).any(1), field.columns, width),
        ):
            for unit in range(seen.shape[1]):
                first, behind = told.of(unit)
                assert seen[:, unit].nonzero().flatten().tolist() == list(range(max(0, first), min(length, behind)))


class Gated(nn.Module):
    """Maps times a number that the whole picture gives."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.gate = nn.Conv2d(1, 2, 3), nn.Linear(2, 2)
        self.after = nn.Conv2d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x)
        return self.after(x * self.gate(x.mean((2, 3))).sigmoid()[:, :, None, None])


class Turned(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.after = nn.Conv2d(1, 2, 3), nn.Conv2d(2, 2, 1)

    def forward(self, x: Tensor) -> Tensor:
        return self.after(self.first(x).transpose(2, 3).flip(2))


@pytest.mark.parametrize(
    "model",
    [
        Gated(),
        Turned(),
        nn.Sequential(nn.Conv2d(1, 2, 3), GridAverage(3, 3)),
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.ConvTranspose2d(2, 2, 3)),
        nn.Sequential(nn.Conv2d(1, 2, 3), nn.Upsample(scale_factor=2)),
    ],
    ids=["gated", "turned", "fixed grid", "transposed", "stretched"],
)
def test_what_is_no_window_has_no_numbers(model) -> None:
    first, *_, last = [field for _, field in theoretical_fields(model, torch.zeros(1, 1, 8, 8))]
    assert first is not None
    assert first.rows == Sees(0, 3, 1)
    assert last is None


def test_normalisation_over_the_picture_is_not_counted() -> None:
    model = nn.Sequential(nn.Conv2d(1, 4, 3), GroupNorm(2, 4), nn.ReLU(), nn.Conv2d(4, 1, 3))
    fields = [field for _, field in theoretical_fields(model, torch.zeros(1, 1, 8, 8))]
    assert [field.rows for field in fields if field] == [Sees(0, 3, 1), Sees(0, 3, 1), Sees(0, 5, 1)]


def test_which_pixels_a_unit_sees() -> None:
    assert Sees(-1, 3, 2).of(0) == (-1, 2)
    assert Sees(-1, 3, 2).of(4) == (7, 10)
