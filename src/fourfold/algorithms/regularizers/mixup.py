"""Mixup: the network is trained on weighted means of two examples and of their targets.

    x~ = lambda x_i + (1 - lambda) x_j
    y~ = lambda y_i + (1 - lambda) y_j,   lambda ~ Beta(alpha, alpha)

so between two examples it is asked to go straight from one answer to the other. The loss sees probabilities; the
curve's training loss is that of mixed targets, which cannot reach zero, while scores are of examples as they are.

Paper: Zhang, Cisse, Dauphin and Lopez-Paz, mixup: Beyond Empirical Risk Minimization, ICLR 2018, arXiv:1710.09412,
section 2 (alpha 1 for CIFAR in 3.2, 0.1 to 0.4 for ImageNet in 3.1).
Departures: none. As in the paper's own program there is one lambda a batch, and partners are of the same batch; of
several processes, each draws its own lambda and finds partners in its own share.
Checked by: the equations by hand; torchvision.transforms.v2.MixUp with the same lambda.
"""

from typing import Literal

import numpy as np
import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.tasks.classification import ClassificationSpec, to_probabilities
from fourfold.tasks.seam import Batch, Plan, Spec, require_task


class MixupConfig(RegularizerConfig):
    """Fields of `mixup`."""

    name: Literal["mixup"] = "mixup"
    alpha: float = Field(
        default=1.0, gt=0, le=1000, description="of Beta(alpha, alpha); near 0 hardly mixes, 1 mixes evenly"
    )

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "Mixup":
        """Return the regularizer of `model`; the task must be classification."""
        return Mixup(model, plan, require_task(spec, ClassificationSpec, "mixup").num_classes, self.alpha)


def mixup(inputs: Tensor, targets: Tensor, partners: Tensor, share: float) -> tuple[Tensor, Tensor]:
    """Return examples mixed with their partners, and their targets.

    Args:
        inputs: `[batch, …]`, real numbers.
        targets: probabilities `[batch, classes]`.
        partners: which example of the batch each one is mixed with, int64 `[batch]`.
        share: lambda, what is kept of each example.
    """
    return _mean(inputs, partners, share), _mean(targets, partners, share)


def _mean(values: Tensor, partners: Tensor, share: float) -> Tensor:
    as_stored = values.permute(0, 2, 3, 1) if values.dim() == 4 else values  # index_select would undo channels-last
    mean = as_stored.index_select(0, partners).mul_(1 - share).add_(as_stored, alpha=share)
    return mean.permute(0, 3, 1, 2) if values.dim() == 4 else mean


def draw_share(alpha: float, generator: torch.Generator) -> float:
    """Return lambda, drawn from Beta(alpha, alpha) by the seed of `generator`, whose state stays as it is."""
    return float(np.random.default_rng(generator.initial_seed()).beta(alpha, alpha))  # torch's takes no generator


def told_of_mixed_targets(who: str) -> str:
    """Return what a reader of the training curve should know."""
    return f"{who}: the curve's training loss is of mixed targets and cannot reach zero; scores are of whole examples"


class Mixup(Regularizer):
    """Mixes the examples of each batch."""

    mixes_targets = True

    def __init__(self, model: nn.Module, plan: Plan, num_classes: int, alpha: float) -> None:
        super().__init__(model, plan)
        self.num_classes, self.alpha = num_classes, alpha

    def on_batch(self, batch: Batch, step: int) -> Batch:
        generator = self.generator(step)
        share = draw_share(self.alpha, generator)
        targets = to_probabilities(batch.targets, self.num_classes)
        partners = torch.randperm(len(targets), generator=generator, device=targets.device)
        mixed = [mixup(x, targets, partners, share) for x in batch.inputs]
        return Batch(tuple(inputs for inputs, _ in mixed), mixed[0][1])

    def finish(self) -> str | None:
        return told_of_mixed_targets("mixup")

    def explain(self) -> list[tuple[str, str]]:
        return [("on_batch", f"mixup: mix each example with another, lambda ~ Beta({self.alpha:g}, {self.alpha:g})")]
