"""Every loss beside torch's, torchvision's or scikit-learn's: its mean over a batch, and that mean's gradient."""

from collections.abc import Callable

import pytest
import torch
from sklearn.metrics import f1_score
from torch import Tensor
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss
from verification import record, verified

from fourfold import losses
from fourfold.losses import LOSSES
from fourfold.losses.class_balanced import class_weights

GENERATOR = torch.Generator().manual_seed(0)
COUNTS = (100, 10, 1)


def drawn(*shape: int) -> Tensor:
    return 2 * torch.randn(*shape, generator=GENERATOR, dtype=torch.float64)


LABELS = torch.arange(24) % 3
TWO = torch.arange(24) % 2
NUMBERS = drawn(24, 2)


def score_of(output: Tensor) -> Tensor:
    """One score for two classes, of which a softmax and a threshold see the difference."""
    return output[:, 1] - output[:, 0]


def focal(output: Tensor) -> Tensor:
    return sigmoid_focal_loss(score_of(output), TWO.double(), alpha=0.25, gamma=2.0, reduction="sum") / 24


def weighted(output: Tensor) -> Tensor:
    return F.cross_entropy(output, LABELS, weight=class_weights(COUNTS, 0.9).double(), reduction="sum") / 24


def gaussian(output: Tensor) -> Tensor:
    mean, log_variance = output.chunk(2, 1)
    return F.gaussian_nll_loss(mean, NUMBERS, log_variance.exp(), full=True, eps=1e-6)


def hinge(output: Tensor) -> Tensor:
    """The perceptron's criterion is torch's hinge with no margin."""
    return F.margin_ranking_loss(score_of(output) / 2, torch.zeros(24).double(), 2.0 * TWO - 1, margin=0.0)


Case = tuple[losses.CrossEntropy, Tensor, Tensor, str, Callable[[Tensor], Tensor]]
CASES: dict[str, Case] = {
    "mse": (losses.MSE(), drawn(24, 2), NUMBERS, "torch's mse_loss", lambda o: F.mse_loss(o, NUMBERS)),
    "mae": (losses.MAE(), drawn(24, 2), NUMBERS, "torch's l1_loss", lambda o: F.l1_loss(o, NUMBERS)),
    "huber": (
        losses.Huber(0.6), drawn(24, 2), NUMBERS, "torch's huber_loss", lambda o: F.huber_loss(o, NUMBERS, delta=0.6)
    ),
    "gaussian_nll": (losses.GaussianNLL(eps=1e-6), drawn(24, 4), NUMBERS, "torch's gaussian_nll_loss", gaussian),
    "cross_entropy": (
        losses.CrossEntropy(0.1), drawn(24, 3), LABELS, "torch's cross_entropy, labels smoothed",
        lambda o: F.cross_entropy(o, LABELS, label_smoothing=0.1),
    ),
    "focal": (losses.Focal(2.0, [0.75, 0.25]), drawn(24, 2), TWO, "torchvision's sigmoid_focal_loss", focal),
    "class_balanced": (
        losses.ClassBalanced(COUNTS, 0.9), drawn(24, 3), LABELS, "torch's cross_entropy, weighted", weighted
    ),
    "perceptron": (losses.PerceptronCriterion(), drawn(24, 2), TWO, "torch's margin_ranking_loss, no margin", hinge),
}  # fmt: skip


def test_every_loss_is_among_them() -> None:
    own_files = {"td_error", "nt_xent", "minimax", "non_saturating", "masked_and_next"}
    assert {*CASES, *own_files, "soft_f1", "usual"} == {*LOSSES, "usual"}


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", CASES)
def test_value_and_gradient(name) -> None:
    loss, output, targets, oracle, theirs = CASES[name]
    values, gradients = [], []
    for mean in (lambda o: loss.double()(o, targets).mean, theirs):
        at = output.clone().requires_grad_()
        values.append(mean(at))
        gradients += torch.autograd.grad(values[-1], at)
    torch.testing.assert_close(*values, rtol=1e-9, atol=0)
    torch.testing.assert_close(*gradients, rtol=1e-9, atol=1e-12)
    verified("loss", name, oracle, "values", *values)
    verified("loss", name, oracle, "gradients", *gradients)


@pytest.mark.promise("R14")
def test_soft_f1_of_certain_answers_is_scikit_learns() -> None:
    labels, said = (torch.randint(0, 4, (50,), generator=GENERATOR) for _ in range(2))
    value = losses.SoftF1()(1000.0 * torch.eye(4).double()[said], labels).mean
    expected = 1 - f1_score(labels, said, average="macro")
    assert value.item() == pytest.approx(expected, rel=1e-12)
    record(
        "loss", "soft_f1", "scikit-learn's macro f1_score, of certain answers", {"values": abs(value.item() - expected)}
    )
