"""Densely connected networks for small pictures: three blocks, at 32x32, 16x16 and 8x8.

    depth = 3n + 4 with n layers a block; 6n + 4 with bottlenecks, each of which is two layers

Paper: Huang, Liu, van der Maaten and Weinberger, Densely Connected Convolutional Networks, CVPR 2017,
arXiv:1608.06993; section 3, "Implementation Details", and Table 2.
Departures: none for 32x32; other sizes of picture and grey ones are not in the paper.
Checked by: parameter counts of Table 2; the network layer by layer by hand; shapes.
"""

from typing import Literal

from pydantic import Field

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.models.densenet import DenseNet
from fourfold.models.imagenet import require_pixels
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Image, Spec, require_input

BLOCKS = 3


class DenseNetCifarConfig(ModelConfig):
    """Fields of `model: densenet_cifar`."""

    name: Literal["densenet_cifar"] = "densenet_cifar"
    depth: int = Field(default=40, ge=7, le=1000, description="weighted layers: 3n + 4, with bottlenecks 6n + 4")
    growth: int = Field(default=12, ge=1, le=1024, description="maps that each layer adds, k")
    bottleneck: bool = Field(
        default=False, description="DenseNet-BC: a 1x1 convolution before each 3x3, and transitions that halve the maps"
    )
    dropout: float = Field(
        default=0.0, ge=0, lt=1, description="share of units silenced after each convolution; 0.2 without augmentation"
    )

    def build(self, spec: Spec) -> DenseNet:
        """Return the network for the data's pictures and the task's outputs."""
        image = require_input(spec, Image, "densenet_cifar")
        require_pixels(image, 4, "densenet_cifar")
        each = 2 * BLOCKS if self.bottleneck else BLOCKS
        if (self.depth - 4) % each:
            nearest = each * max(1, round((self.depth - 4) / each)) + 4
            raise InputError(f"model.depth: must be {each}n + 4 (got {self.depth}); the nearest is {nearest}")
        return DenseNet(
            ((self.depth - 4) // each,) * BLOCKS,
            self.growth,
            2 * self.growth if self.bottleneck else 16,
            spec.num_outputs,
            image.channels,
            "small",
            self.bottleneck,
            0.5 if self.bottleneck else 1.0,
            self.dropout,
        )

    def paper_spec(self) -> Spec:
        """CIFAR-10: colour pictures of 32x32 and ten classes."""
        return ClassificationSpec(Image(3, 32, 32), tuple("0123456789"))
