import pytest
import torch
from torch.nn import functional as F
from verification import verified

from fourfold.nn.pooling import GridAverage


@pytest.mark.parametrize("size", [(6, 6), (12, 18), (7, 13), (5, 3), (1, 8)])
@pytest.mark.parametrize("grid", [(6, 6), (1, 1), (3, 4)])
def test_equals_torchs_adaptive_average(size, grid) -> None:
    inputs = [torch.linspace(-1, 2, 6 * size[0] * size[1]).view(2, 3, *size).double().requires_grad_() for _ in "ab"]
    outputs = GridAverage(*grid)(inputs[0]), F.adaptive_avg_pool2d(inputs[1], grid)
    torch.testing.assert_close(*outputs)
    for output in outputs:
        output.square().sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    verified("layer", "grid_average", "torch's adaptive_avg_pool2d", "outputs", *outputs)
    verified("layer", "grid_average", "torch's adaptive_avg_pool2d", "gradients", *(x.grad for x in inputs))


def test_a_map_of_the_grids_size_is_itself() -> None:
    x = torch.randn(2, 3, 6, 5)
    assert GridAverage(6, 5)(x) is x
