"""AlexNet: five convolutions and three full layers, the network that won ImageNet in 2012.

    input 224   11x11/4, 96   LRN   pool 3/2   5x5, 256   LRN   pool 3/2   3x3, 384   3x3, 384   3x3, 256   pool 3/2
    full 4096   full 4096   output 1000

Two groups are the paper's two GPUs: the second, fourth and fifth convolution see only the maps of their own. One tower
is the author's later network without that split, with 64, 192, 384, 256 and 256 maps and no response normalisation.

Papers: Krizhevsky, Sutskever and Hinton, ImageNet Classification with Deep Convolutional Neural Networks, NeurIPS 2012,
sections 3 to 5; Krizhevsky, One weird trick for parallelizing convolutional neural networks, 2014, arXiv:1404.5997.
Departures:
- 2 pixels around the picture: 224x224 alone does not give the paper's 55x55 maps, and the paper does not say what does.
- Response normalisation stays within a group, as each GPU knew only its own maps; the paper's formula is silent on it.
- One tower is torchvision's: a fourth convolution of 256 maps where the paper of 2014 names 384, no response
  normalisation, and dropout on what the first two full layers see rather than on what they give.
- Pictures of other sizes than 224 have their last maps averaged to 6x6; at 224 they are 6x6.
- The small stem is not in the paper. It is that of its author's networks for CIFAR-10 (cuda-convnet, 2011): 5x5 at
  stride 1. Poolings have a border of one pixel, so that 32x32 and 28x28 both end at 4x4.
Checked by: parameter counts; torchvision's alexnet with copied weights, one training step; for two groups, each half
computed alone; shapes at each stage.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from fourfold.models.imagenet import ImageNetConfig, chosen_stem, require_pixels
from fourfold.nn.initialise import Initialisation, initialise_
from fourfold.nn.normalisation import LocalResponseNorm
from fourfold.nn.pooling import GridAverage
from fourfold.tasks.seam import Image, Spec, require_input

Form = Literal["two_groups", "one_tower"]
MAPS = {"two_groups": (96, 256, 384, 384, 256), "one_tower": (64, 192, 384, 256, 256)}
LEAST = {"imagenet": 63, "small": 1}  # pixels a side that the poolings leave something of


class AlexNetConfig(ImageNetConfig):
    """Fields of `model: alexnet`."""

    name: Literal["alexnet"] = "alexnet"
    form: Form = Field(default="two_groups", description="the network of 2012, or the later one without groups")
    full_width: int = Field(default=4096, ge=1, le=65_536, description="units of each of the two hidden full layers")
    dropout: float = Field(default=0.5, ge=0, lt=1, description="share of full units silenced in training, section 4.2")
    init: Initialisation = Field(
        default="normal", description="how weights are drawn; normal is section 5's, with its biases of one"
    )

    def build(self, spec: Spec) -> "AlexNet":
        """Return the network for the data's pictures and the task's outputs."""
        image = require_input(spec, Image, "alexnet")
        stem = chosen_stem(self.stem, image)
        require_pixels(image, LEAST[stem], f"alexnet with the {stem} stem")
        return AlexNet(
            *(spec.num_outputs, image.channels, self.form, stem, self.full_width, self.dropout, self.init),
        )

    def published(self) -> str | None:
        """Return torchvision's file for one tower."""
        return "alexnet-owt-7be5be79.pth" if self.form == "one_tower" else None


class AlexNet(nn.Module):
    """AlexNet; the layers of one tower are named as torchvision names them.

    Args:
        out_features: numbers returned for one example.
        in_channels: 1 for grey, 3 for colour.
        form: "two_groups" of 2012 or "one_tower" of 2014.
        stem: "imagenet" divides the picture's sides by 4, "small" keeps them.
        full_width: units of each hidden full layer.
        dropout: probability that a unit is silenced in training, twice.
        init: how weights are drawn; biases start at zero, with "normal" some at one.
    """

    def __init__(
        self,
        out_features: int = 1000,
        in_channels: int = 3,
        form: Form = "two_groups",
        stem: Literal["imagenet", "small"] = "imagenet",
        full_width: int = 4096,
        dropout: float = 0.5,
        init: Initialisation = "normal",
    ) -> None:
        super().__init__()
        small, groups, maps = stem == "small", 2 if form == "two_groups" else 1, MAPS[form]

        def pool() -> nn.Module:
            return nn.MaxPool2d(3, 2, padding=1 if small else 0)  # windows overlap, section 3.4

        def norm(channels: int) -> list[nn.Module]:
            return [LocalResponseNorm(channels, groups=2)] if form == "two_groups" else []

        self.features = nn.Sequential(
            nn.Conv2d(in_channels, maps[0], 5, padding=2) if small else nn.Conv2d(in_channels, maps[0], 11, 4, 2),
            *(nn.ReLU(inplace=True), *norm(maps[0]), pool()),
            *(nn.Conv2d(maps[0], maps[1], 5, padding=2, groups=groups), nn.ReLU(inplace=True), *norm(maps[1]), pool()),
            *(nn.Conv2d(maps[1], maps[2], 3, padding=1), nn.ReLU(inplace=True)),  # sees the maps of both groups
            *(nn.Conv2d(maps[2], maps[3], 3, padding=1, groups=groups), nn.ReLU(inplace=True)),
            *(nn.Conv2d(maps[3], maps[4], 3, padding=1, groups=groups), nn.ReLU(inplace=True), pool()),
        )
        side = 4 if small else 6
        self.avgpool = GridAverage(side, side)
        full = [nn.Linear(maps[4] * side * side, full_width), nn.Linear(full_width, full_width)]
        layers: list[nn.Module] = []
        for layer in full:
            drop, act = nn.Dropout(dropout), [layer, nn.ReLU(inplace=True)]
            layers += [*act, drop] if form == "two_groups" else [drop, *act]
        self.classifier = nn.Sequential(*layers, nn.Linear(full_width, out_features))
        initialise_(self, init, "relu")
        if init == "normal":
            convolutions = [layer for layer in self.features if isinstance(layer, nn.Conv2d)]
            for layer in (convolutions[1], convolutions[3], convolutions[4], *full):
                assert layer.bias is not None
                nn.init.ones_(layer.bias)  # so that ReLUs have something to pass on from the start, section 5

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` to `[batch, out_features]`."""
        x = self.avgpool(self.features(x))  # [batch, 256, 6, 6]
        return self.classifier(x.flatten(1))
