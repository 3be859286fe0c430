"""Residual networks for small pictures: three stages of 16, 32 and 64 maps, and their plain twins.

    depth = 6n + 2: a 3x3 convolution, then 2n layers at 32x32, 16x16 and 8x8, then the output

Paper: He, Zhang, Ren and Sun, Deep Residual Learning for Image Recognition, CVPR 2016, arXiv:1512.03385; section 4.2.
Departures: none for 32x32; other sizes of picture and grey ones are not in the paper.
Checked by: parameter counts of Table 6; torchvision's blocks with copied weights; shapes; shortcuts by hand.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.models.resnet import BasicBlock, Shortcut, require_way_around, zero_last_gammas_
from fourfold.nn.initialise import initialise_
from fourfold.nn.pooling import average_of_places
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Spec, require_input


class ResNetCifarConfig(ModelConfig):
    """Fields of `model: resnet_cifar`."""

    name: Literal["resnet_cifar"] = "resnet_cifar"
    depth: int = Field(default=20, ge=8, le=1202, description="weighted layers, 6n + 2; the paper's are 20 to 1202")
    shortcut: Shortcut = Field(
        default="identity",
        description="where the shape changes: identity with zeros for new maps (A), or a 1x1 projection (B); "
        "none: the plain twin",
    )
    zero_init_last: bool = Field(
        default=False, description="start each block as identity: its last gamma at zero (arXiv:1706.02677, 5.1)"
    )

    def build(self, spec: Spec) -> "ResNetCifar":
        """Return the network for the data's pictures and the task's outputs."""
        image = require_input(spec, Image, "resnet_cifar")
        if self.depth % 6 != 2:
            nearest = max(8, 6 * round((self.depth - 2) / 6) + 2)
            raise InputError(f"model.depth: must be 6n + 2 (got {self.depth}); the nearest is {nearest}")
        require_way_around(self.shortcut, self.zero_init_last)
        return ResNetCifar(self.depth, spec.num_outputs, image.channels, self.shortcut, self.zero_init_last)

    def paper_spec(self) -> Spec:
        """CIFAR-10: colour pictures of 32x32 and ten classes."""
        return ClassificationSpec(Image(3, 32, 32), tuple("0123456789"))


class ResNetCifar(nn.Module):
    """A residual network for small pictures.

    Args:
        depth: weighted layers, 6n + 2.
        out_features: numbers returned for one example.
        in_channels: 1 for grey, 3 for colour.
        shortcut: what a shortcut is where the shape changes; "none" has no shortcuts at all.
        zero_init_last: whether each block's last gamma starts at zero.
    """

    def __init__(
        self,
        depth: int = 20,
        out_features: int = 10,
        in_channels: int = 3,
        shortcut: Shortcut = "identity",
        zero_init_last: bool = False,
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        count = (depth - 2) // 6
        self.layer1 = _stage(16, 16, count, shortcut)
        self.layer2 = _stage(16, 32, count, shortcut)
        self.layer3 = _stage(32, 64, count, shortcut)
        self.fc = nn.Linear(64, out_features)
        initialise_(self, "he", "relu")
        if zero_init_last:
            zero_last_gammas_(self)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` to `[batch, out_features]`."""
        x = F.relu(self.bn1(self.conv1(x)), inplace=True)  # [batch, 16, height, width]
        x = self.layer3(self.layer2(self.layer1(x)))  # [batch, 64, height / 4, width / 4]
        return self.fc(average_of_places(x))


def _stage(in_channels: int, width: int, count: int, shortcut: Shortcut) -> nn.Sequential:
    """Return `count` blocks, the first of which halves the picture where the width changes."""
    stride = 1 if in_channels == width else 2
    blocks = [
        BasicBlock(in_channels if i == 0 else width, width, stride if i == 0 else 1, shortcut) for i in range(count)
    ]
    return nn.Sequential(*blocks)
