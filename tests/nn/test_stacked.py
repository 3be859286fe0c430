"""Each network of a stack computes what it computes alone, and so does each loss: values and gradients."""

import pytest
import torch
from torch import nn

from fourfold.losses import LOSSES
from fourfold.models import MODELS
from fourfold.nn.stacked import (
    HasStackedForward,
    HasStackedGradients,
    HasTotals,
    HasTotalsAndGradient,
    forward_stacked,
    stacked_gradient,
    totals_stacked,
)
from fourfold.tasks.classification import ClassificationSpec
from fourfold.tasks.probabilistic_regression import ProbabilisticRegressionSpec
from fourfold.tasks.regression import RegressionSpec
from fourfold.tasks.seam import Batch, Features, Image, Spec

STACK = 3
PICTURES = ClassificationSpec(Image(1, 28, 28), tuple("0123456789"))
CLASSES = ClassificationSpec(Features(("a", "b", "c", "d")), ("x", "y", "z"), (50, 10, 1))
NUMBERS = RegressionSpec(Features(("a", "b", "c", "d")), ("u", "v"), (0.0, 0.0), (1.0, 1.0))
DISTRIBUTIONS = ProbabilisticRegressionSpec(Features(("a", "b")), ("u", "v"), (0.0, 0.0), (1.0, 1.0))
MODEL_SPECS: dict[str, Spec] = {
    "linear_regression": NUMBERS,
    "perceptron": CLASSES,
    "softmax_regression": CLASSES,
    "mlp": CLASSES,
    "lenet5": PICTURES,
}
TOO_LARGE = {
    "naive_sequence",
    "ar",
    "latent_ar",
    "seq2seq",
    "markov",
    "transformer",
    "gpt",
    "bert",
    "rnn",
    "lstm",
    "gru",
    "alexnet",
    "nin",
    "vgg",
    "resnet",
    "resnet_cifar",
    "densenet",
    "densenet_cifar",
    "googlenet",
    "kernel_svm",  # solved, not trained
    "gan",  # two players
    "dcgan",
    "simclr",
    "dqn_2013",
    "dqn_2015",
    "dqn_minatar",
    "dueling_mlp",
}  # to be trained as a stack
LOSS_SPECS: dict[str, Spec] = {
    **dict.fromkeys(["mse", "mae", "huber"], NUMBERS),
    "gaussian_nll": DISTRIBUTIONS,
    **dict.fromkeys(["cross_entropy", "focal", "class_balanced", "soft_f1", "perceptron", "usual"], CLASSES),
}


def networks(name: str, **fields: object) -> list[nn.Module]:
    torch.manual_seed(0)
    config = MODELS.parse({"name": name, **fields}, "model")
    built = [config.build(MODEL_SPECS[name]) for _ in range(STACK)]  # type: ignore[attr-defined]
    for param in (p for network in built for p in network.parameters()):
        nn.init.normal_(param, std=0.3)  # some start at zero, where they could not be told apart
    return built


def assert_equal_to_each_alone(built: list[nn.Module], x: torch.Tensor) -> None:
    x = x.double()
    built = [network.double() for network in built]
    named = {
        name: torch.stack([dict(network.named_parameters())[name].detach() for network in built]).requires_grad_()
        for name, _ in built[0].named_parameters()
    }
    output = forward_stacked(built[0], named, (x,))
    output.square().sum().backward()
    for row, network in enumerate(built):
        alone = network(x[row])
        torch.testing.assert_close(output[row], alone)
        alone.square().sum().backward()
        for name, param in network.named_parameters():
            torch.testing.assert_close(named[name].grad[row], param.grad)  # type: ignore[index]


def test_every_model_and_loss_of_the_tables_is_tested_here() -> None:
    families = {name for name, entry in MODELS.items() if not entry.preset}
    assert set(MODEL_SPECS) | TOO_LARGE == families
    of_several_tensors = {"masked_and_next", "nt_xent", "minimax", "non_saturating", "td_error"}
    assert set(LOSS_SPECS) | of_several_tensors == set(LOSSES)


@pytest.mark.parametrize("name", MODEL_SPECS)
def test_each_network_of_a_stack_computes_what_it_computes_alone(name) -> None:
    shape = (1, 28, 28) if name == "lenet5" else (4,)
    assert_equal_to_each_alone(networks(name), torch.randn(STACK, 5, *shape))


