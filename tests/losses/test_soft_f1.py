import pytest
import torch
from sklearn.metrics import f1_score

from fourfold.losses import SoftF1


def test_certain_predictions_give_one_minus_macro_f1() -> None:
    generator = torch.Generator().manual_seed(0)
    labels, said = (torch.randint(0, 4, (50,), generator=generator) for _ in range(2))
    value = SoftF1()(1000.0 * torch.eye(4)[said], labels)
    assert value.mean.item() == pytest.approx(1 - f1_score(labels, said, average="macro"))
    assert value.total.item() == pytest.approx(50 * value.mean.item())


def test_hand_value() -> None:
    # p = [[.8, .2], [.4, .6]], classes 0 and 1: F1 = 2*.8/(1.2+1), 2*.6/(.8+1)
    logits = torch.tensor([[0.8, 0.2], [0.4, 0.6]], dtype=torch.float64).log()
    value = SoftF1()(logits, torch.tensor([0, 1]))
    assert value.mean.item() == pytest.approx(1 - (1.6 / 2.2 + 1.2 / 1.8) / 2)


def test_a_class_that_is_not_in_the_batch_does_not_count() -> None:
    labels = torch.tensor([0, 2, 2])
    logits = (1000.0 * torch.eye(4)[labels]).requires_grad_()
    value = SoftF1()(logits, labels)
    assert value.mean.item() == pytest.approx(0.0, abs=1e-6)
    [gradient] = torch.autograd.grad(value.total, logits)
    assert gradient.isfinite().all()


def test_batches_of_batches_are_weighted_means_and_not_the_whole() -> None:
    generator = torch.Generator().manual_seed(1)
    logits, labels = torch.randn(10, 2, generator=generator), torch.randint(0, 2, (10,), generator=generator)
    loss = SoftF1()
    pieces = [loss(o, t) for o, t in zip(logits.split(7), labels.split(7), strict=True)]
    mean = sum(p.total for p in pieces) / sum(p.count for p in pieces)
    assert mean.item() == pytest.approx((7 * pieces[0].mean.item() + 3 * pieces[1].mean.item()) / 10)
    assert mean.item() != pytest.approx(loss(logits, labels).mean.item(), abs=1e-4)
