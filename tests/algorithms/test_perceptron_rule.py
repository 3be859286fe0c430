from itertools import cycle
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest
import torch
from sklearn.linear_model import Perceptron as SklearnPerceptron
from torch import Tensor

from fourfold.algorithms import ALGORITHMS
from fourfold.algorithms.perceptron_rule import PerceptronRule
from fourfold.core.errors import DivergedError, InputError
from fourfold.data.gates import GatesConfig
from fourfold.losses import CrossEntropy, PerceptronCriterion
from fourfold.models import MLP, Perceptron, SoftmaxRegression
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.processes import OneProcess
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Features, Order, Plan, Source

GATES = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
AND, OR, XOR = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 1, 1]), torch.tensor([0, 1, 1, 0])


class InOrder(Source):
    """Examples in the order given, over and over, as scikit-learn takes them without shuffling."""

    def __init__(self, inputs: Tensor, labels: Tensor) -> None:
        self.inputs, self.labels = inputs, labels
        names = tuple(f"x{i}" for i in range(inputs.shape[1]))
        self.spec = ClassificationSpec(Features(names), tuple(f"class {k}" for k in range(int(labels.max()) + 1)))
        self.sizes = {"train": len(labels)}
        self.notes = []

    def train(self, order: Order) -> "InOrderStream":
        return InOrderStream(list(self.split("train", order.batch_size)))

    def split(self, name: str, batch_size: int) -> Iterator[Batch]:
        for x, y in zip(self.inputs.split(batch_size), self.labels.split(batch_size), strict=True):
            yield Batch((x,), y)

    def raw(self, name: str, indices: list[int]) -> Tensor:
        return self.inputs[indices]

    def to(self, device: torch.device) -> "InOrder":
        return self


class InOrderStream:
    def __init__(self, batches: list[Batch]) -> None:
        self.batches = batches
        self.seek(0)

    def seek(self, step: int) -> None:
        start = step % len(self.batches)
        self.rest = cycle(self.batches[start:] + self.batches[:start])

    def __iter__(self) -> "InOrderStream":
        return self

    def __next__(self) -> Batch:
        return next(self.rest)


def rule(source: InOrder, batch_size: int = 1, lr: float = 1.0, model: Perceptron | None = None) -> PerceptronRule:
    model = model or Perceptron(source.inputs.shape[1], source.spec.num_classes).to(source.inputs.dtype)
    plan = Plan(seed=0, steps=1000, batch_size=batch_size)
    return ALGORITHMS.parse({"name": "perceptron_rule", "lr": lr}, "algorithm").build(
        model, PerceptronCriterion(), source, plan
    )


def train(training: PerceptronRule, steps: int) -> Perceptron:
    for _ in range(steps):
        training.step()
    return training.model


def cloud(classes: int, count: int = 60) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(classes)
    centres = 1.5 * torch.randn(classes, 3, generator=generator, dtype=torch.float64)
    labels = torch.randint(0, classes, (count,), generator=generator)
    return centres[labels] + torch.randn(count, 3, generator=generator, dtype=torch.float64), labels


