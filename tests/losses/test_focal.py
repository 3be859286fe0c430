import pytest
import torch
from torch.nn import functional as F
from torchvision.ops import sigmoid_focal_loss

from fourfold.core.errors import InputError
from fourfold.losses import Focal
from fourfold.losses.focal import FocalConfig
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Features


def two_class_case() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    score = 3 * torch.randn(20, generator=generator, dtype=torch.float64)
    return score, torch.randint(0, 2, (20,), generator=generator)


@pytest.mark.parametrize(("gamma", "alpha"), [(2.0, 0.25), (0.5, 0.7), (5.0, 0.1)])
def test_two_classes_equal_torchvisions_sigmoid_form(gamma, alpha) -> None:
    score, labels = two_class_case()
    logits = torch.stack([torch.full_like(score, 0.3), score + 0.3], dim=1)
    ours = Focal(gamma, [1 - alpha, alpha]).double()(logits, labels).total
    theirs = sigmoid_focal_loss(score, labels.double(), alpha=alpha, gamma=gamma, reduction="sum")
    torch.testing.assert_close(ours, theirs, rtol=1e-7, atol=0)  # alpha was stored in float32


def test_without_weights_too() -> None:
    score, labels = two_class_case()
    ours = Focal(2.0)(torch.stack([torch.zeros_like(score), score], dim=1), labels).total
    theirs = sigmoid_focal_loss(score, labels.double(), alpha=-1, gamma=2.0, reduction="sum")
    torch.testing.assert_close(ours, theirs)


def test_gamma_0_is_cross_entropy() -> None:
    logits, labels = torch.randn(8, 4, dtype=torch.float64), torch.randint(0, 4, (8,))
    torch.testing.assert_close(Focal(0.0)(logits, labels).mean, F.cross_entropy(logits, labels))


def test_hand_value() -> None:
    logits = torch.tensor(
        [[0.9, 0.1]], dtype=torch.float64
    ).log()  # the paper: at p = .9, gamma 2 weighs 100 times less
    assert Focal(2.0)(logits, torch.tensor([0])).total.item() == pytest.approx(0.01 * -torch.tensor(0.9).log().item())


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0])
def test_value_and_gradient_stay_finite_where_the_softmax_saturates(gamma) -> None:
    logits = torch.tensor([[200.0, 0.0, 0.0], [0.0, 200.0, 0.0]], requires_grad=True)
    for targets in (torch.tensor([0, 0]), torch.tensor([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])):
        value = Focal(gamma)(logits, targets)
        assert value.total.item() == pytest.approx(200.0)
        [gradient] = torch.autograd.grad(value.total, logits)
        assert gradient.isfinite().all()
        assert gradient[1].abs().max().item() == pytest.approx(1.0, rel=1e-3)


def test_a_class_ruled_out_counts_nothing_for_soft_labels_too() -> None:
    logits = torch.tensor([[0.3, -torch.inf, 1.0]])
    hard = Focal()(logits, torch.tensor([0])).total
    assert hard.isfinite()
    torch.testing.assert_close(Focal()(logits, torch.tensor([[1.0, 0.0, 0.0]])).total, hard)


def test_a_weight_is_needed_for_each_class() -> None:
    spec = ClassificationSpec(Features(("a",)), ("x", "y", "z"))
    with pytest.raises(InputError, match=r"loss\.alpha: 2 weights for 3 classes"):
        FocalConfig(alpha=[0.75, 0.25]).build(spec)
