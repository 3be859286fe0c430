"""Densely connected networks: each layer sees the maps of all layers before it in its block, side by side.

    H = 3x3 of relu(norm(x)), with a bottleneck 3x3 of relu(norm(1x1 of relu(norm(x)))): `growth` new maps
    between blocks: 1x1 convolution to `compression` of the maps, 2x2 average pooling

Paper: Huang, Liu, van der Maaten and Weinberger, Densely Connected Convolutional Networks, CVPR 2017,
arXiv:1608.06993; section 3 and Table 1.
Departures: none; the small stem (3x3, no pooling) is that of its CIFAR networks, densenet_cifar.py, and grey pictures
are not in the paper.
Checked by: parameter counts; torchvision with copied weights, one training step; the CIFAR network layer by layer by
hand; shapes of Table 1.
"""

import re
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.models.imagenet import ImageNetConfig, chosen_stem, require_pixels
from fourfold.nn.initialise import initialise_
from fourfold.nn.pooling import average_of_places
from fourfold.tasks.seam import Image, Spec, require_input

PUBLISHED: dict[tuple[tuple[int, ...], int], str] = {  # by blocks and growth
    ((6, 12, 24, 16), 32): "densenet121-a639ec97.pth",
    ((6, 12, 36, 24), 48): "densenet161-8d451a50.pth",
    ((6, 12, 32, 32), 32): "densenet169-b2777c0a.pth",
    ((6, 12, 48, 32), 32): "densenet201-c1103571.pth",
}
BOTTLENECK = 4  # the 1x1 convolution of a bottleneck has this many times `growth` maps


class DenseNetConfig(ImageNetConfig):
    """Fields of `model: densenet`."""

    name: Literal["densenet"] = "densenet"
    blocks: list[Annotated[int, Field(ge=1, le=100)]] = Field(
        default=[6, 12, 24, 16], min_length=1, max_length=8, description="layers of each dense block, Table 1"
    )
    growth: int = Field(default=32, ge=1, le=1024, description="maps that each layer adds, k; the stem has 2 k")
    compression: float = Field(default=0.5, gt=0, le=1, description="share of the maps a transition keeps, theta (C)")
    dropout: float = Field(default=0.0, ge=0, lt=1, description="share of units silenced after each convolution")

    def build(self, spec: Spec) -> "DenseNet":
        """Return the network for the data's pictures and the task's outputs."""
        image = require_input(spec, Image, "densenet")
        stem = chosen_stem(self.stem, image)
        halvings = 2 ** (len(self.blocks) - 1)
        require_pixels(image, halvings if stem == "small" else 4 * halvings - 3, "densenet")
        return DenseNet(
            tuple(self.blocks),
            self.growth,
            2 * self.growth,
            spec.num_outputs,
            image.channels,
            stem,
            compression=self.compression,
            dropout=self.dropout,
        )

    def published(self) -> str | None:
        """Return torchvision's file for one of the paper's four networks."""
        return PUBLISHED.get((tuple(self.blocks), self.growth)) if self.compression == 0.5 else None

    def renamed(self, name: str) -> str | None:
        """Join the number to the word: the files say `denselayer1.norm.1.weight`."""
        return re.sub(r"(denselayer\d+\.(?:norm|conv))\.([12]\.)", r"\1\2", name)


