"""The normalised temperature-scaled cross-entropy: which of all other views in the batch is of the same picture?

    l(i, j) = -log( exp(s(i, j) / tau) / sum_{k != i} exp(s(i, k) / tau) )        s: cosine of the projections
    L       = 1 / 2N sum_{k=1..N} ( l(2k-1, 2k) + l(2k, 2k-1) )

of the 2N views of N pictures. It is counted in pictures, each having half the sum of its two views.

Paper: Chen, Kornblith, Norouzi and Hinton, A Simple Framework for Contrastive Learning of Visual Representations, ICML
2020, arXiv:2002.05709, Eq. 1 and Algorithm 1.
Departures: none. Every picture's loss depends on the whole batch, so that pieces of a batch cannot be added up: see
`algorithms.coupled_gradient` for micro-batches and processes.
Checked by: two nested loops in float64, values and gradients; gradcheck; two processes against one.
"""

import math
from typing import ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.losses.base import Loss, LossConfig
from fourfold.tasks.contrastive import ContrastiveOutput, ContrastiveSpec, ContrastiveTargets
from fourfold.tasks.seam import LossValue, Spec, require_task


class NTXentConfig(LossConfig):
    """Fields of `loss: nt_xent`."""

    name: Literal["nt_xent"] = "nt_xent"
    temperature: float = Field(
        default=0.5, gt=0, le=100, description="tau; the paper: 0.1 on ImageNet, 0.5 on CIFAR-10"
    )

    def build(self, spec: Spec) -> "NTXent":
        """Return the loss."""
        require_task(spec, ContrastiveSpec, "nt_xent")
        return NTXent(self.temperature)


def nt_xent(first: Tensor, second: Tensor, temperature: float) -> LossValue:
    """Return the loss of N pictures by the projections of their views, `[N, projected]` each, summed over pictures."""
    count = len(first)
    views = torch.cat([first, second])
    views = F.normalize(views.float() if views.element_size() < 4 else views)
    own = torch.eye(2 * count, dtype=torch.bool, device=views.device)
    scores = (views @ views.T / temperature).masked_fill(own, -math.inf)  # [2 N, 2 N]
    others = torch.arange(2 * count, device=views.device).roll(count)
    return LossValue(F.cross_entropy(scores, others, reduction="sum") / 2, count)


class NTXent(Loss):
    """The loss as a part of a recipe.

    Args:
        temperature: what similarities are divided by, above 0.
    """

    couples_examples: ClassVar[bool] = True

    def __init__(self, temperature: float = 0.5) -> None:
        super().__init__()
        self.temperature = temperature

    def evaluate(self, output: ContrastiveOutput, targets: ContrastiveTargets) -> LossValue:
        """Return the loss, summed over pictures.

        Raises:
            InputError: there are no second views.
        """
        if output.second is None:
            raise InputError("nt_xent: two views of each picture are needed, and the model was given one")
        return nt_xent(output.first, output.second, self.temperature)

    def extra_repr(self) -> str:
        return f"temperature={self.temperature:g}"
