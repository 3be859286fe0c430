"""A DCGAN and its training loop as they are usually written: torch.nn's layers, BCELoss, two torch.optim.Adam."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def networks(latent: int, width: int, channels: int) -> tuple[nn.Module, nn.Module]:
    """Return a generator and a discriminator of pictures of 32x32."""

    def up(before: int, after: int) -> list[nn.Module]:
        return [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU(True)]

    def down(before: int, after: int) -> list[nn.Module]:
        return [nn.Conv2d(before, after, 4, 2, 1, bias=False), nn.BatchNorm2d(after), nn.LeakyReLU(0.2, True)]

    generator = nn.Sequential(
        nn.ConvTranspose2d(latent, 4 * width, 4, 1, 0, bias=False),
        nn.BatchNorm2d(4 * width),
        nn.ReLU(True),
        *up(4 * width, 2 * width),
        *up(2 * width, width),
        nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False),
        nn.Tanh(),
    )
    discriminator = nn.Sequential(
        nn.Conv2d(channels, width, 4, 2, 1, bias=False),
        nn.LeakyReLU(0.2, True),
        *down(width, 2 * width),
        *down(2 * width, 4 * width),
        nn.Conv2d(4 * width, 1, 4, 1, 0, bias=False),
        nn.Sigmoid(),
    )
    return generator, discriminator


def loop(pixels: Tensor, latent: int, width: int, batch: int) -> Callable[[], object]:
    """Return a step of the loop, on pictures uint8 `[pictures, channels, 32, 32]`, in float32."""
    generator, discriminator = networks(latent, width, pixels.shape[1])
    criterion = nn.BCELoss()
    of_g = torch.optim.Adam(generator.parameters(), lr=0.0002, betas=(0.5, 0.999))
    of_d = torch.optim.Adam(discriminator.parameters(), lr=0.0002, betas=(0.5, 0.999))
    place = 0

    def step() -> None:
        nonlocal place
        place = (place + batch) % (len(pixels) - batch)
        real = pixels[place : place + batch].float() / 127.5 - 1

        discriminator.zero_grad()
        label = torch.ones(batch)
        criterion(discriminator(real).view(-1), label).backward()
        fake = generator(torch.randn(batch, latent, 1, 1))
        label.fill_(0)
        criterion(discriminator(fake.detach()).view(-1), label).backward()
        of_d.step()

        generator.zero_grad()
        label.fill_(1)
        criterion(discriminator(fake).view(-1), label).backward()
        of_g.step()

    return step
