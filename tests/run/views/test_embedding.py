import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn

from fourfold.algorithms.combining import mean
from fourfold.algorithms.ensemble import Ensemble
from fourfold.models.lenet5 import LeNet5
from fourfold.run.views.embedding import last_linear, listening, principal_plane


@pytest.mark.parametrize("size", [(40, 7), (6, 30), (5, 5)], ids=["tall", "wide", "square"])
def test_the_plane_is_scikit_learns(size) -> None:
    points = 3 + torch.randn(*size, generator=torch.Generator().manual_seed(0)) * torch.arange(1, size[1] + 1)
    other = PCA(2).fit(points.double().numpy())
    found = principal_plane(points)
    expected = other.transform(points.double().numpy())
    signs = np.sign((expected * found.points.numpy()).sum(0))
    assert found.points.numpy() == pytest.approx(expected * signs, abs=1e-9)
    assert found.shares.tolist() == pytest.approx(other.explained_variance_ratio_.tolist())


@pytest.mark.parametrize("count", [3, 30])
def test_the_largest_weight_of_an_axis_is_positive(count) -> None:
    along = torch.tensor([1.0, -9.0, 2.0, 0.5, 0.0])
    places = torch.linspace(-1, 1, count)
    points = places[:, None] * along
    assert principal_plane(points).points[:, 0].tolist() == pytest.approx((-places * along.norm()).tolist(), abs=1e-5)


@pytest.mark.parametrize("points", [torch.tensor([[1.0], [3.0]]), torch.tensor([[1.0, 1.0], [3.0, 3.0], [5.0, 5.0]])])
def test_what_lies_on_a_line_has_no_second_component(points: Tensor) -> None:
    found = principal_plane(points)
    assert found.points.shape == (len(points), 2)
    assert found.points[:, 1].abs().max() < 1e-6
    assert found.shares.tolist() == pytest.approx([1, 0], abs=1e-9)


def test_points_that_are_one_point_lie_in_the_middle() -> None:
    found = principal_plane(torch.full((3, 4), 7.0))
    assert found.points.abs().max() == 0
    assert found.shares.tolist() == [0, 0]


def test_the_last_layer_makes_the_output_of_the_embedding() -> None:
    model, pictures = LeNet5(1, 3), torch.randn(5, 1, 32, 32)
    with listening(model) as heard, torch.inference_mode():
        outputs = torch.cat([model(part) for part in pictures.split(3)])
    assert [part.shape for part in heard] == [(3, 84), (2, 84)]
    torch.testing.assert_close(model.output(torch.cat(heard)), outputs)
    assert not model.output._forward_pre_hooks
    with listening(model) as heard, torch.autocast("cpu", torch.bfloat16):
        model(pictures)
    assert heard[0].dtype == torch.float32


def test_without_a_linear_layer_or_with_several_networks_nothing_is_heard() -> None:
    networks = [nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())]
    networks.append(Ensemble([nn.Sequential(nn.Flatten(), nn.Linear(9, 2)) for _ in range(2)], mean))
    for network in networks:
        with listening(network) as heard:
            network(torch.randn(3, 1, 3, 3))
        assert heard == []


def test_the_last_linear_layer_is_the_output_s() -> None:
    model = nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 2)), nn.Softmax(1))
    assert last_linear(model) is model[1][1]
    assert last_linear(nn.Conv2d(1, 2, 3)) is None
