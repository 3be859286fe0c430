import pytest
import torch

from fourfold.algorithms.separability import contradictions, is_separable

GATES = torch.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])


def test_of_the_sixteen_truth_tables_only_xor_and_its_inverse_are_not_separable() -> None:
    tables = [[bool(number >> i & 1) for i in range(4)] for number in range(16)]
    stuck = [table for table in tables if not is_separable(GATES, torch.tensor(table))]
    assert stuck == [[False, True, True, False], [True, False, False, True]]


@pytest.mark.parametrize("seed", range(5))
def test_points_on_two_sides_of_a_plane_and_one_moved_across(seed) -> None:
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(200, 3, generator=generator)
    positive = points @ torch.tensor([1.0, -2.0, 0.5]) > 0.3
    assert is_separable(points, positive) is True
    middle = points[positive].mean(0, keepdim=True)  # among the positive ones, and not one of them
    assert is_separable(torch.cat([points, middle]), torch.cat([positive, torch.tensor([False])])) is False


def test_contradictions_count_what_the_majority_leaves_wrong() -> None:
    inputs = torch.tensor([[0.0], [0.0], [0.0], [1.0], [1.0], [2.0]])
    assert contradictions(inputs, torch.tensor([0, 0, 1, 2, 1, 0])) == 2
    assert contradictions(GATES, torch.tensor([0, 1, 1, 0])) == 0
