"""A perceptron with a dueling head: what it is worth to be here, and what each action adds.

Paper: Wang et al., Dueling Network Architectures for Deep Reinforcement Learning, ICML 2016, arXiv:1511.06581.
Departures: affine layers in place of convolutions, for rows of numbers; weights are drawn as torch does by default.
Checked by: Eq. 9 by hand (nn/dueling.py); parameter counts by hand.
"""

from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from fourfold.models.base import ModelConfig
from fourfold.nn.dueling import DuelingHead
from fourfold.tasks.control import ControlSpec
from fourfold.tasks.inputs import Features
from fourfold.tasks.seam import Spec, require_task


class DuelingMLPConfig(ModelConfig):
    """Fields of `model: dueling_mlp`."""

    name: Literal["dueling_mlp"] = "dueling_mlp"
    widths: list[Annotated[int, Field(ge=1, le=1_000_000)]] = Field(
        default=[128], description="units of each hidden layer that both streams share"
    )
    stream: int = Field(default=128, ge=1, le=1_000_000, description="units of each stream's hidden layer")

    def build(self, spec: Spec) -> "DuelingMLP":
        """Return the network for this environment."""
        require_task(spec, ControlSpec, "dueling_mlp")
        return DuelingMLP(spec.input.size, self.widths, self.stream, spec.num_outputs)

    def paper_spec(self) -> Spec:
        """CartPole's four numbers and two actions; the paper's own networks see frames."""
        return ControlSpec(Features(("position", "velocity", "angle", "angular velocity")), ("left", "right"))


class DuelingMLP(nn.Module):
    """Shared hidden layers, then two streams.

    Args:
        in_features: numbers in one observation.
        widths: units of each shared layer.
        stream: units of each stream's hidden layer.
        num_actions: actions.
    """

    def __init__(self, in_features: int, widths: list[int], stream: int, num_actions: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Flatten()]
        for width in widths:
            layers += [nn.Linear(in_features, width), nn.ReLU()]
            in_features = width
        self.layers = nn.Sequential(*layers)
        self.head = DuelingHead(in_features, stream, num_actions)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, …]` to `[batch, num_actions]`."""
        return self.head(self.layers(x))
