"""Residual networks for photographs: blocks that learn what to add to their input.

    18, 34 layers: stages of two 3x3 convolutions a block; 50, 101, 152: 1x1, 3x3, 1x1, four times as wide at the end.

Paper: He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385; Table 1.
Departures:
- A bottleneck that halves the picture does it in its 3x3 convolution, as the published weights do ("v1.5"); the
  paper's does it in its first 1x1, which is `stride_in: 1x1`.
- The paper's option C, a projection in every shortcut, is not offered; its Table 3 finds it hardly better than B.
- The small stem (3x3, no pooling) and grey pictures are not in the paper's ImageNet networks; its section 4.2 has that
  stem for CIFAR.
Checked by: parameter counts; torchvision with copied weights, one training step; shapes of Table 1; shortcuts by hand.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.models.imagenet import ImageNetConfig, chosen_stem
from fourfold.nn.initialise import initialise_
from fourfold.nn.pooling import average_of_places
from fourfold.tasks.seam import Image, Spec, require_input

Shortcut = Literal["projection", "identity", "none"]
StrideIn = Literal["3x3", "1x1"]

BLOCKS = {18: (2, 2, 2, 2), 34: (3, 4, 6, 3), 50: (3, 4, 6, 3), 101: (3, 4, 23, 3), 152: (3, 8, 36, 3)}  # Table 1


PUBLISHED = {
    18: "resnet18-f37072fd.pth",
    34: "resnet34-b627a593.pth",
    50: "resnet50-0676ba61.pth",
    101: "resnet101-63fe2227.pth",
    152: "resnet152-394f9c45.pth",
}


class ResNetConfig(ImageNetConfig):
    """Fields of `model: resnet`."""

    name: Literal["resnet"] = "resnet"
    depth: Literal[18, 34, 50, 101, 152] = Field(default=18, description="weighted layers, Table 1")
    shortcut: Shortcut = Field(
        default="projection",
        description="where the shape changes: a 1x1 projection (B), or identity with zeros for new maps (A); "
        "none: the plain twin",
    )
    stride_in: StrideIn = Field(
        default="3x3", description="which convolution of a bottleneck halves the picture; the paper's is 1x1"
    )
    zero_init_last: bool = Field(
        default=False, description="start each block as identity: its last gamma at zero (arXiv:1706.02677, 5.1)"
    )

    def build(self, spec: Spec) -> "ResNet":
        """Return the network for the data's pictures and the task's outputs."""
        image = require_input(spec, Image, "resnet")
        require_way_around(self.shortcut, self.zero_init_last)
        stem = chosen_stem(self.stem, image)
        return ResNet(
            self.depth, spec.num_outputs, image.channels, stem, self.shortcut, self.stride_in, self.zero_init_last
        )

    def published(self) -> str | None:
        """Return torchvision's file for the network with projections that halves in 3x3 convolutions."""
        same = self.shortcut == "projection" and (self.stride_in == "3x3" or self.depth < 50)
        return PUBLISHED[self.depth] if same else None


