"""LeNet-5: two convolutions with subsampling, then three full layers; the convolutional network before its era.

    input 32x32   C1 6@28x28   S2 6@14x14   C3 16@10x10   S4 16@5x5   C5 120   F6 84   output

Paper: LeCun, Bottou, Bengio and Haffner, Gradient-Based Learning Applied to Document Recognition, Proceedings of the
IEEE 86, 1998, section II.B.
Departures, which together make the 61,706-parameter network that the name usually means (the paper's has about 60,000):
- C3 sees all six maps of S2; the paper's Table I connects each of its maps to three, four or six of them.
- S2 and S4 are plain pooling; the paper gives each map a trainable coefficient and bias, and squashes after them.
- The squashing function is tanh(a); the paper's is 1.7159 tanh(2a/3).
- The output is an affine map of F6 for a softmax; the paper's measures the distance to fixed 7x12 pictures (RBF).
- C5 is a full layer: on a 5x5 map the paper's 5x5 convolution is one.
- Pictures smaller than 32x32 get a frame of the data's mean; the paper's frame is background.
- Weights are drawn as `init` says; the paper draws them uniformly from +-2.4 / fan-in.
Checked by: parameter counts by hand; torch.nn.Sequential with copied weights; shapes at each stage.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.nn.activations import Activation, make_activation
from fourfold.nn.initialise import Initialisation, initialise_
from fourfold.nn.pooling import AverageOfFour
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Spec, require_input

SIDE = 32  # pixels of the paper's input, on each side
MONOTONE = ("identity", "sigmoid", "tanh", "relu", "leaky_relu")


class LeNet5Config(ModelConfig):
    """Fields of `model: lenet5`."""

    name: Literal["lenet5"] = "lenet5"
    activation: Activation = Field(default="tanh", description="the nonlinearity of C1, C3, C5 and F6")
    pooling: Literal["average", "max"] = Field(default="average", description="how S2 and S4 join 2x2 neighbours")
    init: Initialisation = Field(default="auto", description="how weights are drawn; auto suits the activation")

    def build(self, spec: Spec) -> "LeNet5":
        """Return LeNet-5 for pictures of up to 32x32, framed to 32x32 where they are smaller."""
        image = require_input(spec, Image, "lenet5")
        if image.height > SIDE or image.width > SIDE or image.height % 2 or image.width % 2:
            raise InputError(
                f"lenet5 needs pictures of 32x32, or smaller with even sides, but this data gives {spec.input}"
            )
        frame = ((SIDE - image.height) // 2, (SIDE - image.width) // 2)
        return LeNet5(image.channels, spec.num_outputs, frame, self.activation, self.pooling, self.init)

    def paper_spec(self) -> Spec:
        """Grey pictures of 32x32 and ten classes: 61,706 parameters."""
        return ClassificationSpec(Image(1, SIDE, SIDE), tuple("0123456789"))


class LeNet5(nn.Module):
    """LeNet-5.

    Args:
        in_channels: 1 for grey, 3 for colour.
        out_features: numbers returned for one example.
        frame: pixels added above and below, left and right; with them the picture must be 32x32.
        activation: name of the nonlinearity.
        pooling: "average" or "max" of 2x2 neighbours.
        init: how weights are drawn; biases start at zero.
    """

    def __init__(
        self,
        in_channels: int = 1,
        out_features: int = 10,
        frame: tuple[int, int] = (0, 0),
        activation: Activation = "tanh",
        pooling: Literal["average", "max"] = "average",
        init: Initialisation = "auto",
    ) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(in_channels, 6, 5, padding=frame)
        self.s2 = _subsampling(activation, pooling, 6, 28)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.s4 = _subsampling(activation, pooling, 16, 10)
        self.c5 = nn.Linear(16 * 5 * 5, 120)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, out_features)
        self.squash = make_activation(activation)
        initialise_(self, init, activation)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, channels, height, width]` to `[batch, out_features]`."""
        x = self.s2(self.c1(x))  # [batch, 6, 14, 14]
        x = self.s4(self.c3(x))  # [batch, 16, 5, 5]
        x = self.squash(self.c5(x.flatten(1)))  # [batch, 120]
        return self.output(self.squash(self.f6(x)))


def _subsampling(
    activation: Activation, pooling: Literal["average", "max"], channels: int, width: int
) -> nn.Sequential:
    """Return squashing and pooling; the largest of four is the same before a rising function, and then costs less."""
    squash = make_activation(activation)
    if pooling == "average":
        return nn.Sequential(squash, AverageOfFour(channels, width))
    pool = nn.MaxPool2d(2)
    return nn.Sequential(pool, squash) if activation in MONOTONE else nn.Sequential(squash, pool)
