"""What holds for each loss: gradients, exact sums over ragged splits, both ways to call it, its place in a recipe."""

import pytest
import torch
from torch import Tensor

from fourfold import losses
from fourfold.core.errors import InputError
from fourfold.losses import LOSSES
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Features

INPUT = Features(("a", "b"))
CLASSES = ClassificationSpec(INPUT, ("x", "y", "z"), (50, 10, 1))
NUMBERS = RegressionSpec(INPUT, ("u", "v"), (0.0, 0.0), (1.0, 1.0))
DISTRIBUTIONS = ProbabilisticRegressionSpec(INPUT, ("u", "v"), (0.0, 0.0), (1.0, 1.0))
SPECS = {
    "mse": NUMBERS,
    "mae": NUMBERS,
    "huber": NUMBERS,
    "gaussian_nll": DISTRIBUTIONS,
    **dict.fromkeys(["cross_entropy", "focal", "class_balanced", "soft_f1", "perceptron"], CLASSES),
}
FIELDS = {
    "cross_entropy": {"label_smoothing": 0.1},
    "focal": {"gamma": 0.5, "alpha": [0.2, 0.3, 0.5]},
    "class_balanced": {"gamma": 1.5},
    "huber": {"delta": 0.7},
}
CLASSIFY = sorted(name for name, spec in SPECS.items() if spec is CLASSES)
REGRESS = sorted(set(SPECS) - set(CLASSIFY))


def build(name: str) -> losses.CrossEntropy:
    return LOSSES.parse({"name": name, **FIELDS.get(name, {})}, "loss").build(SPECS[name]).double()


def examples(name: str, count: int = 11, soft: bool = False) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(3)
    output = torch.randn(count, SPECS[name].num_outputs, generator=generator, dtype=torch.float64)
    if SPECS[name] is not CLASSES:
        return output, torch.randn(count, 2, generator=generator, dtype=torch.float64)
    hard = torch.randint(0, 3, (count,), generator=generator)
    mixed = torch.rand(count, 3, generator=generator, dtype=torch.float64)
    return output, mixed / mixed.sum(1, keepdim=True) if soft else hard


OWN = {"nt_xent", "masked_and_next"}  # whose outputs and targets are several tensors: test_masked_and_next.py
OWN |= {"minimax", "non_saturating"}  # of two players: test_two_player_losses.py


OWN |= {"td_error"}  # of actions that were taken: test_td_error.py


def test_every_loss_of_the_table_is_tested_here() -> None:
    assert {*SPECS, *OWN, "usual"} == {*LOSSES, "usual"}  # `usual` only chooses among them


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", SPECS)
def test_gradient(name) -> None:
    output, targets = examples(name)
    loss = build(name)
    assert torch.autograd.gradcheck(lambda o: loss(o, targets).total, output.requires_grad_())


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", CLASSIFY)
def test_gradient_for_soft_labels(name) -> None:
    output, targets = examples(name, soft=True)
    loss = build(name)
    assert torch.autograd.gradcheck(lambda o: loss(o, targets).total, output.requires_grad_())


