"""Training on pictures as torchvision's examples have it: its network, its transforms on PIL, a DataLoader, a raw loop.

fp32 and contiguous. With `num_workers=0` the loop and the loader take turns, with more they share the cores.
"""

from collections.abc import Callable
from typing import Any, NoReturn

import torch
from gate import Gate
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from workloads import BATCH_SIZE, CLASSES, LEARNING_RATE, LOG_EVERY, SEED, Workload, coloured

MEAN, DEVIATION = (0.5, 0.5, 0.5), (0.25, 0.25, 0.25)


def alone(workload: Workload, gate: Gate) -> None:
    """DataLoader(num_workers=0), as its constructor's default is."""
    loop(workload, gate, 0)


def two_workers(workload: Workload, gate: Gate) -> None:
    """DataLoader(num_workers=2)."""
    loop(workload, gate, 2)


def network(workload: Workload) -> nn.Module:
    """Return torchvision's network; ResNet with the stem that it usually gets for pictures of 32x32."""
    from torchvision import models

    torch.set_num_threads(workload.threads)
    torch.manual_seed(SEED)
    if workload.network == "alexnet":
        return models.alexnet(num_classes=CLASSES)
    model = models.resnet18(num_classes=CLASSES)
    model.conv1 = nn.Conv2d(3, 64, 3, padding=1, bias=False)
    model.maxpool = nn.Identity()  # type: ignore[assignment]
    return model


class PerSample(Dataset[tuple[Tensor, int]]):
    """One picture at a time, as torchvision's data sets have it."""

    def __init__(self, pixels: Any, labels: Any, transform: Callable[[Any], Tensor]) -> None:
        self.pixels, self.labels, self.transform = pixels, labels.tolist(), transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        from PIL import Image

        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def loaders(workload: Workload, workers: int) -> tuple[DataLoader[Any], DataLoader[Any]]:
    """Return what trains and what validates."""
    from torchvision import transforms as T

    drawn = coloured(workload)
    ready = [T.ToTensor(), T.Normalize(MEAN, DEVIATION)]
    crop = T.RandomCrop(32, padding=4) if workload.side == 32 else T.RandomResizedCrop(workload.side)
    train = PerSample(drawn.train, drawn.train_labels, T.Compose([crop, T.RandomHorizontalFlip(), *ready]))
    validation = PerSample(drawn.validation, drawn.validation_labels, T.Compose(ready))
    given: dict[str, Any] = {"num_workers": workers, "persistent_workers": workers > 0}
    return DataLoader(train, BATCH_SIZE, shuffle=True, **given), DataLoader(validation, BATCH_SIZE, **given)


def loop(workload: Workload, gate: Gate, workers: int) -> NoReturn:
    """The loop as a person writes it; the gate is where an epoch ends."""
    model = network(workload)
    train, validation = loaders(workload, workers)
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)
    losses: list[Tensor] = []
    while True:
        for x, y in train:
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
            if len(losses) == LOG_EVERY:
                torch.stack(losses).mean().item()
                losses.clear()
        model.eval()
        with torch.inference_mode():
            total = sum(F.cross_entropy(model(x), y, reduction="sum").item() for x, y in validation)
        model.train()
        gate(total / workload.validation_examples)
