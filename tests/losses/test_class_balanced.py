import pytest
import torch
from torch.nn import functional as F

from fourfold.core.errors import InputError
from fourfold.losses import ClassBalanced, Focal
from fourfold.losses.class_balanced import ClassBalancedConfig, class_weights
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Features


def test_hand_weights() -> None:
    # effective numbers of 1, 2 and 3 examples at beta 1/2: 1, 1.5, 1.75
    raw = [1 / 1, 1 / 1.5, 1 / 1.75]
    expected = torch.tensor([3 * w / sum(raw) for w in raw])
    torch.testing.assert_close(class_weights([1, 2, 3], 0.5), expected)


@pytest.mark.parametrize("beta", [0.0, 0.9, 0.99, 0.999, 0.9999])
def test_weights_sum_to_the_number_of_classes_and_fall_with_the_count(beta) -> None:
    weights = class_weights([5000, 500, 50, 5], beta)
    assert weights.sum().item() == pytest.approx(4)
    assert torch.equal(weights, weights.sort().values)


def test_limits_are_no_weighting_and_inverse_frequency() -> None:
    torch.testing.assert_close(class_weights([5000, 5], 0.0), torch.ones(2))
    inverse = torch.tensor([1 / 400, 1 / 100])
    torch.testing.assert_close(class_weights([400, 100], 1 - 1e-9), 2 * inverse / inverse.sum(), rtol=1e-5, atol=0)


def test_a_class_without_examples_weighs_as_one_with_a_single_example() -> None:
    torch.testing.assert_close(class_weights([10, 0], 0.9), class_weights([10, 1], 0.9))


def test_the_total_equals_torchs_weighted_sum() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(30, 3, generator=generator)
    labels = torch.randint(0, 3, (30,), generator=generator)
    counts = (100, 10, 1)
    ours = ClassBalanced(counts, 0.99)(logits, labels)
    theirs = F.cross_entropy(logits, labels, weight=class_weights(counts, 0.99), reduction="sum")
    torch.testing.assert_close(ours.total, theirs)
    assert ours.count == 30


def test_with_gamma_it_is_a_weighted_focal_loss() -> None:
    logits, labels = torch.randn(12, 3), torch.randint(0, 3, (12,))
    weights = class_weights((9, 5, 2), 0.9)
    ours = ClassBalanced((9, 5, 2), 0.9, gamma=2.0)(logits, labels).total
    expected = sum(weights[k] * Focal(2.0)(logits[i : i + 1], labels[i : i + 1]).total for i, k in enumerate(labels))
    torch.testing.assert_close(ours, expected)


def test_the_counts_come_from_the_data() -> None:
    spec = ClassificationSpec(Features(("a",)), ("x", "y"), (90, 10))
    torch.testing.assert_close(ClassBalancedConfig(beta=0.9).build(spec).weights, class_weights([90, 10], 0.9))
    with pytest.raises(InputError, match="does not count"):
        ClassBalancedConfig().build(ClassificationSpec(Features(("a",)), ("x", "y")))
