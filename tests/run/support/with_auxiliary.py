"""A network with an auxiliary head, for the command line and for other processes: `--use with_auxiliary.py`."""

from typing import Literal

from torch import Tensor, nn

from fourfold.models.base import ModelConfig
from fourfold.tasks.auxiliary import WithAuxiliary
from fourfold.tasks.seam import Spec


class Network(nn.Module):
    """Two layers, with a head after the first in training."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first, self.last, self.head = nn.Linear(inputs, 5), nn.Linear(5, outputs), nn.Linear(5, outputs)

    def forward(self, x: Tensor) -> Tensor | WithAuxiliary:
        x = self.first(x.flatten(1)).tanh()
        return WithAuxiliary(self.last(x), (self.head(x),), 0.3) if self.training else self.last(x)


class NetworkConfig(ModelConfig):
    name: Literal["with_head"] = "with_head"

    def build(self, spec: Spec) -> Network:
        return Network(spec.input.size, spec.num_outputs)


PARTS = {"model": {"with_head": NetworkConfig}}
