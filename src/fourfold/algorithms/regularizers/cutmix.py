"""CutMix: a box of each picture is replaced by that of another, and the targets are mixed by area.

    x~ = M x_i + (1 - M) x_j
    y~ = lambda y_i + (1 - lambda) y_j,   lambda ~ Beta(alpha, alpha)

M is 0 in a box of width W sqrt(1 - lambda) and height H sqrt(1 - lambda) about a random place, cut off at the edges;
lambda is then set to the share of the picture that is left.

Paper: Yun et al., CutMix: Regularization Strategy to Train Strong Classifiers with Localizable Features, ICCV 2019,
arXiv:1905.04899, section 3.1 and Algorithm A1 (alpha 1; every batch for ImageNet, half of them for CIFAR).
Departures: none. As in the paper's own program there is one box a batch, and partners are of the same batch; of several
processes, each draws its own box and finds partners in its own share.
Checked by: the equations by hand; torchvision.transforms.v2.CutMix with the same box.
"""

from typing import Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from fourfold.algorithms.regularizers.base import Regularizer, RegularizerConfig
from fourfold.algorithms.regularizers.mixup import draw_share, told_of_mixed_targets
from fourfold.tasks.classification import ClassificationSpec, to_probabilities
from fourfold.tasks.seam import Batch, Image, Plan, Spec, require_input, require_task


class CutmixConfig(RegularizerConfig):
    """Fields of `cutmix`."""

    name: Literal["cutmix"] = "cutmix"
    alpha: float = Field(default=1.0, gt=0, le=1000, description="of Beta(alpha, alpha), which the area is drawn from")
    probability: float = Field(default=1.0, gt=0, le=1, description="share of the batches that are cut and mixed")

    def build(self, model: nn.Module, spec: Spec, plan: Plan) -> "Cutmix":
        """Return the regularizer of `model`; the task must be classification of pictures."""
        num_classes = require_task(spec, ClassificationSpec, "cutmix").num_classes
        require_input(spec, Image, "cutmix")
        return Cutmix(model, plan, num_classes, self.alpha, self.probability)


class Box(NamedTuple):
    """Rows `top` up to, not including, `bottom`, and columns likewise, in pixels."""

    top: int
    left: int
    bottom: int
    right: int


def draw_box(height: int, width: int, share: float, generator: torch.Generator) -> Box:
    """Return a box of 1 - `share` of the area about a random pixel, cut off at the edges (Algorithm A1)."""
    row, column = torch.rand(2, generator=generator, device=generator.device).tolist()
    row, column = int(row * height), int(column * width)
    tall, wide = int(height * (1 - share) ** 0.5) // 2, int(width * (1 - share) ** 0.5) // 2
    return Box(max(row - tall, 0), max(column - wide, 0), min(row + tall, height), min(column + wide, width))


def cutmix(inputs: Tensor, targets: Tensor, partners: Tensor, box: Box) -> tuple[Tensor, Tensor]:
    """Return pictures whose box is their partner's, and their targets.

    Args:
        inputs: `[batch, channels, height, width]`.
        targets: probabilities `[batch, classes]`.
        partners: which picture of the batch each one's box comes from, int64 `[batch]`.
        box: the same for all.
    """
    rows, columns = slice(box.top, box.bottom), slice(box.left, box.right)
    mixed = inputs.clone()
    mixed[:, :, rows, columns] = inputs[:, :, rows, columns].index_select(0, partners)
    replaced = (box.bottom - box.top) * (box.right - box.left) / (inputs.shape[2] * inputs.shape[3])
    return mixed, (1 - replaced) * targets + replaced * targets.index_select(0, partners)


class Cutmix(Regularizer):
    """Cuts and mixes the pictures of each batch."""

    mixes_targets = True

    def __init__(self, model: nn.Module, plan: Plan, num_classes: int, alpha: float, probability: float) -> None:
        super().__init__(model, plan)
        self.num_classes, self.alpha, self.probability = num_classes, alpha, probability

    def on_batch(self, batch: Batch, step: int) -> Batch:
        targets = to_probabilities(batch.targets, self.num_classes)  # always: a compiled step knows one kind
        on_host = torch.Generator().manual_seed(self.generator(step).initial_seed())  # a box is numbers to slice with
        if float(torch.rand((), generator=on_host)) >= self.probability:
            return batch._replace(targets=targets)
        (images,) = batch.inputs
        box = draw_box(images.shape[2], images.shape[3], draw_share(self.alpha, on_host), on_host)
        partners = torch.randperm(len(targets), generator=on_host).to(targets.device)
        mixed, targets = cutmix(images, targets, partners, box)
        return Batch((mixed,), targets)

    def finish(self) -> str | None:
        return told_of_mixed_targets("cutmix")

    def explain(self) -> list[tuple[str, str]]:
        often = "each batch" if self.probability == 1 else f"{100 * self.probability:g} % of the batches"
        return [("on_batch", f"cutmix: in {often} replace a box of each picture by another picture's")]
