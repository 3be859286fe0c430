"""DCGAN: a generator and a discriminator made of strided convolutions and batch normalisation, and of nothing else.

    generator       latents -> 4x4 maps -> 4x4 transposed convolutions of stride 2, halving the maps -> tanh
    discriminator   picture -> 4x4 convolutions of stride 2, doubling the maps -> a score

No pooling and no full hidden layers; batch normalisation everywhere but after the generator's last layer and the
discriminator's first; ReLU in the generator, leaky ReLU of slope 0.2 in the discriminator; weights from N(0, 0.02).

Paper: Radford, Metz and Chintala, Unsupervised Representation Learning with Deep Convolutional Generative Adversarial
Networks, ICLR 2016, arXiv:1511.06434; Fig. 1 has 128 maps before the picture and 1024 at 4x4, `width: 128`.
Departures: filters are 4x4, as in the authors' Torch version and PyTorch's example, not 5x5 as in Fig. 1: at stride 2
they need no padding on one side only. Gains are drawn from N(1, 0.02), as in that version. Pictures of other sizes than
64x64 have as many layers as bring them down to 4 to 7 pixels a side.
Checked by: counts of PyTorch's example, 3,576,704 and 2,765,568 at width 64, by hand too; the same layers in torch.nn
with copied weights; stages of Fig. 1.
"""

from itertools import pairwise
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.models.base import ModelConfig
from fourfold.nn.latents import Prior, draw_latents, latents_for
from fourfold.tasks.seam import Image, Spec, require_input
from fourfold.tasks.synthesis import ImageSynthesisSpec, Judged, require_synthesis

DEVIATION = 0.02
LEAST = 4  # pixels of the smallest maps' side


class DCGANConfig(ModelConfig):
    """Fields of `model: dcgan`."""

    name: Literal["dcgan"] = "dcgan"
    latent: int = Field(default=100, ge=1, le=10_000, description="random numbers that a picture is made from")
    prior: Prior = Field(default="uniform", description="their distribution: uniform in [-1, 1], or standard normal")
    width: int = Field(default=128, ge=1, le=4096, description="maps next to the picture, doubled at each halving")

    def build(self, spec: Spec) -> "DCGAN":
        """Return both players, for the data's pictures."""
        image = require_input(require_synthesis(spec, "dcgan"), Image, "dcgan")
        if image.height != image.width or (base := base_side(image.height)) is None:
            raise InputError(
                f"dcgan makes square pictures whose side is 4, 5, 6 or 7 times a power of two (8, 28, 32, 64, …), and "
                f"these are {image.height}x{image.width}"
            )
        return DCGAN(image.channels, image.height, base, self.latent, self.prior, self.width)

    def paper_spec(self) -> Spec:
        """Colour pictures of 64x64, as in Fig. 1."""
        return ImageSynthesisSpec(Image(3, 64, 64))


def base_side(side: int) -> int | None:
    """Return the side of the smallest maps, from 4 to 7; None where halving `side`, at least once, leads nowhere."""
    base = side
    while base >= 2 * LEAST and base % 2 == 0:
        base //= 2
    return base if LEAST <= base < 2 * LEAST and base < side else None


class DCGAN(nn.Module):
    """Both players.

    Args:
        channels: of a picture.
        side: its height and width in pixels, `base` times a power of two, at least twice.
        base: height and width of the smallest maps.
        latent: numbers that a picture is made from.
        prior: their distribution.
        width: maps next to the picture.
    """

    def __init__(
        self,
        channels: int = 3,
        side: int = 64,
        base: int = 4,
        latent: int = 100,
        prior: Prior = "uniform",
        width: int = 128,
    ) -> None:
        super().__init__()
        self.latent = latent
        self.prior: Prior = prior
        halvings = (side // base).bit_length() - 1
        widths = [width << i for i in range(halvings)]
        self.generator = Generator(latent, widths[::-1], channels, base)
        self.discriminator = Discriminator(channels, widths, base)
        _initialise(self)

    def latents(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw latents `[count, latent]`."""
        return draw_latents(self.prior, count, self.latent, generator)

    def forward(self, pictures: Tensor) -> Judged:
        """Judge pictures `[batch, channels, side, side]` and as many made here; in evaluation always the same ones."""
        return Judged(self.discriminator(pictures), self.discriminator(self.generator(latents_for(self, pictures))))

    def extra_repr(self) -> str:
        """Return what `repr` says beside the layers."""
        return f"latent={self.latent}, prior={self.prior}"


class Generator(nn.Module):
    """Maps latents `[batch, latent]` to pictures `[batch, channels, side, side]`, pixels in (-1, 1)."""

    def __init__(self, latent: int, widths: list[int], channels: int, base: int) -> None:
        super().__init__()
        self.project = nn.ConvTranspose2d(latent, widths[0], base, bias=False)  # of one pixel: a full layer
        self.norm = nn.BatchNorm2d(widths[0])
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [_doubling(before, after), nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        self.layers = nn.Sequential(*layers, _doubling(widths[-1], channels), nn.Tanh())

    def forward(self, latents: Tensor) -> Tensor:
        """Make pictures."""
        weight = self.project.weight.permute(0, 2, 3, 1)  # [latent, base, base, maps]
        maps = (latents @ weight.flatten(1)).view(-1, *weight.shape[1:])  # what `project` does, much faster
        return self.layers(F.relu(self.norm(maps.permute(0, 3, 1, 2)), inplace=True))


class Discriminator(nn.Module):
    """Maps pictures `[batch, channels, side, side]` to scores `[batch]`."""

    def __init__(self, channels: int, widths: list[int], base: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [_halving(channels, widths[0]), nn.LeakyReLU(0.2, inplace=True)]
        for before, after in pairwise(widths):
            layers += [_halving(before, after), nn.BatchNorm2d(after), nn.LeakyReLU(0.2, inplace=True)]
        self.layers = nn.Sequential(*layers)
        self.score = nn.Conv2d(widths[-1], 1, base, bias=False)  # to one pixel: a full layer

    def forward(self, pictures: Tensor) -> Tensor:
        """Score pictures."""
        maps = self.layers(pictures).permute(0, 2, 3, 1)  # [batch, base, base, maps]
        return (maps.flatten(1) @ self.score.weight.permute(0, 2, 3, 1).flatten()).flatten()  # what `score` does


def _doubling(before: int, after: int) -> nn.ConvTranspose2d:
    return nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False)


def _halving(before: int, after: int) -> nn.Conv2d:
    return nn.Conv2d(before, after, 4, stride=2, padding=1, bias=False)


def _initialise(model: nn.Module) -> None:
    """Draw all weights from N(0, 0.02), and gains from N(1, 0.02)."""
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(layer.weight, 0.0, DEVIATION)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1.0, DEVIATION)
