import itertools

import pytest
import torch
from torch import Tensor, nn

from fourfold.core.errors import InputError
from fourfold.losses.base import Loss
from fourfold.losses.cross_entropy import CrossEntropy
from fourfold.study.objective import Objective
from fourfold.study.sharpness import largest_curvature, sharpness, subspace_sharpness
from fourfold.tasks.seam import Batch, LossValue


class _Weights(nn.Module):
    """A module that returns its weights."""

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weights)

    def forward(self, x: Tensor) -> Tensor:
        return self.weight


class _Quadratic(Loss):
    """offset + w^T H w / 2."""

    def __init__(self, hessian: Tensor, offset: float = 0.0) -> None:
        super().__init__()
        self.hessian, self.offset = hessian, offset

    def evaluate(self, output: Tensor, targets: Tensor) -> LossValue:
        return LossValue(self.offset + output @ self.hessian @ output / 2, 1)


def _quadratic(curvatures: list[float], at: list[float], offset: float = 0.0) -> Objective:
    hessian = torch.diag(torch.tensor(curvatures, dtype=torch.float64))
    nothing = Batch((torch.zeros(1),), torch.zeros(1))
    weights = torch.tensor(at, dtype=torch.float64)
    return Objective(_Weights(weights), _Quadratic(hessian, offset), [nothing], torch.float64)


def _tiny(examples: int = 12) -> Objective:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    draw = torch.Generator().manual_seed(1)
    batch = Batch((torch.randn(examples, 2, generator=draw),), torch.randint(2, (examples,), generator=draw))
    return Objective(net, CrossEntropy(), [batch], torch.float64)


def test_at_a_quadratic_s_minimum_the_highest_is_a_corner() -> None:
    found = sharpness(_quadratic([2.0, 10.0, 0.5], [0.0, 0.0, 0.0]), eps=0.1)
    assert found.loss == 0
    assert found.highest == pytest.approx(0.5 * 0.1**2 * 12.5)  # half the curvatures, times eps^2
    assert found.phi == pytest.approx(100 * found.highest)


def test_the_box_grows_with_the_weights_and_phi_is_relative_to_one_plus_the_loss() -> None:
    found = sharpness(_quadratic([4.0], [3.0], offset=1.0), eps=0.01)
    loss, highest = 1 + 2 * 3**2, 1 + 2 * (3 + 0.01 * (3 + 1)) ** 2
    assert found.loss == pytest.approx(loss)
    assert found.highest == pytest.approx(highest)
    assert found.phi == pytest.approx(100 * (highest - loss) / (1 + loss))


def test_in_a_small_box_a_net_s_highest_corner_is_found() -> None:
    objective, eps = _tiny(), 1e-3
    half = eps * (objective.start.abs() + 1)
    with torch.no_grad():
        corners = [
            float(objective(objective.start + half * torch.tensor(signs, dtype=torch.float64)))
            for signs in itertools.product((-1.0, 1.0), repeat=objective.size)
        ]
    found = sharpness(objective, eps)
    assert found.loss == pytest.approx(float(objective(objective.start)))
    assert found.highest == pytest.approx(max(corners), rel=1e-9)
    assert found.phi > 0


def test_a_whole_basis_of_columns_reaches_at_least_about_as_far_and_one_column_does_not() -> None:
    objective = _quadratic([2.0, 10.0, 0.5, 7.0], [0.0, 0.0, 0.0, 0.0])
    one = subspace_sharpness(objective, eps=0.1, columns=1)
    draw_steepest = 0.5 * 0.1**2 * 10
    assert 0 < one.highest <= draw_steepest + 1e-12  # a unit vector, at most along the steepest
    basis = _columns(objective.size, 1, seed=0)
    assert one.highest == pytest.approx(
        0.5 * 0.1**2 * float(basis[:, 0].square() @ torch.tensor([2.0, 10, 0.5, 7]).double())
    )


def test_the_subspace_s_box_is_of_the_coordinates_of_the_weights_in_it() -> None:
    objective = _quadratic([2.0, 2.0], [3.0, -1.0])
    basis = _columns(2, 2, seed=4)
    coordinates = torch.linalg.inv(basis) @ objective.start
    half = 0.01 * (coordinates.abs() + 1)
    corners = [
        float(objective(objective.start + basis @ (half * torch.tensor(signs, dtype=torch.float64))).detach())
        for signs in itertools.product((-1.0, 1.0), repeat=2)
    ]
    assert subspace_sharpness(objective, 0.01, columns=2, seed=4).highest == pytest.approx(max(corners))


def _columns(size: int, columns: int, seed: int) -> Tensor:
    from fourfold.core.seeds import stream_seed

    drawn = torch.randn(
        size, columns, generator=torch.Generator().manual_seed(stream_seed(seed, "sample", 0)), dtype=torch.float64
    )
    return drawn / drawn.norm(dim=0)


def test_sharper_is_more() -> None:
    flat, sharp = (sharpness(_quadratic([c] * 5, [0.5] * 5)).phi for c in (1.0, 20.0))
    assert sharp > flat > 0


def test_the_same_seed_gives_the_same_bits() -> None:
    assert sharpness(_tiny(), seed=3) == sharpness(_tiny(), seed=3)
    assert subspace_sharpness(_tiny(), columns=5, seed=3) == subspace_sharpness(_tiny(), columns=5, seed=3)


@pytest.mark.parametrize("width", [2, 6])  # written out, and by Lanczos
def test_the_largest_curvature_is_the_exact_hessian_s(width: int) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, 2))
    draw = torch.Generator().manual_seed(1)
    batch = Batch((torch.randn(12, 2, generator=draw),), torch.randint(2, (12,), generator=draw))
    objective = Objective(net, CrossEntropy(), [batch], torch.float64)
    exact = torch.linalg.eigvalsh(torch.autograd.functional.hessian(objective, objective.start))
    assert largest_curvature(objective) == pytest.approx(float(exact[-1]), rel=1e-5)
    assert float(exact[-1]) > 2 * float(exact[-3])


def test_the_largest_curvature_is_the_highest_and_not_the_furthest_from_zero() -> None:
    curvatures = [-9.0, 3.0, *[0.1] * 28]
    assert largest_curvature(_quadratic(curvatures, [0.0] * 30)) == pytest.approx(3)
    assert largest_curvature(_quadratic(curvatures[:5], [0.0] * 5)) == pytest.approx(3)


def test_numbers_out_of_range_are_refused() -> None:
    objective = _tiny()
    with pytest.raises(InputError, match="eps: expected a number above 0"):
        sharpness(objective, eps=0.0)
    with pytest.raises(InputError, match="iterations: expected at least 1"):
        sharpness(objective, iterations=0)
    with pytest.raises(InputError, match="columns: expected 1 to 12"):
        subspace_sharpness(objective, columns=13)
