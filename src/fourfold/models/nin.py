"""Network in Network: behind each convolution a small network at every pixel, and no full layers at all.

    for 32x32      5x5: 192 160 96    pool   5x5: 192 192 192    pool   3x3: 192 192 classes                average
    for ImageNet   11x11/4: 96 96 96  pool   5x5: 256 256 256    pool   3x3: 384 384 384   pool
                   3x3: 1024 1024 classes                                                                   average

After the first of three, 1x1 convolutions are that network; the mean of a class's map over the picture is its score.

Paper: Lin, Chen and Yan, Network In Network, ICLR 2014, arXiv:1312.4400; section 4 and Figure 2.
Departures:
- The paper gives no widths; those for 32x32 are its authors' published network for CIFAR-10, those for ImageNet their
  network in Caffe's model zoo. The second pooling takes means there, and so it does here where the paper says maxima.
- Poolings round up, as the authors' did (cuda-convnet, Caffe): 32x32 goes by 16x16 to 8x8.
- Weights are drawn as He et al. 2015 do; the paper set them by hand, and does not say to what.
Checked by: parameter counts by hand; torch.nn.Sequential with copied weights; shapes at each stage.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from fourfold.models.imagenet import ImageNetConfig, chosen_stem, require_pixels
from fourfold.nn.initialise import Initialisation, initialise_
from fourfold.nn.pooling import average_of_places
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Spec, require_input

LEAST = {"imagenet": 39, "small": 4}  # pixels a side that the poolings leave something of


class NiNConfig(ImageNetConfig):
    """Fields of `model: nin`."""

    name: Literal["nin"] = "nin"
    dropout: float = Field(default=0.5, ge=0, lt=1, description="share of units silenced in training between blocks")
    init: Initialisation = Field(default="he", description="how weights are drawn")

    def build(self, spec: Spec) -> "NiN":
        """Return the network for the data's pictures and the task's outputs."""
        image = require_input(spec, Image, "nin")
        stem = chosen_stem(self.stem, image)
        require_pixels(image, LEAST[stem], f"nin with the {stem} stem")
        return NiN(spec.num_outputs, image.channels, stem, self.dropout, self.init)

    def paper_spec(self) -> Spec:
        """Colour pictures of 32x32 and ten classes, as in CIFAR-10: 966,986 parameters."""
        return ClassificationSpec(Image(3, 32, 32), tuple("0123456789"))


class NiN(nn.Module):
    """A network of networks.

    Args:
        out_features: numbers returned for one example.
        in_channels: 1 for grey, 3 for colour.
        stem: "small" for pictures of 32x32, the paper's; "imagenet" for 224x224.
        dropout: probability that a unit is silenced in training, between blocks.
        init: how weights are drawn; biases start at zero.
    """

    def __init__(
        self,
        out_features: int = 10,
        in_channels: int = 3,
        stem: Literal["imagenet", "small"] = "small",
        dropout: float = 0.5,
        init: Initialisation = "he",
    ) -> None:
        super().__init__()
        if stem == "small":
            layers = [
                *(_mlpconv(in_channels, (192, 160, 96), 5), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Dropout(dropout)),
                *(_mlpconv(96, (192, 192, 192), 5), nn.AvgPool2d(3, 2, ceil_mode=True), nn.Dropout(dropout)),
                _mlpconv(192, (192, 192, out_features), 3),
            ]
        else:
            layers = [
                *(_mlpconv(in_channels, (96, 96, 96), 11, stride=4), nn.MaxPool2d(3, 2, ceil_mode=True)),
                *(_mlpconv(96, (256, 256, 256), 5), nn.MaxPool2d(3, 2, ceil_mode=True)),
                *(_mlpconv(256, (384, 384, 384), 3), nn.MaxPool2d(3, 2, ceil_mode=True), nn.Dropout(dropout)),
                _mlpconv(384, (1024, 1024, out_features), 3),
            ]
        self.features = nn.Sequential(*layers)
        initialise_(self, init, "relu")

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` to `[batch, out_features]`."""
        return average_of_places(self.features(x))  # each class's map, averaged


def _mlpconv(in_channels: int, widths: tuple[int, int, int], kernel: int, stride: int = 1) -> nn.Sequential:
    """Return a convolution and two 1x1 convolutions, a ReLU after each: a network of three layers at every pixel."""
    first, second, third = widths
    padding = 0 if stride > 1 else kernel // 2
    return nn.Sequential(
        *(nn.Conv2d(in_channels, first, kernel, stride, padding), nn.ReLU(inplace=True)),
        *(nn.Conv2d(first, second, 1), nn.ReLU(inplace=True)),
        *(nn.Conv2d(second, third, 1), nn.ReLU(inplace=True)),
    )
