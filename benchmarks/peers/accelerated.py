"""Hugging Face Accelerate: the hand-written loop, with preparation and backward through the accelerator."""

import torch
from accelerate import Accelerator
from gate import Gate
from workloads import LEARNING_RATE, Workload

from peers.torch_parts import network, train_by_hand


def loop(workload: Workload, gate: Gate) -> None:
    """One CPU process, fp32; batches from outside, which spares Accelerate its DataLoader."""
    accelerator = Accelerator(cpu=True, mixed_precision="no")
    model = network(workload)
    model, optimizer = accelerator.prepare(model, torch.optim.SGD(model.parameters(), lr=LEARNING_RATE))
    train_by_hand(model, optimizer, accelerator.backward, workload, gate)
