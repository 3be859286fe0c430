import pytest
import torch
from torch.nn import functional as F
from verification import verified

from fourfold.nn.pooling import AverageOfFour, GridAverage, average_of_places


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


@pytest.mark.parametrize(("channels", "width"), [(6, 28), (16, 10), (1, 2)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_an_average_of_four_equals_torchs(channels, width, layout, dtype) -> None:
    x = torch.linspace(-3, 5, 2 * channels * 6 * width).view(2, channels, 6, width).to(dtype)
    inputs = [x.clone(memory_format=layout).requires_grad_() for _ in "ab"]
    outputs = AverageOfFour(channels, width)(inputs[0]), F.avg_pool2d(inputs[1], 2)
    torch.testing.assert_close(*outputs)
    for output in outputs:
        output.float().square().sum().backward()
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    if (channels, layout, dtype) == (6, torch.channels_last, torch.bfloat16):
        verified("layer", "average_of_four", "torch's avg_pool2d in bf16", "outputs", *outputs)
        verified("layer", "average_of_four", "torch's avg_pool2d in bf16", "gradients", *(x.grad for x in inputs))


def test_in_bf16_with_channels_last_the_average_is_a_product() -> None:
    """Where it is worth it, it is what runs: a matrix twice as large doubles the result."""
    average = AverageOfFour(6, 28)
    x = torch.randn(2, 6, 28, 28).bfloat16().contiguous(memory_format=torch.channels_last)
    before = average(x)
    average.weights.mul_(2)
    torch.testing.assert_close(average(x), 2 * before)
    torch.testing.assert_close(average(x.float()), F.avg_pool2d(x.float(), 2))


def test_an_average_of_four_leaves_nothing_in_a_state_dict() -> None:
    assert not AverageOfFour(6, 28).state_dict()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_an_average_of_places_is_torchs_mean(layout, dtype) -> None:
    x = torch.linspace(-3, 5, 2 * 6 * 5 * 4).view(2, 6, 5, 4).to(dtype)
    inputs = [x.clone(memory_format=layout).requires_grad_() for _ in "ab"]
    outputs = average_of_places(inputs[0]), inputs[1].mean((2, 3))
    for output in outputs:
        output.float().square().sum().backward()
    torch.testing.assert_close(*outputs)
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad)
    if (layout, dtype) == (torch.channels_last, torch.float64):
        verified("layer", "average_of_places", "torch's mean", "outputs", *outputs)
        verified("layer", "average_of_places", "torch's mean", "gradients", *(x.grad for x in inputs))
