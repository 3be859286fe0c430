"""Before the first step, a loss that cannot take probabilities is refused in a line."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

import fourfold as ff
from fourfold.algorithms.soft_targets import require_soft_targets
from fourfold.core.errors import InputError
from fourfold.losses import LOSSES
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.seam import Batch, Features, LossValue

SPEC = ClassificationSpec(Features(("a", "b")), ("x", "y", "z"), (5, 6, 7))
CPU = torch.device("cpu")
FOR_CLASSES = ("cross_entropy", "focal", "class_balanced", "soft_f1", "perceptron")


@pytest.mark.parametrize("classes", [2, 3, 100])
@pytest.mark.parametrize("name", FOR_CLASSES)
def test_every_loss_for_classes_takes_probabilities(name, classes) -> None:
    spec = ClassificationSpec(SPEC.input, tuple(map(str, range(classes))), tuple(range(1, classes + 1)))
    loss = LOSSES.parse(name, "loss").build(spec)  # type: ignore[attr-defined]
    require_soft_targets(loss, spec, "mixup", CPU)


class Numbers:
    """Takes class numbers only."""

    def __call__(self, output: Tensor, batch: Batch) -> LossValue:
        return LossValue(-output.log_softmax(1).gather(1, batch.targets.unsqueeze(1)).sum(), len(output))


class Likeliest:
    """Takes the likeliest class for the only one."""

    def __call__(self, output: Tensor, batch: Batch) -> LossValue:
        labels = batch.targets.argmax(1) if batch.targets.is_floating_point() else batch.targets
        return LossValue(F.cross_entropy(output, labels, reduction="sum"), len(output))


class Misreads:
    """Sums over classes where the mean over examples is meant."""

    def __call__(self, output: Tensor, batch: Batch) -> LossValue:
        return LossValue(F.cross_entropy(output, batch.targets, reduction="sum"), batch.targets.numel())


class OfTwoOutputs:
    """Takes a tuple of outputs, which cannot be made up here."""

    def __call__(self, output: tuple[Tensor, Tensor], batch: Batch) -> LossValue:
        main, side = output
        assert main.shape == side.shape
        return LossValue(F.cross_entropy(main + side, batch.targets, reduction="sum"), len(main))


@pytest.mark.parametrize("loss", [Numbers(), Likeliest(), Misreads()], ids=lambda loss: type(loss).__name__)
def test_one_that_does_not_is_refused_in_a_line(loss) -> None:
    words = f"loss: {type(loss).__name__} takes class numbers and cutmix makes probabilities of them; cross_entropy"
    with pytest.raises(InputError, match=words):
        require_soft_targets(loss, SPEC, "cutmix", CPU)


def test_one_for_outputs_of_another_form_is_left_to_show_itself() -> None:
    require_soft_targets(OfTwoOutputs(), SPEC, "mixup", CPU)


RECIPE: dict[str, Any] = {
    "data": "digits",
    "model": {"name": "mlp", "widths": [8]},
    "loss": "cross_entropy",
    "algorithm": {"name": "supervised", "regularizers": [{"name": "mixup", "alpha": 0.4}]},
    "budget": {"steps": 6, "batch_size": 100, "log_every": 1},
    "runtime": {"device": "cpu", "threads": 1, "precision": "fp32"},
}


@pytest.mark.parametrize("loss", FOR_CLASSES)
def test_a_run_with_each_loss_ends_with_scores_of_examples_as_they_are(loss, tmp_path) -> None:
    run = ff.run(RECIPE, {"loss": loss}, workspace=tmp_path)
    for split in ("train", "validation", "test"):
        assert 0 <= run.metrics[split]["accuracy"] <= 1
    assert len(run.curve("train.loss")) == 6
    assert any("mixed targets" in finding for finding in run.result["findings"])


def test_it_is_refused_before_a_run_begins(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        "fourfold.losses.cross_entropy.CrossEntropy.evaluate", lambda _, o, t: Numbers()(o, Batch((), t))
    )
    with pytest.raises(InputError, match="CrossEntropy takes class numbers and mixup makes probabilities"):
        ff.run(RECIPE, workspace=tmp_path)
    ff.run(RECIPE, {"algorithm.regularizers": []}, workspace=tmp_path)


@pytest.mark.promise("R13")
@pytest.mark.parametrize("kind", [{"name": "mixup"}, {"name": "cutmix"}, {"name": "cutout", "side": 4}])
def test_micro_batches_of_mixed_examples_add_up_to_the_batch(kind, tmp_path) -> None:
    changes = {"algorithm.regularizers": [kind], "algorithm.optimizer": {"name": "sgd", "lr": 0.1}}
    whole = ff.run(RECIPE, changes, workspace=tmp_path)
    pieces = ff.run(RECIPE, {**changes, "runtime.accumulate": 7}, workspace=tmp_path)
    for (_, a), (_, b) in zip(whole.curve("train.loss"), pieces.curve("train.loss"), strict=True):
        assert b == pytest.approx(a, rel=1e-5)
    for name, weight in whole.model.state_dict().items():
        torch.testing.assert_close(pieces.model.state_dict()[name], weight, rtol=1e-4, atol=1e-6)
