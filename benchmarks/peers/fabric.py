"""Lightning Fabric: the hand-written loop, with set-up and backward through Fabric."""

import torch
from gate import Gate
from lightning.fabric import Fabric
from workloads import LEARNING_RATE, Workload

from peers.torch_parts import network, train_by_hand


def loop(workload: Workload, gate: Gate) -> None:
    """One CPU process, fp32."""
    fabric = Fabric(accelerator="cpu", devices=1, precision="32-true")
    fabric.launch()
    model = network(workload)
    model, optimizer = fabric.setup(model, torch.optim.SGD(model.parameters(), lr=LEARNING_RATE))
    train_by_hand(model, optimizer, fabric.backward, workload, gate)
