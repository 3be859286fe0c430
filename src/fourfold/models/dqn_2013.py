"""The network of the first deep Q-learning: two convolutions and a hidden layer see four frames.

Paper: Mnih et al., Playing Atari with Deep Reinforcement Learning, NeurIPS deep learning workshop 2013,
arXiv:1312.5602, section 4.1.
Departures: none known; weights are drawn as torch does by default, which the paper leaves open.
Checked by: 677,172 parameters for four actions, counted by hand.
"""

from typing import Literal

from torch import Tensor, nn

from fourfold.models.base import ModelConfig
from fourfold.nn.frames import flat_features
from fourfold.tasks.control import ControlSpec
from fourfold.tasks.inputs import Image
from fourfold.tasks.seam import Spec, require_input


class DQN2013Config(ModelConfig):
    """Fields of `model: dqn_2013`."""

    name: Literal["dqn_2013"] = "dqn_2013"

    def build(self, spec: Spec) -> "DQN2013":
        """Return the network for these frames."""
        image = require_input(spec, Image, "dqn_2013")
        return DQN2013(image.channels, image.height, image.width, spec.num_outputs)

    def paper_spec(self) -> Spec:
        """Four frames of 84x84, and Breakout's four actions."""
        return ControlSpec(Image(4, 84, 84), ("none", "fire", "right", "left"), stack=4, scale=1 / 255)


class DQN2013(nn.Module):
    """16 filters of 8x8, 32 of 4x4, 256 hidden units.

    Args:
        in_channels: of the frames, one after another.
        height: of a frame.
        width: of a frame.
        num_actions: actions.
    """

    def __init__(self, in_channels: int, height: int, width: int, num_actions: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(in_channels, 16, 8, stride=4), nn.ReLU(), nn.Conv2d(16, 32, 4, stride=2), nn.ReLU(), nn.Flatten()
        )
        flat = flat_features(self.features, height, width, "dqn_2013")
        self.head = nn.Sequential(nn.Linear(flat, 256), nn.ReLU(), nn.Linear(256, num_actions))

    def forward(self, x: Tensor) -> Tensor:
        """Map frames `[batch, channels, height, width]` to `[batch, num_actions]`."""
        return self.head(self.features(x))
