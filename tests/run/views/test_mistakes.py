import pytest
import torch
from sklearn.metrics import confusion_matrix, log_loss

from fourfold.run.views.mistakes import confused_pairs, surprise, worst_mistakes


def _drawn(examples: int, classes: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    output = 2 * torch.randn(examples, classes, generator=generator)
    return output, torch.randint(0, classes, (examples,), generator=generator)


def test_surprise_is_scikit_learns() -> None:
    output, targets = _drawn(50, 4)
    probabilities = output.double().softmax(1).numpy()
    each = [log_loss([t], [p], labels=range(4)) for t, p in zip(targets.tolist(), probabilities, strict=True)]
    assert surprise(output, targets).tolist() == pytest.approx(each)


def test_the_worst_mistakes_are_wrong_and_the_furthest_off_first() -> None:
    output, targets = _drawn(60, 3)
    far, wrong = surprise(output, targets), output.argmax(1) != targets
    found = worst_mistakes(output, targets, 7)
    expected = sorted((i for i in range(60) if wrong[i]), key=lambda i: -float(far[i]))[:7]
    assert found == expected
    assert len(worst_mistakes(output, targets, 1000)) == int(wrong.sum())


def test_an_unsure_answer_that_is_right_is_no_mistake() -> None:
    output = torch.tensor([[0.1, 0.0, 0.0], [0.0, 0.0, 5.0]])
    assert worst_mistakes(output, torch.tensor([0, 2]), 5) == []
    assert confused_pairs(output, torch.tensor([0, 2]), 5) == []


def test_pairs_are_those_of_scikit_learns_matrix() -> None:
    output, targets = _drawn(400, 5)
    matrix = confusion_matrix(targets, output.argmax(1))
    cells = [(int(matrix[i, j]), i, j) for i in range(5) for j in range(5) if i != j]
    expected = sorted(cells, key=lambda cell: (-cell[0], cell[1], cell[2]))[:6]
    found = confused_pairs(output, targets, 6)
    assert [(len(pair.examples), pair.true, pair.said) for pair in found] == expected
    assert [pair.of for pair in found] == [int(matrix[i].sum()) for _, i, _ in expected]
    far = surprise(output, targets)
    for pair in found:
        assert all(targets[i] == pair.true and output[i].argmax() == pair.said for i in pair.examples)
        assert [float(far[i]) for i in pair.examples] == sorted((float(far[i]) for i in pair.examples), reverse=True)
    assert len(confused_pairs(output, targets, 100)) == sum(count > 0 for count, _, _ in cells)
