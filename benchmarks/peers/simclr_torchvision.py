"""SimCLR's views and step as they are usually written: torchvision transforms in a Dataset, a DataLoader, a loop."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import PIL.Image
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms


class Views(Dataset[Any]):
    """Two views of each picture, one picture at a time."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.pixels = pixels
        jitter = transforms.ColorJitter(0.4, 0.4, 0.4, 0.1)
        self.change = transforms.Compose(
            [
                transforms.RandomResizedCrop(pixels.shape[1]),
                transforms.RandomHorizontalFlip(),
                transforms.RandomApply([jitter], p=0.8),
                transforms.RandomGrayscale(p=0.2),
                transforms.ToTensor(),
                transforms.Normalize([0.5] * 3, [0.25] * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self.pixels)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, torch.Tensor]:
        picture = PIL.Image.fromarray(self.pixels[number])
        return self.change(picture), self.change(picture)


def batches(pixels: np.ndarray, batch: int, workers: int) -> Iterator[Any]:
    """Return batches without end."""
    loader = DataLoader(
        Views(pixels), batch, shuffle=True, drop_last=True, num_workers=workers, persistent_workers=workers > 0
    )
    while True:
        yield from loader


def step(pixels: np.ndarray, batch: int, workers: int, encoder: nn.Module, width: int) -> Callable[[], object]:
    """Return a step of training: views, both through the network, NT-Xent, backward, Adam."""
    stream = batches(pixels, batch, workers)
    head = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 128))
    optimizer = torch.optim.Adam([*encoder.parameters(), *head.parameters()], lr=1e-3)

    def move() -> None:
        first, second = next(stream)
        z = F.normalize(head(encoder(torch.cat([first, second]))))
        scores = (z @ z.T / 0.5).fill_diagonal_(-float("inf"))
        loss = F.cross_entropy(scores, torch.arange(len(z)).roll(len(first)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return move
