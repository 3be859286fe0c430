import pytest
import torch
from torch import nn

from fourfold.core.errors import InputError
from fourfold.run.views.grad_cam import grad_cam
from fourfold.run.views.layers import record


def test_two_maps_by_hand() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 1, bias=False), nn.Flatten(), nn.Linear(8, 2, bias=False))
    with torch.no_grad():
        model[0].weight.copy_(torch.tensor([1.0, -2.0]).view(2, 1, 1, 1))
        model[2].weight[0] = torch.tensor([1.0, 3.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0])  # means 1 and 1/2
        model[2].weight[1] = torch.tensor([0.0, 0.0, 0.0, -4.0, 4.0, 4.0, 0.0, 0.0])  # means -1 and 2
    picture = torch.tensor([[[[1.0, 2.0], [-1.0, 0.0]]]])
    first, second = grad_cam(model, picture.repeat(2, 1, 1, 1), torch.tensor([0, 1]))
    assert first.tolist() == [[0, 0], [0, 0]]  # 1 a + 1/2 (-2 a) is nothing anywhere
    assert second.tolist() == [[0, 0], [5, 0]]  # -1 a + 2 (-2 a) = -5 a, of which what is above zero is left


def test_with_global_averages_it_is_the_class_activation_map() -> None:
    torch.manual_seed(0)

    class Averaged(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Sequential(
                nn.Conv2d(3, 4, 3, stride=2), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Conv2d(4, 6, 3), nn.ReLU()
            )
            self.fc = nn.Linear(6, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.fc(self.features(x).mean((2, 3)))

    model, x, classes = Averaged(), torch.randn(4, 3, 15, 13), torch.tensor([4, 0, 2, 2])
    maps = model.eval().features(x)
    places = maps.shape[2] * maps.shape[3]
    class_activation = torch.einsum("nk,nkij->nij", model.fc.weight[classes], maps).relu()
    torch.testing.assert_close(grad_cam(model, x, classes), class_activation / places)


def test_it_needs_no_gradients_around_it_and_leaves_none() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(18, 3))
    with torch.no_grad():
        heat = grad_cam(model, torch.randn(2, 1, 5, 5), torch.tensor([0, 1]))
    assert heat.shape == (2, 3, 3)
    assert not heat.requires_grad
    assert model[0].weight.grad is None
    assert len(record(model, torch.randn(1, 1, 5, 5))[1]) == 2


def test_a_network_without_a_convolution_is_told() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    with pytest.raises(InputError, match="the network has no convolution"):
        grad_cam(model, torch.randn(1, 1, 2, 2), torch.tensor([0]))