@pytest.mark.promise("R14")
@pytest.mark.parametrize("classes", [2, 4])
@pytest.mark.parametrize("batch_size", [1, 7])
@pytest.mark.parametrize("epochs", [1, 5])
def test_weights_equal_scikit_learns(classes, batch_size, epochs) -> None:
    """From random weights: at a score of exactly zero scikit-learn corrects even where the rule says right."""
    inputs, labels = cloud(classes)
    source = InOrder(inputs, labels)
    model = Perceptron(3, classes).double()
    torch.manual_seed(0)
    for param in model.parameters():
        torch.nn.init.normal_(param)
    theirs = SklearnPerceptron(eta0=1.0, shuffle=False, max_iter=epochs, tol=None)
    theirs.fit(
        inputs.numpy(),
        labels.numpy(),
        coef_init=model.weight.detach().numpy().copy(),
        intercept_init=model.bias.detach().numpy().copy(),
    )
    train(rule(source, batch_size, model=model), epochs * -(-60 // batch_size))
    np.testing.assert_allclose(model.weight.detach(), theirs.coef_, rtol=1e-9)
    np.testing.assert_allclose(model.bias.detach(), theirs.intercept_, rtol=1e-9)


def test_two_steps_by_hand() -> None:
    training = rule(InOrder(torch.tensor([[1.0, 2.0], [3.0, 1.0]]), torch.tensor([1, 0])), lr=0.5)
    model = train(training, 1)  # s = 0 does not fire, but should: + 0.5 x
    assert (model.weight.tolist(), model.bias.tolist()) == ([[0.5, 1.0]], [0.5])
    train(training, 1)  # s = 1.5 + 1 + 0.5 fires, but should not: - 0.5 x
    assert (model.weight.tolist(), model.bias.tolist()) == ([[-1.0, 0.5]], [0.0])
    train(training, 1)  # s = -1 + 1 + 0 = 0 does not fire, but should
    assert (model.weight.tolist(), model.bias.tolist()) == ([[-0.5, 1.5]], [0.5])
    assert training.corrections == 3


@pytest.mark.parametrize("labels", [AND, OR], ids=["and", "or"])
@pytest.mark.parametrize("batch_size", [1, 3, 4])
def test_and_and_or_are_learnt_exactly_and_said_to_be(labels, batch_size) -> None:
    training = rule(InOrder(GATES, labels), batch_size)
    model = train(training, 80)
    assert model(GATES).argmax(1).tolist() == labels.tolist()
    assert model.predict(GATES).flatten().tolist() == labels.tolist()
    [finding] = training.finish()
    assert finding.startswith(f"Converged: all 4 training examples are right after {training.corrections} changes")
    before = training.corrections
    train(training, 40)
    assert training.corrections == before > 0


def test_xor_is_never_learnt_and_the_reason_is_given() -> None:
    training = rule(InOrder(GATES, XOR))
    model = train(training, 4)
    for _ in range(100):
        assert (model(GATES).argmax(1) != XOR).any()
        before = training.corrections
        train(training, 4)
        assert training.corrections > before
    [finding] = training.finish()
    assert finding.startswith("No straight line separates these classes (the linear program has no solution)")
    assert "at least 1 of 4 examples stays wrong whatever the weights" in finding
    assert finding.endswith("A hidden layer can: try model=mlp with algorithm=supervised.")


def test_separable_but_unfinished_says_so() -> None:
    training = rule(InOrder(GATES, AND))
    train(training, 4)  # the only change is at (1, 1): w = (1, 1), b = 1, so every row fires
    [finding] = training.finish()
    assert finding == (
        "3 of 4 training examples are still wrong, though a straight line separates the classes "
        "(the linear program has a solution): train longer."
    )


def test_of_several_classes_the_one_that_no_plane_separates_is_named() -> None:
    inputs = torch.tensor([[0.0], [1.0], [2.0]])
    training = rule(InOrder(inputs, torch.tensor([0, 1, 2])))
    train(training, 300)
    [finding] = training.finish()
    assert finding.startswith("No point separates 'class 1' from the other classes")
    assert "at least 1 of 3 examples stays wrong in its unit" in finding


def test_equal_inputs_of_different_classes_are_beyond_any_model() -> None:
    inputs = torch.cat([GATES, GATES[:1]])
    training = rule(InOrder(inputs, torch.tensor([0, 0, 0, 1, 1])))
    train(training, 50)
    assert training.finish()[0].endswith("For 1 of them no model can help: equal inputs, different classes.")


def test_too_much_data_is_left_undecided(monkeypatch) -> None:
    monkeypatch.setattr("fourfold.algorithms.perceptron_rule.MOST_LOOKED_AT", 7)
    training = rule(InOrder(GATES, XOR))
    train(training, 4)
    assert "is not decided" in training.finish()[0]


def test_the_loss_is_the_batchs_before_the_first_correction() -> None:
    inputs, labels = cloud(2)
    training = rule(InOrder(inputs, labels), batch_size=10)
    train(training, 2)
    expected = PerceptronCriterion()(training.model(inputs[20:30]), labels[20:30])
    value = training.step()
    assert value.total.item() == expected.total.item() > 0
    assert value.count == 10


@pytest.mark.promise("R1")
@pytest.mark.parametrize("gate", ["and", "xor"])
@pytest.mark.parametrize("stop", range(1, 40, 3))
def test_stop_and_resume_equals_uninterrupted(stop, gate) -> None:
    source = GatesConfig(gate=gate).build(0, Path())  # shuffled anew each epoch
    plan = Plan(seed=3, steps=40, batch_size=3)
    config = ALGORITHMS.parse("perceptron_rule", "algorithm")

    def fresh() -> PerceptronRule:
        return config.build(Perceptron(2, 2), PerceptronCriterion(), source, plan)

    whole = fresh()
    losses = [whole.step().total.item() for _ in range(40)]
    first = fresh()
    for _ in range(stop):
        first.step()
    second = fresh()
    second.model.load_state_dict(first.model.state_dict())
    second.load_state_dict(first.state_dict())
    assert [second.step().total.item() for _ in range(40 - stop)] == losses[stop:]
    assert torch.equal(second.model.weight, whole.model.weight)
    assert torch.equal(second.model.bias, whole.model.bias)
    assert second.gauges() == whole.gauges()
    assert second.state_dict() == whole.state_dict()
    assert second.finish() == whole.finish()


def test_weights_that_end_at_zero_are_why_a_loss_is_zero_though_examples_are_wrong() -> None:
    training = rule(InOrder(torch.ones(2, 1), torch.tensor([1, 0])))  # what the first adds the second takes away
    train(training, 2)
    assert training.model.weight.abs().sum() + training.model.bias.abs().sum() == 0
    inputs, labels = torch.ones(2, 1), torch.tensor([1, 0])
    assert PerceptronCriterion()(training.model(inputs), Batch((inputs,), labels)).total == 0
    assert ["every score is 0" in finding for finding in training.finish()] == [False, True]
    training = rule(InOrder(GATES, XOR))
    train(training, 4)
    assert training.model.weight.abs().sum() > 0
    assert not any("every score is 0" in finding for finding in training.finish())


@pytest.mark.promise("R5")
def test_a_value_that_is_not_finite_stops_before_the_update() -> None:
    inputs = torch.cat([GATES, torch.tensor([[float("nan"), 0.0]])])
    training = rule(InOrder(inputs, torch.tensor([0, 0, 0, 1, 1])))
    train(training, 4)
    before = training.model.weight.clone()
    with pytest.raises(DivergedError, match="step 4: input 0 of the batch is not finite in example 0"):
        training.step()
    assert torch.equal(training.model.weight, before)


def test_what_does_not_fit_is_refused() -> None:
    config = ALGORITHMS.parse("perceptron_rule", "algorithm")
    source, plan = InOrder(GATES, AND), Plan(seed=0, steps=1, batch_size=1)
    for model in (MLP(2, [3], 2), SoftmaxRegression(2, 2)):
        with pytest.raises(InputError, match=f"{type(model).__name__} has none; use model=perceptron"):
            config.build(model, CrossEntropy(), source, plan)
    two = OneProcess()
    two.count = 2
    with pytest.raises(InputError, match=r"runtime\.processes=1"):
        config.build(Perceptron(2, 2), CrossEntropy(), source, Plan(seed=0, steps=1, batch_size=1, processes=two))
    source.spec = RegressionSpec(Features(("a", "b")), ("y",), (0.0,), (1.0,))
    with pytest.raises(InputError, match="perceptron_rule is for classification"):
        config.build(Perceptron(2, 2), CrossEntropy(), source, plan)
