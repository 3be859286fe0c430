"""GoogLeNet: nine inception blocks, each a 1x1, a 3x3, a 5x5 convolution and a pooling side by side, after 1x1s.

Paper: Szegedy et al., Going Deeper with Convolutions, CVPR 2015, arXiv:1409.4842; Table 1, Figure 3, section 5.
Departures:
- The paper does not say how weights are drawn (He's way here), nor which response normalisation: AlexNet's.
- Poolings round up, as 112 to 56 in Table 1 asks; an auxiliary head's average of 5x5 at stride 3 is an average to 4x4
  on maps of other sizes than 14 to 16.
- `variant: torchvision` is another network, whose published weights load: batch normalisation and no response
  normalisation, a 3x3 in place of each 5x5, a last pooling of 2x2, auxiliary heads that average to 4x4 by bins that
  overlap, and colour pictures, standardised by ImageNet's means, scaled to [-1, 1] first.
- The small stem (3x3 at stride 1, the second pooling alone) and grey pictures are not in the paper.
Checked by: parameter counts; torchvision with copied weights, one training step; the paper's block and heads by hand;
shapes of Table 1.
"""

from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.models.imagenet import ImageNetConfig, chosen_stem, require_pixels
from fourfold.nn.initialise import initialise_
from fourfold.nn.normalisation import LocalResponseNorm
from fourfold.nn.pooling import GridAverage, average_of_places
from fourfold.tasks.auxiliary import WithAuxiliary
from fourfold.tasks.seam import Image, Spec, require_input

Variant = Literal["paper", "torchvision"]
LEAST = {"imagenet": 31, "small": 8}  # pixels a side that the poolings leave something of


class GoogLeNetConfig(ImageNetConfig):
    """Fields of `model: googlenet`."""

    name: Literal["googlenet"] = "googlenet"
    variant: Variant = Field(
        default="paper",
        description="torchvision: batch normalisation and 3x3 in place of 5x5, so that its weights load",
    )
    auxiliary_weight: float | None = Field(
        default=0.3, gt=0, le=10, description="of each auxiliary classifier's loss in training; null: there are none"
    )
    dropout: float = Field(default=0.4, ge=0, lt=1, description="share of units silenced before the output")

    def build(self, spec: Spec) -> "GoogLeNet":
        """Return the network for the data's pictures and the task's outputs."""
        image = require_input(spec, Image, "googlenet")
        stem = chosen_stem(self.stem, image)
        require_pixels(image, LEAST[stem], f"googlenet with the {stem} stem")
        return GoogLeNet(spec.num_outputs, image.channels, self.variant, stem, self.auxiliary_weight, self.dropout)

    def published(self) -> str | None:
        """Return torchvision's file for torchvision's network."""
        return "googlenet-1378be20.pth" if self.variant == "torchvision" else None

    def renamed(self, name: str) -> str | None:
        """Leave auxiliary classifiers out where there are none."""
        return None if name.startswith("aux") and self.auxiliary_weight is None else name


class GoogLeNet(nn.Module):
    """GoogLeNet; layers are named as torchvision names them.

    Args:
        out_features: numbers returned for one example.
        in_channels: 1 for grey, 3 for colour.
        variant: the paper's network, or torchvision's.
        stem: "imagenet" divides the picture's sides by 8, "small" by 2.
        auxiliary_weight: of each auxiliary classifier's loss; None: there are none.
        dropout: probability that a unit is silenced in training before the output.
    """

    def __init__(
        self,
        out_features: int = 1000,
        in_channels: int = 3,
        variant: Variant = "paper",
        stem: Literal["imagenet", "small"] = "imagenet",
        auxiliary_weight: float | None = 0.3,
        dropout: float = 0.4,
    ) -> None:
        super().__init__()
        self.auxiliary_weight = auxiliary_weight
        self.rescaled = variant == "torchvision" and in_channels == 3
        small = stem == "small"
        self.conv1 = _convolution(variant, in_channels, 64, 3 if small else 7, 1 if small else 2)
        self.maxpool1 = nn.Identity() if small else _pool(3)
        self.norm1 = LocalResponseNorm(64) if variant == "paper" else nn.Identity()
        self.conv2 = _convolution(variant, 64, 64, 1)
        self.conv3 = _convolution(variant, 64, 192, 3)
        self.norm2 = LocalResponseNorm(192) if variant == "paper" else nn.Identity()
        self.maxpool2 = _pool(3)
        self.inception3a = Inception(variant, 192, 64, (96, 128), (16, 32), 32)
        self.inception3b = Inception(variant, 256, 128, (128, 192), (32, 96), 64)
        self.maxpool3 = _pool(3)
        self.inception4a = Inception(variant, 480, 192, (96, 208), (16, 48), 64)
        self.inception4b = Inception(variant, 512, 160, (112, 224), (24, 64), 64)
        self.inception4c = Inception(variant, 512, 128, (128, 256), (24, 64), 64)
        self.inception4d = Inception(variant, 512, 112, (144, 288), (32, 64), 64)
        self.inception4e = Inception(variant, 528, 256, (160, 320), (32, 128), 128)
        self.maxpool4 = _pool(3 if variant == "paper" else 2)
        self.inception5a = Inception(variant, 832, 256, (160, 320), (32, 128), 128)
        self.inception5b = Inception(variant, 832, 384, (192, 384), (48, 128), 128)
        if auxiliary_weight is not None:
            self.aux1 = AuxiliaryHead(variant, 512, out_features)
            self.aux2 = AuxiliaryHead(variant, 528, out_features)
        self.dropout = nn.Dropout(dropout)
        self.fc = nn.Linear(1024, out_features)
        initialise_(self, "he", "relu")

    def forward(self, x: Tensor) -> Tensor | WithAuxiliary:
        """Map `[batch, channels, height, width]` to `[batch, out_features]`; in training two more outputs beside it."""
        if self.rescaled:
            deviation = x.new_tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
            mean = x.new_tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
            x = x * (deviation / 0.5) + (mean - 0.5) / 0.5
        x = self.norm1(self.maxpool1(self.conv1(x)))  # [batch, 64, height / 4, width / 4]
        x = self.maxpool2(self.norm2(self.conv3(self.conv2(x))))  # [batch, 192, height / 8, width / 8]
        x = self.maxpool3(self.inception3b(self.inception3a(x)))  # [batch, 480, height / 16, width / 16]
        early = self.inception4a(x)
        late = self.inception4d(self.inception4c(self.inception4b(early)))
        x = self.maxpool4(self.inception4e(late))  # [batch, 832, height / 32, width / 32]
        x = self.inception5b(self.inception5a(x))
        if self.auxiliary_weight is None or not self.training:
            return self.fc(self.dropout(average_of_places(x)))
        heads = (self.aux1(early), self.aux2(late))
        return WithAuxiliary(self.fc(self.dropout(average_of_places(x))), heads, self.auxiliary_weight)

    def extra_repr(self) -> str:
        return f"auxiliary_weight={self.auxiliary_weight}"


