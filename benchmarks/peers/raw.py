"""The step written by hand in raw PyTorch: fp32, contiguous, no engine. Everything else is measured against it."""

import torch
from gate import Gate
from torch import nn
from torch.nn import functional as F
from workloads import BATCH_SIZE, LEARNING_RATE, LOG_EVERY, Workload

from peers.torch_parts import data, network, validation_loss


def default(workload: Workload, gate: Gate) -> None:
    """torch.optim.SGD as its constructor's defaults make it."""
    model = network(workload)
    _train(model, torch.optim.SGD(model.parameters(), lr=LEARNING_RATE), workload, gate)


def fused(workload: Workload, gate: Gate) -> None:
    """torch.optim.SGD(fused=True)."""
    model = network(workload)
    _train(model, torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, fused=True), workload, gate)


def _train(model: nn.Module, optimizer: torch.optim.Optimizer, workload: Workload, gate: Gate) -> None:
    inputs, labels, validation_inputs, validation_labels = data(workload)
    curve: list[float] = []
    losses: list[torch.Tensor] = []
    while True:
        for chosen in torch.randperm(len(labels)).split(BATCH_SIZE):
            loss = F.cross_entropy(model(inputs[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
            if len(losses) == LOG_EVERY:
                curve.append(torch.stack(losses).mean().item())
                losses.clear()
        gate(validation_loss(model, validation_inputs, validation_labels))
