"""Hugging Face Accelerate: the hand-written loop, with preparation and backward through the accelerator."""

import torch
from accelerate import Accelerator
from gate import Gate
from torch.nn import functional as F
from workloads import LEARNING_RATE, LOG_EVERY, Workload

from peers.torch_parts import ShuffledBatches, data, network, validation_loss


def loop(workload: Workload, gate: Gate) -> None:
    """One CPU process, fp32; batches from outside, which spares Accelerate its DataLoader."""
    accelerator = Accelerator(cpu=True, mixed_precision="no")
    model = network(workload)
    model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=LEARNING_RATE))
    inputs, labels, validation_inputs, validation_labels = data(workload)
    curve: list[float] = []
    losses: list[torch.Tensor] = []
    while True:
        for x, y in ShuffledBatches(inputs, labels):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            accelerator.backward(loss)
            optimizer.step()
            losses.append(loss.detach())
            if len(losses) == LOG_EVERY:
                curve.append(torch.stack(losses).mean().item())
                losses.clear()
        gate(validation_loss(model, validation_inputs, validation_labels))