class Inception(nn.Module):
    """Four ways side by side: Figure 2b.

    Args:
        variant: whose convolutions.
        in_channels: maps that come in.
        ones: maps of the 1x1 convolution.
        threes: maps of the 1x1 before the 3x3, and of that.
        fives: maps of the 1x1 before the 5x5, and of that.
        pooled: maps of the 1x1 after the pooling.
    """

    def __init__(
        self,
        variant: Variant,
        in_channels: int,
        ones: int,
        threes: tuple[int, int],
        fives: tuple[int, int],
        pooled: int,
    ) -> None:
        super().__init__()
        side = 5 if variant == "paper" else 3
        self.branch1 = _convolution(variant, in_channels, ones, 1)
        self.branch2 = nn.Sequential(
            _convolution(variant, in_channels, threes[0], 1), _convolution(variant, threes[0], threes[1], 3)
        )
        self.branch3 = nn.Sequential(
            _convolution(variant, in_channels, fives[0], 1), _convolution(variant, fives[0], fives[1], side)
        )
        self.branch4 = nn.Sequential(nn.MaxPool2d(3, 1, padding=1), _convolution(variant, in_channels, pooled, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, in_channels, height, width]` to all ways' maps, of the same height and width."""
        return torch.cat([self.branch1(x), self.branch2(x), self.branch3(x), self.branch4(x)], 1)


class AuxiliaryHead(nn.Module):
    """A classifier on the way: average, 1x1 convolution, full layer, dropout of 70 %, output (section 5).

    Args:
        variant: whose convolution and averages.
        in_channels: maps that come in.
        out_features: numbers returned for one example.
    """

    def __init__(self, variant: Variant, in_channels: int, out_features: int) -> None:
        super().__init__()
        self.variant: Variant = variant
        self.grid = GridAverage(4, 4)
        self.conv = _convolution(variant, in_channels, 128, 1)
        self.fc1 = nn.Linear(128 * 4 * 4, 1024)
        self.dropout = nn.Dropout(0.7)
        self.fc2 = nn.Linear(1024, out_features)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, in_channels, height, width]` to `[batch, out_features]`."""
        fits = all(14 <= side <= 16 for side in x.shape[2:])
        x = F.avg_pool2d(x, 5, 3) if fits and self.variant == "paper" else self.grid(x)  # [batch, in_channels, 4, 4]
        return self.fc2(self.dropout(F.relu(self.fc1(self.conv(x).flatten(1)), inplace=True)))


class ConvNorm(nn.Module):
    """A convolution, batch normalisation and relu, as torchvision has them.

    Args:
        in_channels: maps that come in.
        out_channels: maps that it makes.
        side: of the kernel; odd.
        stride: 2 halves the picture.
    """

    def __init__(self, in_channels: int, out_channels: int, side: int, stride: int = 1) -> None:
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, side, stride, padding=side // 2, bias=False)
        self.bn = nn.BatchNorm2d(out_channels, eps=0.001)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, in_channels, height, width]` to `[batch, out_channels, height / stride, width / stride]`."""
        return F.relu(self.bn(self.conv(x)), inplace=True)


def _convolution(variant: Variant, in_channels: int, out_channels: int, side: int, stride: int = 1) -> nn.Module:
    """Return a convolution that keeps the picture's size, but for its stride, and relu."""
    if variant == "torchvision":
        return ConvNorm(in_channels, out_channels, side, stride)
    convolution = nn.Conv2d(in_channels, out_channels, side, stride, padding=side // 2)
    return nn.Sequential(convolution, nn.ReLU(inplace=True))


def _pool(side: int) -> nn.MaxPool2d:
    """Return the largest of `side` x `side` at every second pixel."""
    return nn.MaxPool2d(side, 2, ceil_mode=True)
