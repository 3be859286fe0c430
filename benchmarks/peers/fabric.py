"""Lightning Fabric: the hand-written loop, with set-up and backward through Fabric."""

import torch
from gate import Gate
from lightning.fabric import Fabric
from torch.nn import functional as F
from workloads import LEARNING_RATE, LOG_EVERY, Workload

from peers.torch_parts import ShuffledBatches, data, network, validation_loss


def loop(workload: Workload, gate: Gate) -> None:
    """One CPU process, fp32."""
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    fabric.launch()
    model = network(workload)
    model, optimizer = fabric.setup(model, torch.optim.SGD(model.parameters(), lr=LEARNING_RATE))
    inputs, labels, validation_inputs, validation_labels = data(workload)
    curve: list[float] = []
    losses: list[torch.Tensor] = []
    while True:
        for x, y in ShuffledBatches(inputs, labels):
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            fabric.backward(loss)
            optimizer.step()
            losses.append(loss.detach())
            if len(losses) == LOG_EVERY:
                curve.append(torch.stack(losses).mean().item())
                losses.clear()
        gate(validation_loss(model, validation_inputs, validation_labels))
