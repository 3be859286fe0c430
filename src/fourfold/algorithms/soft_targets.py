"""Probabilities as targets: whether a loss takes them, asked before the first step.

Checked by: every loss of the table; losses that refuse, ignore or misread probabilities.
"""

import torch
from torch import Tensor
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Batch, Loss, Spec


def require_soft_targets(loss: Loss, spec: Spec, who: str, device: torch.device) -> None:
    """Raise InputError unless `loss` takes class probabilities for what they are.

    It is tried on made-up scores: probabilities of one class alone must cost what that class's number costs, and a
    little doubt must cost something else. A loss for outputs of another form is left to show itself.

    Args:
        loss: of the recipe.
        spec: of the data.
        who: the regularizer that mixes targets.
        device: where the loss computes.
    """
    assert isinstance(spec, ClassificationSpec)
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(spec.num_classes).to(device)
    output = torch.randn(spec.num_classes, spec.num_classes, generator=generator).to(device)
    certain = F.one_hot(labels, spec.num_classes).float()
    try:
        by_number = _mean(loss, output, labels)
    except Exception:
        return
    try:
        by_probability, in_doubt = (_mean(loss, output, q) for q in (certain, 0.7 * certain + 0.3 * certain.roll(1, 0)))
    except Exception:
        by_probability = in_doubt = torch.tensor(torch.nan)
    if not torch.isclose(by_probability, by_number, rtol=1e-4) or torch.isclose(in_doubt, by_number, rtol=1e-4):
        raise InputError(
            f"loss: {type(loss).__name__} takes class numbers and {who} makes probabilities of them; "
            f"cross_entropy takes both, or leave {who} out"
        )


def _mean(loss: Loss, output: Tensor, targets: Tensor) -> Tensor:
    with torch.no_grad():
        return loss(output, Batch((), targets)).mean.float().cpu()
