import pytest
import torch
from torch.nn import functional as F
from verification import verified

from fourfold.nn.activations import (
    SATURATED,
    SCALAR,
    is_saturated,
    make_activation,
    sigmoid_derivative,
    softmax,
    softmax_derivative,
)

X = torch.cat([torch.linspace(-8, 8, 401, dtype=torch.float64), torch.tensor([0.0, 1e-9, -1e-9, 40.0, -40.0])])


@pytest.mark.parametrize("name", SCALAR)
def test_values_equal_torchs(name) -> None:
    torch.testing.assert_close(SCALAR[name].value(X), getattr(F, name)(X))
    torch.testing.assert_close(make_activation(name)(X), SCALAR[name].value(X))
    verified("layer", name, "torch's function", "outputs", SCALAR[name].value(X), getattr(F, name)(X))


@pytest.mark.promise("R14")
@pytest.mark.parametrize("name", SCALAR)
def test_derivatives_equal_autograd_at_the_kink_too(name) -> None:
    x = X.clone().requires_grad_()
    [expected] = torch.autograd.grad(getattr(F, name)(x).sum(), x)
    verified("layer", name, "torch's function", "gradients", SCALAR[name].derivative(X), expected)
    torch.testing.assert_close(SCALAR[name].derivative(X), expected, rtol=1e-10, atol=1e-15)


@pytest.mark.promise("R14")
def test_the_derivative_of_softmax_is_autograds_jacobian() -> None:
    x = torch.randn(3, 4, dtype=torch.float64)
    torch.testing.assert_close(softmax(x), F.softmax(x, dim=-1))
    jacobians = torch.stack([torch.autograd.functional.jacobian(lambda row: F.softmax(row, 0), row) for row in x])
    verified("layer", "softmax", "torch's function", "outputs", softmax(x), F.softmax(x, dim=-1))
    verified("layer", "softmax", "torch's function", "gradients", softmax_derivative(x), jacobians)
    for row, ours in zip(x, softmax_derivative(x), strict=True):
        torch.testing.assert_close(ours, torch.autograd.functional.jacobian(softmax, row))
    torch.testing.assert_close(softmax_derivative(x).sum(-1), torch.zeros(3, 4, dtype=torch.float64))


def test_the_sigmoids_derivative_is_at_most_a_quarter() -> None:
    assert sigmoid_derivative(X).max().item() == 0.25
    assert sigmoid_derivative(torch.tensor(0.0)).item() == 0.25


def test_tanh_is_a_stretched_sigmoid() -> None:
    torch.testing.assert_close(SCALAR["tanh"].value(X), 2 * SCALAR["sigmoid"].value(2 * X) - 1)


def test_saturation_is_a_small_derivative_of_either_sign() -> None:
    assert is_saturated(torch.tensor([0.0, 0.04, -0.04, SATURATED, 0.06, -0.06])).tolist() == [1, 1, 1, 0, 0, 0]


def test_identity_changes_nothing() -> None:
    assert make_activation("identity")(X) is X
