import pytest
import torch
from sklearn.metrics import accuracy_score, precision_recall_fscore_support

from fourfold.core.errors import InputError
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Batch, Image

SPEC = ClassificationSpec(Image(1, 2, 2), ("고양이", "dog", "fish", "owl"))


def examples() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 3, (80,), generator=generator)  # the fourth class never occurs
    return torch.randn(80, 4, generator=generator) + 1.5 * torch.eye(4)[labels], labels


def test_metrics_equal_scikit_learns_over_the_classes_that_occur() -> None:
    output, labels = examples()
    scorer = SPEC.scorer()
    scorer.update(output, Batch((), labels))
    best = output.argmax(1)
    precision, recall, f1, _ = precision_recall_fscore_support(
        labels, best, labels=[0, 1, 2], average="macro", zero_division=0
    )
    expected = {"accuracy": accuracy_score(labels, best), "macro_f1": f1, "macro_precision": precision}
    expected |= {"macro_recall": recall, "error": 1 - accuracy_score(labels, best)}
    assert scorer.compute() == pytest.approx(expected)


@pytest.mark.promise("R13")
def test_ragged_batches_and_two_processes_add_up_to_the_whole() -> None:
    output, labels = examples()
    whole, first, second = SPEC.scorer(), SPEC.scorer(), SPEC.scorer()
    whole.update(output, Batch((), labels))
    for start, stop, scorer in ((0, 11, first), (11, 40, first), (40, 80, second)):
        scorer.update(output[start:stop], Batch((), labels[start:stop]))
    first.merge(second)
    assert torch.equal(first.confusion, whole.confusion)
    assert first.confusion.sum() == 80


def test_rows_of_the_confusion_matrix_are_true_classes() -> None:
    scorer = SPEC.scorer()
    scorer.update(torch.eye(4)[[1]], Batch((), torch.tensor([2])))
    assert scorer.confusion[2, 1] == 1


def test_predictions_name_the_likeliest_class() -> None:
    [prediction] = SPEC.predictions(torch.tensor([[3.0, 1.0, 0.0, 0.0]]))
    assert prediction["class"] == "고양이"
    assert prediction["probability"] == pytest.approx(float(torch.tensor([3.0, 1.0, 0.0, 0.0]).softmax(0)[0]))
    assert sum(prediction["probabilities"].values()) == pytest.approx(1)


def test_a_spec_that_contradicts_itself_is_refused() -> None:
    with pytest.raises(InputError, match="1 classes"):
        ClassificationSpec(Image(1, 2, 2), ("one",))
    with pytest.raises(InputError, match="3 counts for 2 classes"):
        ClassificationSpec(Image(1, 2, 2), ("a", "b"), (1, 2, 3))
