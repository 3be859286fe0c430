import pytest
import torch

from fourfold.data.augment.horizontal_flip import HorizontalFlip, HorizontalFlipConfig, horizontal_flip
from fourfold.tasks.seam import Image


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_chosen_pictures_and_no_others_are_mirrored(channels, layout) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (16, channels, 9, 12), dtype=torch.uint8, generator=generator)
    images = images.contiguous(memory_format=layout)
    before = images.clone()
    chosen = HorizontalFlip(0.5).draw(16, generator)
    assert 0 < chosen.sum() < 16
    flipped = horizontal_flip(images, chosen)
    for image, result, mirror in zip(images, flipped, chosen.tolist(), strict=True):
        assert torch.equal(result, torch.flip(image, [-1]) if mirror else image)
    assert torch.equal(images, before)
    assert torch.equal(horizontal_flip(flipped, chosen), images)


def test_none_all_and_an_empty_batch() -> None:
    images = torch.arange(24, dtype=torch.uint8).view(2, 1, 3, 4).contiguous(memory_format=torch.channels_last)
    assert torch.equal(horizontal_flip(images, torch.tensor([False, False])), images)
    assert torch.equal(HorizontalFlip(1.0)(images, torch.Generator()), images.flip(3))
    assert horizontal_flip(images[:0], torch.zeros(0, dtype=torch.bool)).shape == (0, 1, 3, 4)


def test_the_share_of_mirrored_pictures_is_the_probability() -> None:
    draws = HorizontalFlipConfig(probability=0.3).build(Image(1, 4, 4)).draw(20_000, torch.Generator().manual_seed(0))
    assert abs(float(draws.double().mean()) - 0.3) < 0.02
