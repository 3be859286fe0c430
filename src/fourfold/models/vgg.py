"""VGG: stacks of 3x3 convolutions, the picture halved and the maps doubled after each, then three full layers.

    A (11 layers)   64 / 128 / 256 256 / 512 512 / 512 512
    B (13)          64 64 / 128 128 / 256 256 / 512 512 / 512 512
    D (16)          64 64 / 128 128 / 256 256 256 / 512 512 512 / 512 512 512
    E (19)          64 64 / 128 128 / 256 256 256 256 / 512 512 512 512 / 512 512 512 512         / is a 2x2 pooling

Paper: Simonyan and Zisserman, Very Deep Convolutional Networks for Large-Scale Image Recognition, ICLR 2015,
arXiv:1409.1556; Table 1.
Departures:
- C, which has 1x1 convolutions, and A with response normalisation are not offered; the paper finds neither better.
- Weights are drawn as Glorot and Bengio do, which the paper names as what it would do again; it began with N(0, 0.01)
  in A, and the deeper networks with layers of a trained A.
- Normalisation came later: batch normalisation between convolution and ReLU is torchvision's `vgg16_bn`; the other
  kinds stand in the same place.
- Pictures of other sizes than 224 have their last maps averaged to 7x7, as in torchvision; at 224 they are 7x7.
- The small stem is not in the paper. It is Zagoruyko's for CIFAR-10 (2015): poolings round up, so that 32x32 and 28x28
  both end at 1x1, and full layers of 512. He has one hidden full layer; here the paper's two are kept.
Checked by: parameter counts; torchvision with copied weights, one training step; shapes at each stage.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from fourfold.models.imagenet import ImageNetConfig, chosen_stem, require_pixels
from fourfold.nn.initialise import Initialisation, initialise_
from fourfold.nn.normalisation import Normalisation, make_normalisation
from fourfold.nn.pooling import GridAverage
from fourfold.tasks.seam import Image, Spec, require_input

Depth = Literal[11, 13, 16, 19]

BLOCKS = {11: (1, 1, 2, 2, 2), 13: (2, 2, 2, 2, 2), 16: (2, 2, 3, 3, 3), 19: (2, 2, 4, 4, 4)}  # Table 1: A, B, D, E
PUBLISHED = {
    (11, "none"): "vgg11-8a719046.pth",
    (13, "none"): "vgg13-19584684.pth",
    (16, "none"): "vgg16-397923af.pth",
    (19, "none"): "vgg19-dcbb9e9d.pth",
    (11, "batch"): "vgg11_bn-6002323d.pth",
    (13, "batch"): "vgg13_bn-abd245e5.pth",
    (16, "batch"): "vgg16_bn-6c64b313.pth",
    (19, "batch"): "vgg19_bn-c79401a0.pth",
}
WIDTHS = (64, 128, 256, 512, 512)
LEAST = {"imagenet": 32, "small": 1}  # pixels a side that the poolings leave something of


class VGGConfig(ImageNetConfig):
    """Fields of `model: vgg`."""

    name: Literal["vgg"] = "vgg"
    depth: Depth = Field(default=16, description="weighted layers, Table 1")
    norm: Normalisation = Field(
        default="none", description="normalisation before each ReLU of a convolution; group has 32 groups"
    )
    full_width: int | None = Field(
        default=None,
        ge=1,
        le=65_536,
        description="units of each hidden full layer; null: 4096, with the small stem 512",
    )
    dropout: float = Field(default=0.5, ge=0, lt=1, description="share of full units silenced in training, section 3.1")
    init: Initialisation = Field(
        default="glorot", description="how weights are drawn; the paper's advice is glorot, He's for such nets is he"
    )

    def build(self, spec: Spec) -> "VGG":
        """Return the network for the data's pictures and the task's outputs."""
        image = require_input(spec, Image, "vgg")
        stem = chosen_stem(self.stem, image)
        require_pixels(image, LEAST[stem], f"vgg with the {stem} stem")
        width = self.full_width or (512 if stem == "small" else 4096)
        return VGG(
            *(self.depth, spec.num_outputs, image.channels, stem, self.norm, width, self.dropout, self.init),
        )

    def published(self) -> str | None:
        """Return torchvision's file for the network with batch normalisation or none."""
        return PUBLISHED.get((self.depth, self.norm))


class VGG(nn.Module):
    """A VGG network; layers are named as torchvision names them.

    Args:
        depth: 11, 13, 16 or 19 weighted layers.
        out_features: numbers returned for one example.
        in_channels: 1 for grey, 3 for colour.
        stem: "imagenet" for pictures of 224x224, "small" for 28x28 and 32x32.
        norm: normalisation between convolution and ReLU.
        full_width: units of each hidden full layer.
        dropout: probability that a hidden full unit is silenced in training.
        init: how weights are drawn; biases start at zero.
    """

    def __init__(
        self,
        depth: Depth = 16,
        out_features: int = 1000,
        in_channels: int = 3,
        stem: Literal["imagenet", "small"] = "imagenet",
        norm: Normalisation = "none",
        full_width: int = 4096,
        dropout: float = 0.5,
        init: Initialisation = "glorot",
    ) -> None:
        super().__init__()
        small = stem == "small"
        layers: list[nn.Module] = []
        channels = in_channels
        for count, width in zip(BLOCKS[depth], WIDTHS, strict=True):
            for _ in range(count):
                layers.append(nn.Conv2d(channels, width, 3, padding=1))
                if norm != "none":
                    layers.append(make_normalisation(norm, width))
                layers.append(nn.ReLU(inplace=True))
                channels = width
            layers.append(nn.MaxPool2d(2, ceil_mode=small))
        self.features = nn.Sequential(*layers)
        side = 1 if small else 7
        self.avgpool = GridAverage(side, side)
        self.classifier = nn.Sequential(
            *(nn.Linear(channels * side * side, full_width), nn.ReLU(inplace=True), nn.Dropout(dropout)),
            *(nn.Linear(full_width, full_width), nn.ReLU(inplace=True), nn.Dropout(dropout)),
            nn.Linear(full_width, out_features),
        )
        initialise_(self, init, "relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` to `[batch, out_features]`."""
        x = self.avgpool(self.features(x))  # [batch, 512, 7, 7]
        return self.classifier(x.flatten(1))