class DenseNet(nn.Module):
    """A densely connected network; layers are named as torchvision names them.

    Args:
        blocks: layers of each dense block.
        growth: maps that each layer adds, k.
        first: maps of the first convolution.
        out_features: numbers returned for one example.
        in_channels: 1 for grey, 3 for colour.
        stem: "imagenet" divides the picture's sides by 4, "small" keeps them.
        bottleneck: whether a 1x1 convolution to 4 k maps precedes each 3x3.
        compression: share of the maps that a transition keeps, rounded down.
        dropout: probability that a new unit is silenced in training.
    """

    def __init__(
        self,
        blocks: tuple[int, ...] = (6, 12, 24, 16),
        growth: int = 32,
        first: int = 64,
        out_features: int = 1000,
        in_channels: int = 3,
        stem: Literal["imagenet", "small"] = "imagenet",
        bottleneck: bool = True,
        compression: float = 0.5,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.features = nn.Sequential()
        if stem == "small":
            self.features.add_module("conv0", nn.Conv2d(in_channels, first, 3, padding=1, bias=False))
        else:
            self.features.add_module("conv0", nn.Conv2d(in_channels, first, 7, 2, padding=3, bias=False))
            self.features.add_module("norm0", nn.BatchNorm2d(first))
            self.features.add_module("relu0", nn.ReLU(inplace=True))
            self.features.add_module("pool0", nn.MaxPool2d(3, 2, padding=1))
        channels = first
        for i, count in enumerate(blocks, start=1):
            self.features.add_module(f"denseblock{i}", DenseBlock(count, channels, growth, bottleneck, dropout))
            channels += count * growth
            if i < len(blocks):
                kept = max(1, int(compression * channels))
                self.features.add_module(f"transition{i}", _transition(channels, kept, dropout))
                channels = kept
        self.features.add_module(f"norm{len(blocks) + 1}", nn.BatchNorm2d(channels))
        self.classifier = nn.Linear(channels, out_features)
        initialise_(self, "he", "relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` to `[batch, out_features]`."""
        x = F.relu(self.features(x), inplace=True)  # [batch, maps, height / 32, width / 32] of an ImageNet network
        return self.classifier(average_of_places(x))


class DenseBlock(nn.Sequential):
    """Layers that each see the block's input and all maps made before them.

    Args:
        count: layers.
        in_channels: maps that come in.
        growth: maps that each layer adds.
        bottleneck: whether a 1x1 convolution precedes each 3x3.
        dropout: probability that a new unit is silenced in training.
    """

    def __init__(
        self, count: int, in_channels: int, growth: int, bottleneck: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__()
        for i in range(count):
            layer = DenseLayer(in_channels + i * growth, growth, bottleneck, dropout)
            self.add_module(f"denselayer{i + 1}", layer)

    def forward(self, input: Tensor) -> Tensor:
        """Map `[batch, in_channels, height, width]` to `[batch, in_channels + count growth, height, width]`."""
        maps = [input]
        for layer in self:
            maps.append(layer(torch.cat(maps, 1)))  # Eq. 2
        return torch.cat(maps, 1)


class DenseLayer(nn.Module):
    """The composite function H of section 3: normalisation, relu, convolution, in that order.

    Args:
        in_channels: maps that come in.
        growth: maps that it makes.
        bottleneck: whether a 1x1 convolution precedes the 3x3.
        dropout: probability that a unit is silenced in training, after each convolution.
    """

    def __init__(self, in_channels: int, growth: int, bottleneck: bool = True, dropout: float = 0.0) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm2d(in_channels)
        if bottleneck:
            self.conv1 = nn.Conv2d(in_channels, BOTTLENECK * growth, 1, bias=False)
            self.norm2 = nn.BatchNorm2d(BOTTLENECK * growth)
            self.conv2 = nn.Conv2d(BOTTLENECK * growth, growth, 3, padding=1, bias=False)
        else:
            self.conv1 = nn.Conv2d(in_channels, growth, 3, padding=1, bias=False)
        self.bottleneck, self.dropout = bottleneck, dropout

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, in_channels, height, width]` to `[batch, growth, height, width]`."""
        x = self.conv1(F.relu(self.norm1(x), inplace=True))
        if self.bottleneck:
            x = F.dropout(x, self.dropout, self.training) if self.dropout else x
            x = self.conv2(F.relu(self.norm2(x), inplace=True))
        return F.dropout(x, self.dropout, self.training) if self.dropout else x


def _transition(in_channels: int, out_channels: int, dropout: float) -> nn.Sequential:
    """Return what stands between two blocks: fewer maps, half as high and wide."""
    transition = nn.Sequential()
    transition.add_module("norm", nn.BatchNorm2d(in_channels))
    transition.add_module("relu", nn.ReLU(inplace=True))
    transition.add_module("conv", nn.Conv2d(in_channels, out_channels, 1, bias=False))
    if dropout:
        transition.add_module("dropout", nn.Dropout(dropout))
    transition.add_module("pool", nn.AvgPool2d(2))
    return transition
