"""The kernel machine and its solver, beside scikit-learn's from its own features to its own decisions."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.svm import SVC
from verification import verified

import fourfold as ff
from fourfold.algorithms import ALGORITHMS
from fourfold.algorithms.svm import SVM
from fourfold.core.errors import DivergedError, InputError
from fourfold.data.encoding import FeaturesEncoding
from fourfold.data.in_memory import InMemorySource
from fourfold.losses import CrossEntropy
from fourfold.models import MLP, KernelSVM
from fourfold.nn.hog import hog, num_features
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Features, Image, Plan


def examples(classes: list[int], count: int = 60, features: int = 5) -> tuple[torch.Tensor, torch.Tensor]:
    """Clouds that overlap, so that margins are violated."""
    generator = torch.Generator().manual_seed(0)
    labels = torch.tensor(classes)[torch.arange(count) % len(classes)]
    middles = 1.2 * torch.randn(max(classes) + 1, features, generator=generator)
    return middles[labels] + torch.randn(count, features, generator=generator), labels


class Examples(InMemorySource):
    """The examples as they are."""

    def __init__(self, x: torch.Tensor, labels: torch.Tensor, num_classes: int) -> None:
        names = tuple(f"x{i}" for i in range(x.shape[1]))
        inputs = Image(*x.shape[1:]) if x.dim() == 4 else Features(names)
        spec = ClassificationSpec(inputs, tuple(map(str, range(num_classes))))
        super().__init__(spec, {"train": x}, {"train": labels}, FeaturesEncoding.unchanged(names))


def build(x: torch.Tensor, labels: torch.Tensor, num_classes: int, *, model: KernelSVM, **fields: object) -> SVM:
    config = ALGORITHMS.parse({"name": "svm", **fields}, "algorithm")
    return config.build(model, CrossEntropy(), Examples(x, labels, num_classes), Plan(seed=1, steps=9, batch_size=8))


@pytest.mark.promise("R14")
@pytest.mark.parametrize("classes", [[0, 1], [0, 1, 2], [0, 1, 2, 3, 4]])
@pytest.mark.parametrize(("C", "gamma"), [(1.0, "scale"), (30.0, 0.2)])
def test_decisions_equal_scikit_learns(classes, C, gamma) -> None:
    x, labels = examples(classes)
    training = build(x, labels, len(classes), model=KernelSVM(5, len(classes), gamma=gamma), C=C)
    training.step()
    theirs = SVC(C=C, gamma=gamma).fit(x.double().numpy(), labels.numpy())
    new = 1.5 * torch.randn(200, 5, generator=torch.Generator().manual_seed(3))
    ours, expected = training.model(new).numpy(), theirs.decision_function(new.double().numpy())
    decided = ours if len(classes) > 2 else training.model.decisions(new)[:, 1, 0].numpy()
    np.testing.assert_allclose(decided, expected, rtol=1e-4, atol=1e-4)
    verified("network", "kernel_svm", "scikit-learn's SVC, which also solves", "outputs", decided, expected)
    assert (ours.argmax(1) == expected.argmax(1) if len(classes) > 2 else (expected > 0) == ours.argmax(1)).all()
    assert int(training.model.counts.sum()) == len(theirs.support_)


@pytest.mark.promise("R14")
def test_histograms_are_what_is_compared() -> None:
    labels = torch.arange(40) % 3
    x = torch.randn(40, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    x[labels == 1] *= torch.linspace(0, 3, 9)
    x[labels == 2] *= torch.linspace(0, 3, 9).view(-1, 1)
    training = build(x, labels, 3, model=KernelSVM(num_features(9, 9, 4), 3, cell=4))
    training.step()
    described = hog(x, 4).flatten(1)
    theirs = SVC().fit(described.double().numpy(), labels.numpy())
    expected = theirs.decision_function(described.double().numpy())
    np.testing.assert_allclose(training.model(x).numpy(), expected, rtol=1e-4, atol=1e-4)


def test_ties_go_to_the_lower_class_as_in_scikit_learn() -> None:
    """Two points at one place, of two classes, speak for neither; `predict`, which differs there, is not the oracle."""
    x, labels = torch.tensor([[0.0], [0.0], [5.0], [5.0]]), torch.tensor([0, 1, 2, 2])
    training = build(x, labels, 3, model=KernelSVM(1, 3, gamma=0.5))
    training.step()
    expected = SVC(gamma=0.5).fit(x.double().numpy(), labels.numpy()).decision_function(x.double().numpy())
    np.testing.assert_allclose(training.model(x).numpy(), expected, rtol=1e-4, atol=1e-4)  # a vote is a whole 1
    assert expected.argmax(1).tolist() == [0, 0, 2, 2]


@pytest.mark.parametrize("present", [[0, 2, 3], [1, 2], [3, 4]])
def test_a_class_without_an_example_is_never_answered(present) -> None:
    x, labels = examples(present)
    training = build(x, labels, 5, model=KernelSVM(5, 5))
    training.step()
    theirs = SVC().fit(x.double().numpy(), labels.numpy())
    new = 2 * torch.randn(300, 5, generator=torch.Generator().manual_seed(3))
    decisions = theirs.decision_function(new.double().numpy())
    best = decisions.argmax(1) if len(present) > 2 else (decisions > 0).astype(int)
    assert training.model(new).argmax(1).tolist() == np.array(present)[best].tolist()


def test_later_steps_change_nothing_and_it_is_said_what_was_found() -> None:
    x, labels = examples([0, 1, 2])
    training = build(x, labels, 3, model=KernelSVM(5, 3))
    value = training.step()
    assert value.count == 8
    before = {key: tensor.clone() for key, tensor in training.model.state_dict().items()}
    training.step()
    assert all(torch.equal(tensor, before[key]) for key, tensor in training.model.state_dict().items())
    support = len(SVC().fit(x.double().numpy(), labels.numpy()).support_)
    gamma = 1 / (5 * float(x.double().var(correction=0)))
    assert training.finish() == [
        f"Support vector machine: {support} of 60 training examples are support vectors, gamma {gamma:.3g}, C 1."
    ]


@pytest.mark.promise("R1")
@pytest.mark.parametrize("stop", [0, 1, 7, 8, 13])
def test_stop_and_resume_equals_uninterrupted(stop) -> None:
    def fresh() -> SVM:
        return build(*examples([0, 1, 2]), 3, model=KernelSVM(5, 3))

    whole, first, second = fresh(), fresh(), fresh()
    losses = [whole.step().total.item() for _ in range(14)]
    for _ in range(stop):
        first.step()
    second.model.load_state_dict(first.model.state_dict())
    second.load_state_dict(first.state_dict())
    assert [second.step().total.item() for _ in range(14 - stop)] == losses[stop:]
    assert all(torch.equal(a, b) for a, b in zip(second.model.parameters(), whole.model.parameters(), strict=True))
    assert second.state_dict() == whole.state_dict() == {"step": 14}
    assert second.finish() == whole.finish()


@pytest.mark.promise("R5")
def test_data_that_is_not_finite_is_refused() -> None:
    x, labels = examples([0, 1])
    x[4, 1] = float("nan")
    with pytest.raises(DivergedError, match=r"step 0: an input of the training split is not finite; mend that value"):
        build(x, labels, 2, model=KernelSVM(5, 2)).step()


def test_what_does_not_fit_is_refused() -> None:
    config = ALGORITHMS.parse("svm", "algorithm")
    x, labels = examples([0, 1])
    source, plan = Examples(x, labels, 2), Plan(seed=0, steps=1, batch_size=4)
    with pytest.raises(InputError, match="svm is for kernel machines, not MLP; use model=kernel_svm"):
        config.build(MLP(5, [], 2), CrossEntropy(), source, plan)
    with pytest.raises(InputError, match=r"no parameter of KernelSVM takes a gradient \(.* algorithm=svm\)"):
        ALGORITHMS.parse("supervised", "algorithm").build(KernelSVM(5, 2), CrossEntropy(), source, plan)
    with pytest.raises(InputError, match="svm tells classes apart, and the training split has one"):
        build(x, labels * 0, 2, model=KernelSVM(5, 2)).step()
    object.__setattr__(plan, "processes", SimpleNamespace(rank=0, count=2))
    with pytest.raises(InputError, match=r"svm solves in one process, not 2; use runtime.processes=1"):
        config.build(KernelSVM(5, 2), CrossEntropy(), source, plan)
    source.spec = RegressionSpec(Features(tuple("abcde")), ("u",), (0.0,), (1.0,))
    with pytest.raises(InputError, match="svm is for classification"):
        config.build(KernelSVM(5, 2), CrossEntropy(), source, plan)


@pytest.mark.parametrize("features", ["pixels", "hog"])
def test_a_run_is_scored_saved_opened_and_predicts(features, tmp_path) -> None:
    changes = {"model": "kernel_svm", "model.features": features, "algorithm": "svm", "budget.steps": 2}
    run = ff.run("digits-mlp", overrides=changes, workspace=tmp_path)
    assert run.metrics["test"]["accuracy"] > 0.9
    opened = ff.open_run(run.folder.path)
    x, again = torch.randn(3, 1, 8, 8), torch.get_rng_state()
    assert torch.equal(opened.model(x), run.model(x))
    assert torch.equal(again, torch.get_rng_state())
    assert "training examples are support vectors" in run.findings[0]
    assert run.result["params"] == sum(p.numel() for p in run.model.parameters()) > 100
