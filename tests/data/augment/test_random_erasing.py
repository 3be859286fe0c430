import pytest
import torch

from fourfold.core.errors import InputError
from fourfold.data.augment import AUGMENTS
from fourfold.data.augment.random_erasing import RandomErasing, RandomErasingConfig, _at_once, _in_turn
from fourfold.tasks.seam import Image


def fitted(images: torch.Tensor, maximum: float = 255.0, probability: float = 0.5) -> RandomErasing:
    erasing = RandomErasing(Image(*images.shape[1:]), probability, (0.02, 0.4), 0.3)
    erasing.fit([images], maximum)
    return erasing


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
@pytest.mark.parametrize("way", [_in_turn, _at_once])
def test_each_rectangle_is_filled_and_nothing_else_is_touched(channels, layout, dtype, way) -> None:
    images = torch.full((32, channels, 9, 12), 44, dtype=torch.uint8).to(dtype).contiguous(memory_format=layout)
    erasing = fitted(images)
    draws = erasing.draw(32, torch.Generator().manual_seed(1))
    before = images.clone()
    noise = erasing.noise[dtype]
    erased = way(images, draws, noise)
    assert torch.equal(images, before)
    for image, result, (top, left, height, width, place) in zip(images, erased, draws.tolist(), strict=True):
        values = noise[place : place + height * width * channels].view(height, width, channels)
        expected = image.clone()
        expected[:, top : top + height, left : left + width] = values.permute(2, 0, 1)
        assert torch.equal(result, expected)
    assert 4 < int((draws[:, 2] > 0).sum()) < 28


@pytest.mark.parametrize("maximum", [16, 255])
def test_the_noise_is_even_from_black_to_full_brightness(maximum) -> None:
    tables = fitted(torch.zeros(1, 1, 8, 8), float(maximum)).noise
    noise, floats = tables[torch.uint8], tables[torch.float32]
    counts = torch.bincount(noise.long(), minlength=maximum + 1)
    assert len(counts) == maximum + 1
    assert (counts - counts.float().mean()).abs().max() < 6 * float(counts.float().mean()) ** 0.5
    assert 0 <= floats.min() < maximum / 100
    assert maximum * 0.99 < floats.max() <= maximum


def test_rectangles_are_drawn_as_the_paper_draws_them() -> None:
    erasing = RandomErasing(Image(3, 1000, 1000), 0.3, (0.02, 0.4), 0.3)
    draws = erasing.draw(30_000, torch.Generator().manual_seed(0))
    top, left, height, width, _ = draws.double().unbind(1)
    chosen = height > 0
    assert torch.equal(chosen, width > 0)
    assert abs(float(chosen.double().mean()) - 0.3) < 0.02
    assert (top + height <= 1000).all()
    assert (left + width <= 1000).all()
    area, ratio = (height * width / 1e6)[chosen], (height / width)[chosen]
    assert 0.0195 < area.min() < 0.022
    assert 0.39 < area.max() < 0.401
    assert 0.29 < ratio.min() < 0.32
    assert 3.2 < ratio.max() < 3.36
    small = ratio[area < 0.25]  # those fit whatever their shape, and the ratio itself is even, not its logarithm
    counts = torch.histc(small, 6, 0.3, 1 / 0.3)
    assert (counts - counts.mean()).abs().max() < 6 * float(counts.mean()) ** 0.5


def test_a_range_the_wrong_way_round_is_refused() -> None:
    assert isinstance(RandomErasingConfig().build(Image(3, 8, 8)), RandomErasing)
    with pytest.raises(InputError, match=r"area_low of 0\.5 is above area_high of 0\.4"):
        AUGMENTS.parse({"name": "random_erasing", "area_low": 0.5}, "data.augment.0")
