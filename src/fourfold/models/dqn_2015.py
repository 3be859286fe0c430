"""The network of deep Q-learning: three convolutions and a hidden layer see four frames.

Paper: Mnih et al., Human-level control through deep reinforcement learning, Nature 518, 2015, Methods ("Model
architecture"); with a dueling head, Wang et al., ICML 2016, arXiv:1511.06581, section 4.2.
Departures: none known; weights are drawn as torch does by default, as the authors' code did.
Checked by: 1,686,180 parameters for four actions; both streams of the dueling head, counted by hand.
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


class DQN2015Config(ModelConfig):
    """Fields of `model: dqn_2015`."""

    name: Literal["dqn_2015"] = "dqn_2015"
    dueling: bool = Field(default=False, description="whether the head has two streams, of 512 hidden units each")

    def build(self, spec: Spec) -> "DQN2015":
        """Return the network for these frames."""
        image = require_input(spec, Image, "dqn_2015")
        return DQN2015(image.channels, image.height, image.width, spec.num_outputs, self.dueling)

    def paper_spec(self) -> Spec:
        """Four frames of 84x84, and Breakout's four actions."""
        return ControlSpec(Image(4, 84, 84), ("none", "fire", "right", "left"), stack=4, scale=1 / 255)


class DQN2015(nn.Module):
    """32 filters of 8x8, 64 of 4x4, 64 of 3x3, 512 hidden units.

    Args:
        in_channels: of the frames, one after another.
        height: of a frame.
        width: of a frame.
        num_actions: actions.
        dueling: whether the head has two streams.
    """

    def __init__(self, in_channels: int, height: int, width: int, num_actions: int, dueling: bool = False) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 32, 8, stride=4),
            nn.ReLU(),
            nn.Conv2d(32, 64, 4, stride=2),
            nn.ReLU(),
            nn.Conv2d(64, 64, 3),
            nn.ReLU(),
            nn.Flatten(),
        )
        flat = flat_features(self.features, height, width, "dqn_2015")
        plain = nn.Sequential(nn.Linear(flat, 512), nn.ReLU(), nn.Linear(512, num_actions))
        self.head = DuelingHead(flat, 512, num_actions) if dueling else plain

    def forward(self, x: Tensor) -> Tensor:
        """Map frames `[batch, channels, height, width]` to `[batch, num_actions]`."""
        return self.head(self.features(x))
