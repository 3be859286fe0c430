import copy

import pytest
import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.losses.cross_entropy import CrossEntropy
from fourfold.losses.mse import MSE
from fourfold.study.landscape import (
    barrier,
    loss_line,
    loss_plane,
    normalise_filters,
    path_plane,
    plane_around,
    random_direction,
    random_plane,
)
from fourfold.study.objective import Objective
from fourfold.tasks.seam import Batch


def _net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(16, 5), nn.ReLU(), nn.Linear(5, 3)
    )


def _examples() -> Batch:
    draw = torch.Generator().manual_seed(1)
    return Batch((torch.randn(6, 2, 4, 4, generator=draw),), torch.randint(3, (6,), generator=draw))


def test_every_filter_of_a_direction_is_as_long_as_the_weights_and_one_axis_stays() -> None:
    weights = _net().state_dict(keep_vars=False)
    weights = {name: each for name, each in weights.items() if each.is_floating_point()}
    direction = random_direction(weights, seed=0)
    assert list(direction) == list(weights)
    for name, weight in weights.items():
        moved = direction[name]
        if weight.dim() == 1:  # biases, and batch norm's scales and shifts
            assert moved.abs().max() == 0
            continue
        for i in range(len(weight)):  # a filter of a convolution, a row of a linear layer
            assert float(moved[i].norm()) == pytest.approx(float(weight[i].norm()), rel=1e-5)
        assert not torch.allclose(moved, weight)


def test_directions_of_a_seed_are_repeatable_and_independent() -> None:
    weights = dict(_net().named_parameters())
    first, again, second = (random_direction(weights, 5, which)["4.weight"] for which in (0, 0, 1))
    assert torch.equal(first, again)
    cosine = float((first * second).sum() / first.norm() / second.norm())
    assert abs(cosine) < 0.5
    assert not torch.equal(first, random_direction(weights, 6)["4.weight"])


def test_a_filter_of_zeros_stays_zero() -> None:
    weight = torch.tensor([[0.0, 0.0], [3.0, 4.0]])
    direction = normalise_filters({"w": torch.tensor([[1.0, 1.0], [0.0, 2.0]])}, {"w": weight})["w"]
    assert direction.tolist() == [[0, 0], [0, 5]]


def test_the_centre_is_the_loss_itself_and_corners_are_where_they_say() -> None:
    objective = Objective(_net(), CrossEntropy(), [_examples()])
    plane = random_plane(objective, resolution=5, reach=0.5, seed=3)
    assert plane.alphas.tolist() == plane.betas.tolist() == [-0.5, -0.25, 0, 0.25, 0.5]
    assert float(plane.losses[2, 2]) == plane.centre == float(objective(objective.start))
    weights = objective.named(objective.start)
    first, second = (random_direction(weights, 3, which) for which in (0, 1))
    model = _net().eval()
    with torch.no_grad():
        for name, each in model.named_parameters():
            each += 0.5 * first[name] - 0.25 * second[name]  # alpha 0.5 is the last column, beta -0.25 the second row
        inputs, targets = _examples()
        expected = nn.functional.cross_entropy(model(*inputs), targets)
    assert float(plane.losses[1, 4]) == pytest.approx(float(expected), rel=1e-5)


class _Bowl(nn.Module):
    """A module that returns its weights, so that a loss is a function of them alone."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([[1.0, 2.0]], dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight.T


def test_a_quadratic_s_plane_is_the_one_written_out_by_hand() -> None:
    x = torch.eye(2, dtype=torch.float64)
    objective = Objective(_Bowl(), MSE(), [Batch((x,), torch.zeros(2, 1, dtype=torch.float64))])
    alphas = torch.tensor([-1.0, 0, 2], dtype=torch.float64)
    betas = torch.tensor([0.0, 3.0], dtype=torch.float64)
    plane = loss_plane(
        objective,
        torch.tensor([1.0, 0], dtype=torch.float64),
        torch.tensor([0, 1.0], dtype=torch.float64),
        alphas,
        betas,
    )
    expected = [[((1 + a) ** 2 + (2 + b) ** 2) / 2 for a in (-1, 0, 2)] for b in (0, 3)]
    torch.testing.assert_close(plane.losses, torch.tensor(expected, dtype=torch.float64))


def test_scales_that_a_relu_net_does_not_notice_do_not_change_its_plane() -> None:
    """The reason for the normalisation (section 3 of the paper): filters times 3, the next layer's inputs over 3."""
    torch.manual_seed(2)
    net = nn.Sequential(nn.Linear(2, 6, bias=False), nn.ReLU(), nn.Linear(6, 3, bias=False))
    twin = nn.Sequential(nn.Linear(2, 6, bias=False), nn.ReLU(), nn.Linear(6, 3, bias=False))
    with torch.no_grad():
        twin[0].weight.copy_(3 * net[0].weight)
        twin[2].weight.copy_(net[2].weight / 3)
    batch = Batch((torch.randn(8, 2),), torch.randint(3, (8,)))
    planes = [random_plane(Objective(each, CrossEntropy(), [batch], torch.float64), 5) for each in (net, twin)]
    torch.testing.assert_close(planes[0].losses, planes[1].losses)
    assert float(planes[0].losses.std()) > 0.01


