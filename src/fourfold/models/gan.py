"""Generative adversarial nets: one multilayer perceptron makes examples, another tells them from given ones.

    generator       latents -> relu -> … -> tanh for pixels, nothing for coordinates
    discriminator   example -> maxout and dropout -> … -> a score, the log odds of being given

Paper: Goodfellow et al., Generative Adversarial Nets, NeurIPS 2014, arXiv:1406.2661, section 5: rectifiers and sigmoids
in the generator, maxout and dropout in the discriminator. Widths, pieces and dropout are those of the authors' code for
MNIST; maxout from Goodfellow et al., Maxout Networks, ICML 2013, arXiv:1302.4389.
Departures: pixels lie in [-1, 1] and not in [0, 1], so the last sigmoid is a tanh, which is the same but for scale;
weights are drawn by He's rule, not from [-0.05, 0.05], and biases too; maxout units have no limit on their norm.
Checked by: counts by hand; both players written in torch.nn.functional.
"""

from itertools import pairwise
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.models.base import ModelConfig
from fourfold.nn.initialise import initialise_
from fourfold.nn.latents import Prior, draw_latents, latents_for
from fourfold.tasks.inputs import Features, Image
from fourfold.tasks.seam import Spec
from fourfold.tasks.synthesis import ImageSynthesisSpec, Judged, require_synthesis

Width = Annotated[int, Field(ge=1, le=1_000_000)]


class GANConfig(ModelConfig):
    """Fields of `model: gan`."""

    name: Literal["gan"] = "gan"
    latent: int = Field(default=100, ge=1, le=10_000, description="random numbers that an example is made from")
    prior: Prior = Field(default="uniform", description="their distribution: uniform in [-1, 1], or standard normal")
    generator_widths: list[Width] = Field(default=[1200, 1200], description="units of each hidden layer")
    discriminator_widths: list[Width] = Field(default=[240, 240], description="units of each hidden layer")
    pieces: int = Field(default=5, ge=2, le=100, description="affine maps that a unit takes the largest of, maxout's k")
    dropout: float = Field(default=0.5, ge=0, lt=1, description="share of the discriminator's hidden units silenced")
    dropout_input: float = Field(default=0.2, ge=0, lt=1, description="share of its inputs silenced")

    def build(self, spec: Spec) -> "GAN":
        """Return both players, for the data's pictures or points."""
        shape = _shape(require_synthesis(spec, "gan").input)
        return GAN(
            shape,
            self.latent,
            self.prior,
            self.generator_widths,
            self.discriminator_widths,
            self.pieces,
            self.dropout,
            self.dropout_input,
        )

    def paper_spec(self) -> Spec:
        """MNIST."""
        return ImageSynthesisSpec(Image(1, 28, 28))


def _shape(given: object) -> tuple[int, ...]:
    """Return the shape of one example."""
    if isinstance(given, Image):
        return given.channels, given.height, given.width
    assert isinstance(given, Features)
    return (given.size,)


class GAN(nn.Module):
    """Both players.

    Args:
        shape: of an example: `(channels, height, width)` of a picture, whose pixels lie in [-1, 1], or `(features,)`.
        latent: numbers that an example is made from.
        prior: their distribution.
        generator_widths: units of each hidden layer.
        discriminator_widths: units of each hidden layer.
        pieces: affine maps of a maxout unit.
        dropout: probability that a hidden unit of the discriminator is silenced in training.
        dropout_input: probability that one of its inputs is.
    """

    def __init__(
        self,
        shape: tuple[int, ...] = (1, 28, 28),
        latent: int = 100,
        prior: Prior = "uniform",
        generator_widths: list[int] | None = None,
        discriminator_widths: list[int] | None = None,
        pieces: int = 5,
        dropout: float = 0.5,
        dropout_input: float = 0.2,
    ) -> None:
        super().__init__()
        self.latent = latent
        self.prior: Prior = prior
        widths = [1200, 1200] if generator_widths is None else generator_widths
        self.generator = Generator(latent, widths, shape)
        widths = [240, 240] if discriminator_widths is None else discriminator_widths
        self.discriminator = Discriminator(shape, widths, pieces, dropout, dropout_input)
        initialise_(self, "he", "relu")
        for layer in self.modules():
            if isinstance(layer, nn.Linear):  # without them all units would turn at the origin, and points lie on rays
                nn.init.uniform_(layer.bias, -(layer.in_features**-0.5), layer.in_features**-0.5)

    def latents(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw latents `[count, latent]`."""
        return draw_latents(self.prior, count, self.latent, generator)

    def forward(self, examples: Tensor) -> Judged:
        """Judge examples `[batch, …]` and as many that are made here; in evaluation always the same ones."""
        return Judged(self.discriminator(examples), self.discriminator(self.generator(latents_for(self, examples))))

    def extra_repr(self) -> str:
        """Return what `repr` says beside the layers."""
        return f"latent={self.latent}, prior={self.prior}"


class Generator(nn.Module):
    """Maps latents `[batch, latent]` to examples `[batch, …]`."""

    def __init__(self, latent: int, widths: list[int], shape: tuple[int, ...]) -> None:
        super().__init__()
        sizes = [latent, *widths]
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        layers.append(nn.Linear(sizes[-1], torch.Size(shape).numel()))
        if len(shape) == 3:
            layers.append(nn.Tanh())
        self.layers = nn.Sequential(*layers, nn.Unflatten(1, shape))

    def forward(self, latents: Tensor) -> Tensor:
        """Make examples."""
        return self.layers(latents)


class Discriminator(nn.Module):
    """Maps examples `[batch, …]` to scores `[batch]`."""

    def __init__(
        self, shape: tuple[int, ...], widths: list[int], pieces: int, dropout: float, dropout_input: float
    ) -> None:
        super().__init__()
        sizes = [torch.Size(shape).numel(), *widths]
        layers: list[nn.Module] = [nn.Flatten(), nn.Dropout(dropout_input)]
        for before, after in pairwise(sizes):
            layers += [Maxout(before, after, pieces), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], 1), nn.Flatten(0))

    def forward(self, examples: Tensor) -> Tensor:
        """Score examples."""
        return self.layers(examples)


class Maxout(nn.Module):
    """Units that take the largest of several affine maps: h_i = max_j x W_ij + b_ij."""

    def __init__(self, in_features: int, units: int, pieces: int) -> None:
        super().__init__()
        self.pieces = pieces
        self.linear = nn.Linear(in_features, units * pieces)

    def forward(self, x: Tensor) -> Tensor:
        """Map `[batch, in_features]` to `[batch, units]`."""
        return self.linear(x).unflatten(1, (self.pieces, -1)).amax(1)  # over rows: four times as fast as over columns

    def extra_repr(self) -> str:
        """Return what `repr` says beside the layer."""
        return f"pieces={self.pieces}"
