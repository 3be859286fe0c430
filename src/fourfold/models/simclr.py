"""SimCLR: an encoder, and a small head whose projections of two views of a picture are to be alike.

    h = encoder(x),  z = W2 relu(W1 h)

Only h is used afterwards: the head is left behind.

Paper: Chen, Kornblith, Norouzi and Hinton, A Simple Framework for Contrastive Learning of Visual Representations, ICML
2020, arXiv:2002.05709, section 2.1 and 4.2: a hidden layer as wide as h, 128 numbers at the end; Figure 8 compares no
head, a linear one and this.
Departures: both layers of the head have biases and no batch normalisation, as the paper's equation has neither; its
code normalises them. Batch normalisation in the encoder sees both views of a process's pictures; the paper's sees
those of all devices.
Checked by: parameter counts; projections by hand from the encoder's features; both views together and apart.
"""

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, SerializeAsAny
from torch import Tensor, nn

from fourfold.core.registry import choice_of
from fourfold.models import MODELS
from fourfold.models.base import ModelConfig
from fourfold.models.encoders import build_encoder
from fourfold.tasks.contrastive import ContrastiveOutput, ContrastiveSpec
from fourfold.tasks.inputs import Image
from fourfold.tasks.seam import Spec, require_task

AnyModel = Annotated[SerializeAsAny[ModelConfig], choice_of(MODELS, "model.encoder")]
Head = Literal["mlp", "linear", "none"]


class SimCLRConfig(ModelConfig):
    """Fields of `model: simclr`."""

    own_task: ClassVar[str | None] = "contrastive"

    name: Literal["simclr"] = "simclr"
    encoder: AnyModel = Field(default="resnet", description="a network for pictures, whose output layer is left out")  # type: ignore[assignment]
    head: Head = Field(
        default="mlp", description="what comes after the features: two layers, one, or none, for comparison"
    )
    projected: int = Field(default=128, ge=1, le=65_536, description="numbers in a projection; without a head, all")

    def build(self, spec: Spec) -> "SimCLR":
        """Return encoder and head for the data's pictures."""
        spec = require_task(spec, ContrastiveSpec, "simclr")
        encoder, width = build_encoder(self.encoder, spec.input)
        return SimCLR(encoder, width, self.head, self.projected)

    def paper_spec(self) -> Spec:
        """Two views of colour pictures of 224x224."""
        return ContrastiveSpec(Image(3, 224, 224))


class SimCLR(nn.Module):
    """An encoder with a projection head.

    Args:
        encoder: maps pictures to features, `[batch, width]`.
        width: of the features.
        head: "mlp" has a hidden layer as wide as the features, "linear" none; "none": projections are the features.
        projected: numbers in a projection.
    """

    def __init__(self, encoder: nn.Module, width: int, head: Head = "mlp", projected: int = 128) -> None:
        super().__init__()
        self.encoder = encoder
        if head == "mlp":
            layers: list[nn.Module] = [nn.Linear(width, width), nn.ReLU(), nn.Linear(width, projected)]
        else:
            layers = [nn.Linear(width, projected)] if head == "linear" else []
        self.projection = nn.Sequential(*layers)

    def forward(self, first: Tensor, second: Tensor | None = None) -> ContrastiveOutput:
        """Map one or two views of pictures, each `[batch, channels, height, width]`, to projections and features."""
        features = self.encoder(first if second is None else torch.cat([first, second]))
        projections, count = self.projection(features), len(first)
        return ContrastiveOutput(projections[:count], None if second is None else projections[count:], features[:count])
