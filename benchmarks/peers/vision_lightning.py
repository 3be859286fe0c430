"""Lightning's Trainer on pictures, with torchvision's network and loaders."""

import lightning
import torch
from gate import Gate
from lightning.pytorch.utilities.types import OptimizerLRScheduler
from torch import Tensor
from torch.nn import functional as F
from workloads import LEARNING_RATE, Workload

from peers.vision_torch import loaders, network


class Module(lightning.LightningModule):
    """The usual four methods."""

    def __init__(self, workload: Workload, gate: Gate) -> None:
        super().__init__()
        self.network, self.gate = network(workload), gate

    def training_step(self, batch: tuple[Tensor, Tensor], index: int) -> Tensor:
        return F.cross_entropy(self.network(batch[0]), batch[1])

    def validation_step(self, batch: tuple[Tensor, Tensor], index: int) -> None:
        self.log("validation_loss", F.cross_entropy(self.network(batch[0]), batch[1]), batch_size=len(batch[0]))

    def configure_optimizers(self) -> OptimizerLRScheduler:
        return torch.optim.SGD(self.parameters(), lr=LEARNING_RATE)

    def on_train_epoch_end(self) -> None:
        self.gate(float(self.trainer.callback_metrics["validation_loss"]))  # validation has run already


def fit(workload: Workload, gate: Gate) -> None:
    """Trainer() with neither logger nor checkpoints: its loop alone."""
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
    train, validation = loaders(workload, 0)
    trainer.fit(Module(workload, gate), train, validation)