@pytest.mark.promise("R13")
@pytest.mark.parametrize("name", [name for name in SPECS if name != "soft_f1"])
def test_a_ragged_split_adds_up_to_the_whole(name) -> None:
    output, targets = examples(name)
    loss = build(name)
    whole = loss(output, targets)
    pieces = [loss(o, t) for o, t in zip(output.split(4), targets.split(4), strict=True)]
    assert len({piece.count for piece in pieces}) == 2  # the last one is smaller
    assert sum(piece.count for piece in pieces) == whole.count
    torch.testing.assert_close(sum(piece.total for piece in pieces), whole.total, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", CLASSIFY)
def test_certain_soft_labels_are_hard_labels(name) -> None:
    output, targets = examples(name)
    loss = build(name)
    certain = torch.nn.functional.one_hot(targets, 3).double()
    torch.testing.assert_close(loss(output, certain).total, loss(output, targets).total, rtol=1e-12, atol=0)


@pytest.mark.parametrize("name", sorted(set(CLASSIFY) - {"soft_f1"}))
def test_soft_labels_average_hard_ones(name) -> None:
    output, targets = examples(name, soft=True)
    loss = build(name)
    hard = [[loss(output[i : i + 1], torch.tensor([k])).total for k in range(3)] for i in range(len(output))]
    expected = sum(float(targets[i, k]) * hard[i][k] for i in range(len(output)) for k in range(3))
    torch.testing.assert_close(loss(output, targets).total, expected, rtol=1e-10, atol=0)


@pytest.mark.parametrize("name", SPECS)
def test_a_batch_and_its_targets_give_the_same(name) -> None:
    output, targets = examples(name)
    loss = build(name)
    assert torch.equal(loss(output, Batch((), targets)).total, loss(output, targets).total)
    assert loss(output, targets).count == 11


@pytest.mark.parametrize("name", SPECS)
def test_half_precision_outputs_are_summed_in_float32(name) -> None:
    output, targets = examples(name, count=700)
    targets = targets.float() if targets.is_floating_point() else targets
    half, loss = output.bfloat16(), build(name).float()
    assert torch.equal(loss(half, targets).total, loss(half.float(), targets).total)
    assert loss(half, targets).total.dtype == torch.float32


@pytest.mark.parametrize("name", SPECS)
def test_the_wrong_task_is_refused(name) -> None:
    config = LOSSES.parse(name, "loss")
    for spec in (NUMBERS, DISTRIBUTIONS, CLASSES):
        if spec is not SPECS[name]:
            with pytest.raises(InputError, match=f"{name} is for {SPECS[name].task}, but this data poses {spec.task}"):
                config.build(spec)


@pytest.mark.parametrize("name", REGRESS)
def test_shapes_that_would_broadcast_are_refused(name) -> None:
    output, _ = examples(name)
    with pytest.raises(InputError, match="same shape"):
        build(name)(output, torch.zeros(11, dtype=torch.float64))


@pytest.mark.parametrize("name", SPECS)
def test_every_class_is_exported_and_stands_alone(name) -> None:
    cls = type(build(name))
    assert getattr(losses, cls.__name__) is cls
    assert set(losses._EXPORTS) - {"TDError"} == {
        *(type(build(each)).__name__ for each in SPECS),
        *("MaskedAndNext", "Minimax", "NonSaturating", "NTXent"),
    }


SET = [
    ({"name": "cross_entropy", "label_smoothing": 0.3}, losses.CrossEntropy(0.3)),
    ({"name": "focal", "gamma": 0.5, "alpha": [0.2, 0.3, 0.5]}, losses.Focal(0.5, [0.2, 0.3, 0.5])),
    ({"name": "class_balanced", "beta": 0.9, "gamma": 1.5}, losses.ClassBalanced((50, 10, 1), 0.9, 1.5)),
    ({"name": "huber", "delta": 0.2}, losses.Huber(0.2)),
    ({"name": "gaussian_nll", "eps": 0.9}, losses.GaussianNLL(0.9)),
]


@pytest.mark.parametrize(("fields", "made"), SET, ids=[fields["name"] for fields, _ in SET])
def test_every_field_of_a_recipe_reaches_the_loss(fields, made) -> None:
    output, targets = examples(fields["name"])

    def value(given: dict) -> Tensor:
        return LOSSES.parse(given, "loss").build(SPECS[fields["name"]]).double()(output, targets).total

    assert set(fields) == set(type(LOSSES.parse(fields, "loss")).model_fields)
    torch.testing.assert_close(value(fields), made.double()(output, targets).total)
    for left_out in set(fields) - {"name"}:
        assert value({k: v for k, v in fields.items() if k != left_out}) != value(fields)  # it matters


def test_every_loss_with_fields_is_among_them() -> None:
    with_fields = {name for name in SPECS if set(type(LOSSES.parse(name, "loss")).model_fields) != {"name"}}
    assert with_fields == {fields["name"] for fields, _ in SET}