def test_the_line_between_two_networks_is_the_loss_of_mixed_weights_and_statistics() -> None:
    torch.manual_seed(0)
    one, two = (nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)) for _ in range(2))
    whole = Batch((torch.randn(20, 4),), torch.randint(3, (20,)))
    for each, factor in ((one, 1.0), (two, 5.0)):
        each.train()(factor * whole.inputs[0])  # other running statistics
    before = {name: each.clone() for name, each in one.state_dict().items()}
    alphas = torch.tensor([-0.5, 0, 0.25, 1], dtype=torch.float64)
    line = loss_line(one, two, CrossEntropy(), [whole], alphas)
    for alpha, found in zip(alphas.tolist(), line.tolist(), strict=True):
        mixed = copy.deepcopy(one).eval()
        for ours, a, b in zip(
            [*mixed.parameters(), mixed[1].running_mean, mixed[1].running_var],  # pyright: ignore
            [*one.parameters(), one[1].running_mean, one[1].running_var],  # pyright: ignore
            [*two.parameters(), two[1].running_mean, two[1].running_var],  # pyright: ignore
            strict=True,
        ):
            ours.data.copy_((1 - alpha) * a + alpha * b)  # pyright: ignore
        expected = nn.functional.cross_entropy(mixed(*whole.inputs), whole.targets)
        assert found == pytest.approx(expected.item(), rel=1e-5, nan_ok=True)
    assert all(torch.equal(each, before[name]) for name, each in one.state_dict().items())
    with pytest.raises(InputError, match=r"0\.weight is \[6, 4\] in one and \[2, 4\] in the other"):
        loss_line(one, nn.Sequential(nn.Linear(4, 2)), CrossEntropy(), [whole], alphas)


def test_a_barrier_is_what_must_be_climbed_between_the_two() -> None:
    alphas = torch.tensor([-1.0, 0.0, 0.5, 1.0, 2.0])
    assert barrier(torch.tensor([9.0, 1.0, 4.0, 2.0, 9.0]), alphas) == 2
    assert barrier(torch.tensor([9.0, 3.0, 2.0, 1.0, 9.0]), alphas) == 0


def test_the_plane_of_a_path_is_sklearn_s() -> None:
    from sklearn.decomposition import PCA

    draw = torch.Generator().manual_seed(0)
    steps = torch.randn(12, 30, generator=draw, dtype=torch.float64) * torch.linspace(3, 0.1, 30)
    states = list(steps.cumsum(0))
    found = path_plane(states)
    moved = torch.stack([each - states[-1] for each in states])
    theirs = PCA(n_components=2).fit(moved[:-1].numpy())
    for ours, expected in zip((found.first, found.second), torch.tensor(theirs.components_), strict=True):
        assert abs(float(ours @ expected)) == pytest.approx(1, abs=1e-9)
    assert found.explained == pytest.approx(tuple(theirs.explained_variance_ratio_))
    assert found.places[-1].tolist() == [0, 0]
    expected = moved[4] @ torch.stack([found.first, found.second], dim=1)
    torch.testing.assert_close(found.places[4], expected)


def test_a_path_in_a_plane_is_found_whole() -> None:
    states = [torch.tensor([x, y, 0, 0, 1.0]) for x, y in ((0.0, 0.0), (1, 3), (2, -1), (5, 2), (4, 4))]
    found = path_plane(states)
    assert sum(found.explained) == pytest.approx(1)
    rebuilt = states[-1] + found.places.float() @ torch.stack([found.first, found.second])
    torch.testing.assert_close(rebuilt, torch.stack(states))


def test_the_plane_of_a_path_has_its_states_losses() -> None:
    """A path that lies in a plane passes over it at the losses it had."""
    x = torch.eye(2, dtype=torch.float64)
    objective = Objective(_Bowl(), MSE(), [Batch((x,), torch.zeros(2, 1, dtype=torch.float64))])
    moves = torch.tensor([[-4.0, 0], [-3, 1], [-1, 1], [0, 0]], dtype=torch.float64)
    path = path_plane([objective.start + move for move in moves])
    plane = plane_around(objective, path, resolution=2)
    low, high = path.places.min(0).values, path.places.max(0).values
    margin = 0.2 * (high - low)
    assert plane.alphas.tolist() == pytest.approx([float((low - margin)[0]), float((high + margin)[0])])
    assert plane.betas.tolist() == pytest.approx([float((low - margin)[1]), float((high + margin)[1])])
    corner = objective.start + plane.alphas[1] * path.first + plane.betas[0] * path.second
    assert float(plane.losses[0, 1]) == pytest.approx(float(objective(corner).detach()))


def test_numbers_out_of_range_are_refused() -> None:
    objective = Objective(_net(), CrossEntropy(), [_examples()])
    for resolution, nearest in ((4, 5), (1, 3)):
        with pytest.raises(InputError, match=f"resolution: expected an odd number .* such as {nearest}"):
            random_plane(objective, resolution)
    with pytest.raises(InputError, match="range: expected a number above 0"):
        random_plane(objective, 5, 0.0)
    with pytest.raises(InputError, match="at least four states"):
        path_plane([objective.start] * 3)
