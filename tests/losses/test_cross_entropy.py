import pytest
import torch
from torch.nn import functional as F

from fourfold.losses import CrossEntropy


def test_hand_value() -> None:
    logits = torch.tensor([[0.0, 0.0], [2.0, 0.0]], dtype=torch.float64)
    value = CrossEntropy()(logits, torch.tensor([0, 1]))
    expected = torch.log(torch.tensor(2.0)) + torch.log(1 + torch.exp(torch.tensor(2.0)))
    assert value.total.item() == pytest.approx(expected.item())
    assert value.mean.item() == pytest.approx(expected.item() / 2)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_the_mean_equals_torchs(soft, smoothing) -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(9, 5, generator=generator, dtype=torch.float64)
    targets = torch.randn(9, 5, generator=generator, dtype=torch.float64).softmax(1)
    targets = targets if soft else targets.argmax(1)
    ours = CrossEntropy(label_smoothing=smoothing)(logits, targets).mean
    torch.testing.assert_close(ours, F.cross_entropy(logits, targets, label_smoothing=smoothing))


def test_smoothing_spreads_over_all_classes_the_true_one_included() -> None:
    logits = torch.tensor([[1.0, 0.0, -1.0]], dtype=torch.float64)
    spread = torch.tensor([[0.9 + 0.1 / 3, 0.1 / 3, 0.1 / 3]], dtype=torch.float64)
    expected = -(spread * logits.log_softmax(1)).sum()
    torch.testing.assert_close(CrossEntropy(0.1)(logits, torch.tensor([0])).total, expected)
