"""Lightning's Trainer, with everything off that can be off, and as it comes."""

import lightning
import torch
from gate import Gate
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional as F
from workloads import LEARNING_RATE, LOG_EVERY, Workload

from peers.torch_parts import OrderedBatches, ShuffledBatches, data, network


class Module(lightning.LightningModule):
    """The usual four methods."""

    def __init__(self, workload: Workload, gate: Gate) -> None:
        super().__init__()
        self.network, self.gate = network(workload), gate

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        return F.cross_entropy(self.network(batch[0]), batch[1])

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        logits = self.network(batch[0])
        self.log("validation_loss", F.cross_entropy(logits, batch[1]), batch_size=len(logits))
        self.log("accuracy", (logits.argmax(1) == batch[1]).float().mean(), batch_size=len(logits))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return torch.optim.SGD(self.parameters(), lr=LEARNING_RATE)

    def on_train_epoch_end(self) -> None:
        self.gate(float(self.trainer.callback_metrics["validation_loss"]))  # validation has run already


class LoggingModule(Module):
    """The same, with the training loss in the log."""

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        loss = super().training_step(batch, index)
        self.log("train_loss", loss)
        return loss


def bare(workload: Workload, gate: Gate) -> None:
    """No logger, checkpoints, progress bar or summary; the training loss is not logged."""
    trainer = lightning.Trainer(
        accelerator="cpu",
        devices=1,
        max_epochs=-1,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
    )
    _fit(trainer, Module(workload, gate), workload)


def default(workload: Workload, gate: Gate) -> None:
    """Trainer() on a CPU: logger, checkpoint an epoch, progress bar (into a file)."""
    trainer = lightning.Trainer(accelerator="cpu", max_epochs=-1, log_every_n_steps=LOG_EVERY)
    _fit(trainer, LoggingModule(workload, gate), workload)


def _fit(trainer: lightning.Trainer, module: Module, workload: Workload) -> None:
    inputs, labels, validation_inputs, validation_labels = data(workload)
    trainer.fit(module, ShuffledBatches(inputs, labels), OrderedBatches(validation_inputs, validation_labels))
