import math

import pytest
import torch
from torch import nn

from fourfold.run.views.effective_field import EFFECTIVE, effective_fields, effective_size
from fourfold.run.views.layers import stages
from fourfold.run.views.receptive_field import theoretical_fields


def test_of_a_linear_network_it_is_its_kernels_convolved() -> None:
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Conv2d(1, 1, 3, padding=1, stride=2))
    first, second = torch.tensor([1.0, 2.0, 4.0]), torch.tensor([3.0, 1.0, 2.0])
    with torch.no_grad():
        model[0].weight.copy_(first.outer(first))
        model[1].weight.copy_(second.outer(second))
    whole = [3.0, 6 + 1, 12 + 2 + 2, 4 + 4, 8]  # the coefficients of (1 + 2x + 4x^2) (3 + x + 2x^2)
    (one, near), (two, far) = effective_fields(model, torch.randn(2, 1, 9, 9))
    assert (one.name, two.name) == ("0", "1")
    expected = torch.zeros(9)
    expected[3:6] = first  # unit 4 of 9 sees pixels 3 to 5
    torch.testing.assert_close(near, expected.outer(expected))
    expected = torch.zeros(9)
    expected[2:7] = torch.tensor(whole)  # unit 2 of 5 lies at pixel 4
    torch.testing.assert_close(far, expected.outer(expected))


def test_signs_do_not_cancel_between_pictures_and_channels() -> None:
    model = nn.Sequential(nn.Conv2d(2, 1, 1), nn.Tanh())
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([1.0, -3.0]).view(1, 2, 1, 1))
        model[0].bias.zero_()
    ((_, strength),) = effective_fields(model, torch.zeros(4, 2, 3, 3))
    assert strength.tolist() == [[0, 0, 0], [0, pytest.approx(4), 0], [0, 0, 0]]


def test_nothing_lies_outside_the_theoretical_field() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.ReLU())
    x = torch.randn(3, 1, 16, 16)
    for (stage, strength), (same, field) in zip(effective_fields(model, x), theoretical_fields(model, x), strict=True):
        assert stage.name == same.name
        assert field is not None
        top, bottom = field.rows.of(stage.values.shape[2] // 2)
        left, right = field.columns.of(stage.values.shape[3] // 2)
        assert strength.shape == (16, 16)
        assert strength[top:bottom, left:right].any()
        strength[top:bottom, left:right] = 0
        assert not strength.any()


def test_the_pictures_and_the_network_s_gradients_are_left_alone() -> None:
    model, x = nn.Sequential(nn.Conv2d(1, 1, 3)), torch.randn(1, 1, 5, 5)
    assert stages([]) == []
    with torch.no_grad():
        effective_fields(model, x)
    assert not x.requires_grad
    assert model[0].weight.grad is None


def test_its_size_counts_what_is_above_the_threshold() -> None:
    strength = torch.zeros(8, 8)
    strength[2:5, 2:5] = 2.0
    strength[0, 0] = 2 * EFFECTIVE * 1.01
    strength[7, 7] = 2 * EFFECTIVE * 0.99
    assert effective_size(strength) == math.sqrt(10)