class ResNet(nn.Module):
    """A residual network; layers are named as torchvision names them.

    Args:
        depth: 18, 34, 50, 101 or 152.
        out_features: numbers returned for one example.
        in_channels: 1 for grey, 3 for colour.
        stem: "imagenet" divides the picture's sides by 4, "small" keeps them.
        shortcut: what a shortcut is where the shape changes; "none" has no shortcuts at all.
        stride_in: which convolution of a bottleneck halves the picture.
        zero_init_last: whether each block's last gamma starts at zero.
    """

    def __init__(
        self,
        depth: Literal[18, 34, 50, 101, 152] = 18,
        out_features: int = 1000,
        in_channels: int = 3,
        stem: Literal["imagenet", "small"] = "imagenet",
        shortcut: Shortcut = "projection",
        stride_in: StrideIn = "3x3",
        zero_init_last: bool = False,
    ) -> None:
        super().__init__()
        small = stem == "small"
        self.conv1 = nn.Conv2d(in_channels, 64, 3 if small else 7, 1 if small else 2, 1 if small else 3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.maxpool = nn.Identity() if small else nn.MaxPool2d(3, 2, padding=1)
        stages: list[nn.Sequential] = []
        channels = 64
        for i, count in enumerate(BLOCKS[depth]):
            width = 64 * 2**i
            blocks: list[nn.Module] = []
            for j in range(count):
                stride = 2 if i > 0 and j == 0 else 1
                if depth < 50:
                    blocks.append(BasicBlock(channels, width, stride, shortcut))
                else:
                    blocks.append(Bottleneck(channels, width, stride, shortcut, stride_in))
                channels = width if depth < 50 else 4 * width
            stages.append(nn.Sequential(*blocks))
        self.layer1, self.layer2, self.layer3, self.layer4 = stages
        self.fc = nn.Linear(channels, out_features)
        initialise_(self, "he", "relu")
        if zero_init_last:
            zero_last_gammas_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` to `[batch, out_features]`."""
        x = self.maxpool(F.relu(self.bn1(self.conv1(x)), inplace=True))  # [batch, 64, height / 4, width / 4]
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))  # sides halved by each but the first
        return self.fc(average_of_places(x))


class BasicBlock(nn.Module):
    """Two 3x3 convolutions and a shortcut: Figure 5, left.

    Args:
        in_channels: maps that come in.
        width: maps of both convolutions.
        stride: 2 halves the picture, in the first convolution.
        shortcut: what the shortcut is where the shape changes.
    """

    def __init__(self, in_channels: int, width: int, stride: int = 1, shortcut: Shortcut = "projection") -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, width, 3, stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.downsample = make_shortcut(in_channels, width, stride, shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, in_channels, height, width]` to `[batch, width, height / stride, width / stride]`."""
        residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)), inplace=True)))
        return _joined(residual, x, self.downsample)


class Bottleneck(nn.Module):
    """A 1x1, a 3x3 and a 1x1 convolution and a shortcut: Figure 5, right.

    Args:
        in_channels: maps that come in.
        width: maps of the first two convolutions; the last has four times as many.
        stride: 2 halves the picture.
        shortcut: what the shortcut is where the shape changes.
        stride_in: which convolution halves the picture.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        stride: int = 1,
        shortcut: Shortcut = "projection",
        stride_in: StrideIn = "3x3",
    ) -> None:
        super().__init__()
        first, second = (stride, 1) if stride_in == "1x1" else (1, stride)
        self.conv1 = nn.Conv2d(in_channels, width, 1, first, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, second, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.downsample = make_shortcut(in_channels, 4 * width, stride, shortcut)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, in_channels, height, width]` to `[batch, 4 width, height / stride, width / stride]`."""
        residual = F.relu(self.bn1(self.conv1(x)), inplace=True)
        residual = self.bn3(self.conv3(F.relu(self.bn2(self.conv2(residual)), inplace=True)))
        return _joined(residual, x, self.downsample)


class ZeroPadded(nn.Module):
    """The identity where the shape changes: every `stride`-th pixel, and maps of zeros after the old ones (option A).

    Args:
        extra: maps to add.
        stride: 2 halves the picture.
    """

    def __init__(self, extra: int, stride: int) -> None:
        super().__init__()
        self.extra, self.stride = extra, stride

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` to `[batch, channels + extra, height / stride, width / stride]`."""
        if x.stride(1) == 1:  # channels last, and so must be the gradient: a slice's has the order of what was sliced
            return F.pad(x.permute(0, 2, 3, 1)[:, :: self.stride, :: self.stride], (0, self.extra)).permute(0, 3, 1, 2)
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.extra))


def make_shortcut(in_channels: int, out_channels: int, stride: int, shortcut: Shortcut) -> nn.Module | None:
    """Return what the input passes through on its way around a block, or None where there is no way around."""
    if shortcut == "none":
        return None
    if stride == 1 and in_channels == out_channels:
        return nn.Identity()  # Eq. 1
    if shortcut == "identity":
        return ZeroPadded(out_channels - in_channels, stride)
    return nn.Sequential(nn.Conv2d(in_channels, out_channels, 1, stride, bias=False), nn.BatchNorm2d(out_channels))


def zero_last_gammas_(network: nn.Module) -> None:
    """Set the scale of each block's last normalisation to zero, so that the block starts as its shortcut."""
    for block in network.modules():
        if isinstance(block, BasicBlock | Bottleneck):
            last = block.bn2 if isinstance(block, BasicBlock) else block.bn3
            nn.init.zeros_(last.weight)


def require_way_around(shortcut: Shortcut, zero_init_last: bool) -> None:
    """Raise InputError for a plain network whose blocks would start, and stay, at zero."""
    if shortcut == "none" and zero_init_last:
        raise InputError("model.zero_init_last: a plain network (model.shortcut=none) would return zeros for ever")


def _joined(residual: Tensor, x: Tensor, shortcut: nn.Module | None) -> Tensor:
    """Return the block's output, Eq. 1 and 2; of a plain block, its convolutions' alone."""
    return F.relu(residual if shortcut is None else residual + shortcut(x), inplace=True)
