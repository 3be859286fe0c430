import pytest
import torch
from torch import nn
from verification import verified

from fourfold.models import LinearRegression, Perceptron, SoftmaxRegression

GATES = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


@pytest.mark.promise("R14")
@pytest.mark.parametrize(
    ("name", "kind"),
    [("linear_regression", LinearRegression), ("softmax_regression", SoftmaxRegression), ("perceptron", Perceptron)],
)
def test_scores_equal_torchs_linear_layer_with_copied_weights(name, kind) -> None:
    model, theirs = kind(6, 3).double(), nn.Linear(6, 3).double()
    model.load_state_dict(theirs.state_dict())
    x = torch.randn(5, 3, 2, dtype=torch.float64)
    outputs = model(x), theirs(x.flatten(1))
    torch.testing.assert_close(*outputs)
    grads = [
        torch.autograd.grad(output.square().sum(), network.parameters())
        for output, network in zip(outputs, (model, theirs), strict=True)
    ]
    torch.testing.assert_close(*grads)
    verified("network", name, "torch's Linear", "outputs", *outputs)
    verified("network", name, "torch's Linear", "gradients", *grads)


def test_weights_start_at_zero() -> None:
    for model in (LinearRegression(2), SoftmaxRegression(2, 3), Perceptron(2, 2)):
        assert not any(param.any() for param in model.parameters())


@pytest.mark.parametrize(
    ("weight", "bias", "fires"),
    [([1.0, 1.0], -1.5, [0, 0, 0, 1]), ([1.0, 1.0], -0.5, [0, 1, 1, 1]), ([-1.0, 0.0], 0.5, [1, 1, 0, 0])],
    ids=["AND", "OR", "NOT x1"],
)
def test_one_unit_computes_a_gate(weight, bias, fires) -> None:
    model = Perceptron(2, 2)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([weight]))
        model.bias.fill_(bias)
    assert model.predict(GATES).flatten().tolist() == fires
    assert model(GATES).argmax(1).tolist() == fires


def test_two_classes_share_one_unit_and_more_have_one_each() -> None:
    assert Perceptron(4, 2).weight.shape == (1, 4)
    assert Perceptron(4, 3).weight.shape == (3, 4)
    assert Perceptron(4, 2)(torch.zeros(5, 4)).shape == (5, 2)


def test_at_the_threshold_a_unit_does_not_fire_and_the_first_class_is_said() -> None:
    model = Perceptron(2, 2)
    assert model.predict(GATES).tolist() == [[0.0]] * 4
    assert model(GATES).argmax(1).tolist() == [0] * 4


def test_of_several_units_the_largest_score_decides() -> None:
    model = Perceptron(2, 3)
    with torch.no_grad():
        model.bias.copy_(torch.tensor([1.0, 3.0, 2.0]))
    assert model.predict(GATES[:1]).tolist() == [[1.0, 1.0, 1.0]]
    assert model(GATES[:1]).argmax(1).tolist() == [1]


def test_softmax_regression_reaches_scikit_learns_optimum() -> None:
    from sklearn.linear_model import LogisticRegression

    generator = torch.Generator().manual_seed(0)
    x = torch.randn(80, 2, generator=generator, dtype=torch.float64)
    labels = (
        (x @ torch.tensor([[1.0, -1.0, 0.0], [0.5, 0.5, -1.0]]).double())
        .add(torch.randn(80, 3, generator=generator))
        .argmax(1)
    )
    model = SoftmaxRegression(2, 3).double()
    for _ in range(3000):
        model.zero_grad()
        nn.functional.cross_entropy(model(x), labels).backward()
        with torch.no_grad():
            for param in model.parameters():
                param -= 1.0 * param.grad
    theirs = LogisticRegression(C=1e10, tol=1e-10, max_iter=10_000).fit(x.numpy(), labels.numpy())
    torch.testing.assert_close(
        model(x).softmax(1).detach(), torch.from_numpy(theirs.predict_proba(x.numpy())), atol=1e-4, rtol=1e-3
    )
