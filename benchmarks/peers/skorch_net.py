"""skorch's NeuralNetClassifier with its default callbacks but the printing."""

from typing import Any

import torch
from gate import FOREVER, Gate
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback
from skorch.helper import predefined_split
from torch.utils.data import TensorDataset
from workloads import BATCH_SIZE, LEARNING_RATE, Workload

from peers.torch_parts import OrderedBatches, ShuffledBatches, data, network


class AtGate(Callback):
    """Stands last, after the scores of the epoch."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def on_epoch_end(self, net: Any, **_: Any) -> None:
        self.gate(net.history[-1, "valid_loss"])


def shuffled(dataset: TensorDataset, batch_size: int) -> ShuffledBatches:
    """Return training batches in place of skorch's DataLoader."""
    return ShuffledBatches(*dataset.tensors)


def ordered(dataset: TensorDataset, batch_size: int) -> OrderedBatches:
    """Return validation batches likewise."""
    return OrderedBatches(*dataset.tensors)


def fit(workload: Workload, gate: Gate) -> None:
    """One call of `fit`."""
    inputs, labels, validation_inputs, validation_labels = data(workload)
    net = NeuralNetClassifier(
        network(workload),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.SGD,
        lr=LEARNING_RATE,
        batch_size=BATCH_SIZE,
        max_epochs=FOREVER,
        iterator_train=shuffled,
        iterator_valid=ordered,
        train_split=predefined_split(TensorDataset(validation_inputs, validation_labels)),
        callbacks=[AtGate(gate)],
        callbacks__print_log=None,
        verbose=0,
    )
    net.fit(TensorDataset(inputs, labels), y=None)
