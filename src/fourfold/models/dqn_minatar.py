"""The network of MinAtar's authors: one convolution and a hidden layer see a board of 10x10.

Paper: Young and Tian, MinAtar: An Atari-Inspired Testbed for Thorough and Reproducible Reinforcement Learning
Experiments, 2019, arXiv:1903.03176, section 3.
Departures: none known.
Checked by: parameters counted by hand.
"""

from typing import Literal

from pydantic import Field
from torch import Tensor, nn

from fourfold.models.base import ModelConfig
from fourfold.nn.dueling import DuelingHead
from fourfold.nn.frames import flat_features
from fourfold.tasks.control import ControlSpec
from fourfold.tasks.inputs import Image
from fourfold.tasks.seam import Spec, require_input


class DQNMinAtarConfig(ModelConfig):
    """Fields of `model: dqn_minatar`."""

    name: Literal["dqn_minatar"] = "dqn_minatar"
    dueling: bool = Field(default=False, description="whether the head has two streams, of 128 hidden units each")

    def build(self, spec: Spec) -> "DQNMinAtar":
        """Return the network for these boards."""
        image = require_input(spec, Image, "dqn_minatar")
        return DQNMinAtar(image.channels, image.height, image.width, spec.num_outputs, self.dueling)

    def paper_spec(self) -> Spec:
        """Breakout's four channels, and the six actions that the paper offers in every game."""
        return ControlSpec(Image(4, 10, 10), ("none", "left", "up", "right", "down", "fire"))


class DQNMinAtar(nn.Module):
    """16 filters of 3x3, 128 hidden units.

    Args:
        in_channels: kinds of things on the board.
        height: of the board.
        width: of the board.
        num_actions: actions.
        dueling: whether the head has two streams.
    """

    def __init__(self, in_channels: int, height: int, width: int, num_actions: int, dueling: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(in_channels, 16, 3), nn.ReLU(), nn.Flatten())
        flat = flat_features(self.features, height, width, "dqn_minatar")
        plain = nn.Sequential(nn.Linear(flat, 128), nn.ReLU(), nn.Linear(128, num_actions))
        self.head = DuelingHead(flat, 128, num_actions) if dueling else plain

    def forward(self, x: Tensor) -> Tensor:
        """Map boards `[batch, channels, height, width]` to `[batch, num_actions]`."""
        return self.head(self.features(x))