@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu"])
@pytest.mark.parametrize("widths", [[], [7], [6, 5]])
def test_mlps_of_every_form_have_a_twin(activation, widths) -> None:
    built = networks("mlp", widths=widths, activation=activation)
    assert isinstance(built[0], HasStackedForward)
    assert_equal_to_each_alone(built, torch.randn(STACK, 5, 2, 2))


@pytest.mark.parametrize("name", LOSS_SPECS)
def test_each_loss_of_a_stack_is_what_it_is_alone(name) -> None:
    spec = LOSS_SPECS[name]
    loss = LOSSES.parse({"name": name}, "loss").build(spec)  # type: ignore[attr-defined]
    output = torch.randn(STACK, 6, spec.num_outputs, requires_grad=True)
    classes = isinstance(spec, ClassificationSpec)
    targets = torch.randint(0, 3, (STACK, 6)) if classes else torch.randn(STACK, 6, 2)
    totals = totals_stacked(loss, output, targets)
    (gradient,) = torch.autograd.grad(totals.sum(), output)
    for row in range(STACK):
        own = output[row].detach().requires_grad_()
        alone = loss(own, Batch((), targets[row])).total
        torch.testing.assert_close(totals[row], alone)
        torch.testing.assert_close(gradient[row], torch.autograd.grad(alone, own)[0])


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_the_twin_of_cross_entropy_knows_smoothing_and_soft_labels(smoothing) -> None:
    loss = LOSSES.parse({"name": "cross_entropy", "label_smoothing": smoothing}, "loss").build(CLASSES)  # type: ignore[attr-defined]
    assert isinstance(loss, HasTotals)
    output = torch.randn(STACK, 6, 3)
    for targets in (torch.randint(0, 3, (STACK, 6)), torch.rand(STACK, 6, 3).softmax(2)):
        alone = [loss(output[row], Batch((), targets[row])).total for row in range(STACK)]
        torch.testing.assert_close(totals_stacked(loss, output, targets), torch.stack(alone))


def assert_gradients_are_autograds(model: nn.Module, loss: nn.Module, x: torch.Tensor, targets: torch.Tensor) -> None:
    """By hand and by autograd, with memory to write to that holds something else."""
    assert isinstance(model, HasStackedGradients)
    assert isinstance(loss, HasTotalsAndGradient)
    params = {name: torch.randn(STACK, *p.shape, dtype=torch.float64) for name, p in model.named_parameters()}
    written = {name: torch.full_like(param, 7.0) for name, param in params.items()}
    totals = stacked_gradient(model, loss)(params, Batch((x,), targets), written)  # type: ignore[arg-type]
    leaves = {name: param.clone().requires_grad_() for name, param in params.items()}
    expected = totals_stacked(loss, forward_stacked(model, leaves, (x,)), targets)  # type: ignore[arg-type]
    torch.testing.assert_close(totals, expected.detach())
    for (name, grad), other in zip(
        written.items(), torch.autograd.grad(expected.sum(), list(leaves.values())), strict=True
    ):
        torch.testing.assert_close(grad, other, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh", "relu", "leaky_relu", "gelu"])
@pytest.mark.parametrize("widths", [[], [7], [6, 5]])
def test_backpropagation_by_hand_gives_autograds_gradients(activation, widths) -> None:
    (model, *_) = networks("mlp", widths=widths, activation=activation)
    loss = LOSSES.parse("cross_entropy", "loss").build(CLASSES)  # type: ignore[attr-defined]
    x, targets = torch.randn(STACK, 5, 2, 2).double(), torch.randint(0, 3, (STACK, 5))
    assert_gradients_are_autograds(model, loss, x, targets)


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropys_gradient_by_hand_is_autograds(smoothing, soft) -> None:
    (model, *_) = networks("softmax_regression")
    loss = LOSSES.parse({"name": "cross_entropy", "label_smoothing": smoothing}, "loss").build(CLASSES)  # type: ignore[attr-defined]
    targets = torch.rand(STACK, 5, 3).double() if soft else torch.randint(0, 3, (STACK, 5))
    assert_gradients_are_autograds(model, loss, torch.randn(STACK, 5, 4).double(), targets)


def test_squared_errors_gradient_by_hand_is_autograds() -> None:
    (model, *_) = networks("linear_regression")
    loss = LOSSES.parse("mse", "loss").build(NUMBERS)  # type: ignore[attr-defined]
    assert_gradients_are_autograds(model, loss, torch.randn(STACK, 5, 4).double(), torch.randn(STACK, 5, 2).double())
