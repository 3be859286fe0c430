import pytest
import torch
from sklearn.metrics import hinge_loss

from fourfold.losses import PerceptronCriterion


def test_hand_values() -> None:
    s = torch.tensor([2.0, 2.0, -1.5, -1.5])
    scores = torch.stack([-s, s], dim=1)
    value = PerceptronCriterion()(scores, torch.tensor([1, 0, 1, 0]))
    assert value.total.item() == 2.0 + 1.5
    three = torch.tensor([[1.0, -2.0, 3.0]])
    assert PerceptronCriterion()(three, torch.tensor([1])).total.item() == 1.0 + 2.0 + 3.0
    assert PerceptronCriterion()(three, torch.tensor([2])).total.item() == 1.0


def test_it_is_the_hinge_without_its_margin() -> None:
    generator = torch.Generator().manual_seed(0)
    s = torch.randn(30, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, 2, (30,), generator=generator)
    sign = 2 * labels - 1
    # hinge max(0, 1 - y d) of d = s + y is max(0, -y s)
    expected = 30 * hinge_loss(sign.numpy(), (s + sign).numpy())
    assert PerceptronCriterion()(torch.stack([-s, s], 1), labels).total.item() == pytest.approx(expected)


@pytest.mark.parametrize("label", [0, 1])
@pytest.mark.parametrize("s", [-1.0, 0.0, 1.0])
def test_the_gradient_is_the_learning_rule_at_the_threshold_too(label, s) -> None:
    score = torch.tensor([s], requires_grad=True)
    PerceptronCriterion()(torch.stack([-score, score], 1), torch.tensor([label])).total.backward()
    step = float(s > 0)
    assert -score.grad.item() == label - step
