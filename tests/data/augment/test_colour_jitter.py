import pytest
import torch
from torchvision.transforms import functional as TF

from fourfold.data.augment.colour_jitter import ColourJitter, ColourJitterConfig, jitter_colours, turn_hue
from fourfold.tasks.seam import Image

THEIRS = (TF.adjust_brightness, TF.adjust_contrast, TF.adjust_saturation, TF.adjust_hue)
IN_TURN = [0.0, 1.0, 2.0, 3.0]


def batch(channels: int = 3, side: int = 10, size: int = 48) -> torch.Tensor:
    images = torch.rand(size, channels, side, side + 3, generator=torch.Generator().manual_seed(0))
    images[:4] = images[:4, :1]  # grey pictures of three channels have no hue
    images[4] = 0.0
    return images.contiguous(memory_format=torch.channels_last)


def theirs(images: torch.Tensor, draws: torch.Tensor) -> torch.Tensor:
    changed = []
    for image, (*amounts, first, second, third, fourth) in zip(images, draws.tolist(), strict=True):
        for kind in (first, second, third, fourth):
            image = THEIRS[int(kind)](image, amounts[int(kind)])
        changed.append(image)
    return torch.stack(changed)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("side", [10, 300])
def test_each_picture_is_changed_as_torchvision_changes_it_in_its_order(channels, side) -> None:
    images = batch(channels, side, 48 if side == 10 else 6)
    draws = ColourJitter(0.9, 0.9, 0.9, 0.5).draw(len(images), torch.Generator().manual_seed(1))
    assert len(set(map(tuple, draws[:, 4:].tolist()))) > (15 if side == 10 else 2)  # of 24 orders
    before = images.clone()
    expected = theirs(images, draws)
    torch.testing.assert_close(jitter_colours(images, draws, 1.0), expected, rtol=0, atol=2e-5)
    assert torch.equal(images, before)
    whole = (images * 255).round().to(torch.uint8)
    changed = jitter_colours(whole, draws, 255.0)
    assert changed.dtype == torch.uint8
    assert changed.is_contiguous(memory_format=torch.channels_last)
    assert (changed.float() - 255 * theirs(whole.float() / 255, draws)).abs().max() < 0.51


def test_a_smaller_maximum_is_kept() -> None:
    images = torch.randint(0, 17, (32, 1, 8, 8), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    jitter = ColourJitter(1.0, 0.0, 0.0, 0.0)
    jitter.fit([images], 16.0)
    changed = jitter(images, torch.Generator().manual_seed(0))
    assert changed.max() == 16
    assert not torch.equal(changed, images)


def test_ranges_of_zero_change_nothing() -> None:
    images = (batch() * 255).to(torch.uint8)
    assert torch.equal(ColourJitter(0.0, 0.0, 0.0, 0.0)(images, torch.Generator()), images)


def test_hue_turned_by_a_third_moves_red_to_green_and_a_whole_turn_is_none() -> None:
    red = torch.zeros(1, 3, 2, 2)
    red[:, 0] = 1.0
    torch.testing.assert_close(turn_hue(red, torch.full((1, 1, 1), 1 / 3)), red.roll(1, 1), rtol=0, atol=1e-6)
    images = batch()
    torch.testing.assert_close(turn_hue(images, torch.ones(48, 1, 1)), images, rtol=0, atol=1e-5)


def test_factors_lie_in_their_ranges_and_every_order_is_as_likely() -> None:
    jitter = ColourJitterConfig(brightness=0.2, contrast=0.4, saturation=0.6, hue=0.1).build(Image(3, 4, 4))
    draws = jitter.draw(24_000, torch.Generator().manual_seed(0))
    for column, (low, high) in enumerate([(0.8, 1.2), (0.6, 1.4), (0.4, 1.6), (-0.1, 0.1)]):
        values = draws[:, column]
        assert low - 1e-6 <= values.min() < low + 0.01
        assert high - 0.01 < values.max() <= high + 1e-6
    orders = (draws[:, 4:] @ torch.tensor([1000.0, 100.0, 10.0, 1.0])).unique(return_counts=True)[1]
    assert len(orders) == 24
    assert (orders - 1000).abs().max() < 6 * 1000**0.5


def test_only_some_are_changed_and_those_as_without_the_probability() -> None:
    every = ColourJitter(0.8, 0.8, 0.8, 0.2).draw(2000, torch.Generator().manual_seed(0))
    some = ColourJitter(0.8, 0.8, 0.8, 0.2, 0.8).draw(2000, torch.Generator().manual_seed(0))
    same = (some == every).all(1)
    assert abs(float(same.double().mean()) - 0.8) < 0.03
    assert torch.equal(some[~same, :4], torch.tensor([1.0, 1.0, 1.0, 0.0]).expand(int((~same).sum()), 4))
