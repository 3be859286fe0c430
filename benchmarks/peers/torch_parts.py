"""What the torch contenders share: network, batches, validation, each as a person would write it by hand.

Every engine that takes batches from outside gets `ShuffledBatches`, which is faster than its own DataLoader would be:
what is timed is the engine.
"""

import itertools
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import torch
from gate import Gate
from torch import Tensor, nn
from torch.nn import functional as F
from workloads import BATCH_SIZE, LOG_EVERY, SEED, VALIDATION_BATCH_SIZE, Workload, standardised


def network(workload: Workload) -> nn.Module:
    """Return the network in fp32, contiguous."""
    torch.set_num_threads(workload.threads)
    torch.manual_seed(SEED)
    if workload.network == "lenet5":
        return nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Conv2d(6, 16, 5),
            nn.Tanh(),
            nn.AvgPool2d(2),
            nn.Flatten(),
            nn.Linear(400, 120),
            nn.Tanh(),
            nn.Linear(120, 84),
            nn.Tanh(),
            nn.Linear(84, 10),
        )
    sizes = [784, *workload.widths]
    hidden = [part for i, o in itertools.pairwise(sizes) for part in (nn.Linear(i, o), nn.ReLU())]
    return nn.Sequential(nn.Flatten(), *hidden, nn.Linear(sizes[-1], 10))


def data(workload: Workload) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return inputs `[examples, 1, 28, 28]` and labels, for training and for validation."""
    train, train_labels, validation, validation_labels = map(torch.from_numpy, standardised(workload))
    return train.unsqueeze(1), train_labels, validation.unsqueeze(1), validation_labels


def train_by_hand(
    model: nn.Module, optimizer: Any, backward: Callable[[Tensor], None], workload: Workload, gate: Gate
) -> NoReturn:
    """The step as a person writes it, with the engine's `backward`; the gate is where it ends."""
    inputs, labels, validation_inputs, validation_labels = data(workload)
    curve: list[float] = []
    losses: list[Tensor] = []
    while True:
        for x, y in ShuffledBatches(inputs, labels):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            backward(loss)
            optimizer.step()
            losses.append(loss.detach())
            if len(losses) == LOG_EVERY:
                curve.append(torch.stack(losses).mean().item())
                losses.clear()
        gate(validation_loss(model, validation_inputs, validation_labels))


class ShuffledBatches:
    """A new permutation each epoch; a batch is gathered by its indices."""

    def __init__(self, inputs: Tensor, labels: Tensor, arrange: Callable[[Tensor, Tensor], Any] | None = None) -> None:
        self.inputs, self.labels, self.arrange = inputs, labels, arrange

    def __len__(self) -> int:
        return -(-len(self.labels) // BATCH_SIZE)

    def __iter__(self) -> Iterator[Any]:
        for chosen in torch.randperm(len(self.labels)).split(BATCH_SIZE):
            batch = self.inputs[chosen], self.labels[chosen]
            yield batch if self.arrange is None else self.arrange(*batch)


class OrderedBatches:
    """The validation split in order."""

    def __init__(self, inputs: Tensor, labels: Tensor, arrange: Callable[[Tensor, Tensor], Any] | None = None) -> None:
        self.inputs, self.labels, self.arrange = inputs, labels, arrange

    def __len__(self) -> int:
        return -(-len(self.labels) // VALIDATION_BATCH_SIZE)

    def __iter__(self) -> Iterator[Any]:
        parts = zip(self.inputs.split(VALIDATION_BATCH_SIZE), self.labels.split(VALIDATION_BATCH_SIZE), strict=True)
        for batch in parts:
            yield batch if self.arrange is None else self.arrange(*batch)


@torch.inference_mode()
def validation_loss(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """Return the mean loss on the validation split, having counted the hits as well."""
    model.eval()
    total, hits = torch.zeros(()), torch.zeros((), dtype=torch.int64)
    for x, y in OrderedBatches(inputs, labels):
        logits = model(x)
        total += F.cross_entropy(logits, y, reduction="sum")
        hits += (logits.argmax(1) == y).sum()
    model.train()
    hits.item()
    return total.item() / len(labels)
