"""The step written by hand in raw PyTorch: fp32, contiguous, no engine. Everything else is measured against it."""

import torch
from gate import Gate
from torch import Tensor
from workloads import LEARNING_RATE, Workload

from peers.torch_parts import network, train_by_hand


def default(workload: Workload, gate: Gate) -> None:
    """torch.optim.SGD as its constructor's defaults make it."""
    model = network(workload)
    train_by_hand(model, torch.optim.SGD(model.parameters(), lr=LEARNING_RATE), Tensor.backward, workload, gate)


def fused(workload: Workload, gate: Gate) -> None:
    """torch.optim.SGD(fused=True)."""
    model = network(workload)
    optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, fused=True)
    train_by_hand(model, optimizer, Tensor.backward, workload, gate)
