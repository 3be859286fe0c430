"""Hugging Face's Trainer around the same network, with everything off that can be off but the log."""

from typing import Any

import torch
from gate import FOREVER, Gate
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import TensorDataset
from transformers import Trainer, TrainerCallback, TrainingArguments
from workloads import BATCH_SIZE, LEARNING_RATE, LOG_EVERY, VALIDATION_BATCH_SIZE, Workload

from peers.torch_parts import OrderedBatches, ShuffledBatches, data, network


class WithLoss(nn.Module):
    """What the Trainer wants of a model: named inputs, and the loss among its outputs."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, pixels: Tensor, labels: Tensor) -> dict[str, Tensor]:
        logits = self.body(pixels)
        return {"loss": F.cross_entropy(logits, labels), "logits": logits}


class AtGate(TrainerCallback):
    """Evaluation is the last thing of an epoch."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate

    def on_evaluate(self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any) -> None:
        self.gate(metrics["eval_loss"])


def named(pixels: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """Return a batch by name."""
    return {"pixels": pixels, "labels": labels}


class TensorTrainer(Trainer):
    """The Trainer with batches from memory in place of its DataLoader."""

    def get_train_dataloader(self) -> Any:
        return ShuffledBatches(*self.train_dataset.tensors, named)  # type: ignore[union-attr]

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        batches = OrderedBatches(*self.eval_dataset.tensors, named)  # type: ignore[union-attr]
        batches.dataset, batches.batch_size = self.eval_dataset, VALIDATION_BATCH_SIZE  # it asks for both
        return batches


def accuracy(prediction: Any) -> dict[str, float]:
    """Return the share of hits."""
    return {"accuracy": float((prediction.predictions.argmax(1) == prediction.label_ids).mean())}


def fit(workload: Workload, gate: Gate) -> None:
    """One call of `train`."""
    inputs, labels, validation_inputs, validation_labels = data(workload)
    model = WithLoss(network(workload))
    settings = TrainingArguments(
        output_dir="trainer",
        per_device_train_batch_size=BATCH_SIZE,
        num_train_epochs=FOREVER,
        eval_strategy="epoch",
        logging_steps=LOG_EVERY,
        save_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        max_grad_norm=0.0,
    )
    trainer = TensorTrainer(
        model,
        settings,
        train_dataset=TensorDataset(inputs, labels),
        eval_dataset=TensorDataset(validation_inputs, validation_labels),
        compute_metrics=accuracy,
        callbacks=[AtGate(gate)],
        optimizers=(
            (optimizer := torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)),
            torch.optim.lr_scheduler.ConstantLR(optimizer, factor=1.0),
        ),
    )
    trainer.train()
