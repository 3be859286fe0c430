import pytest
import torch

from fourfold.data.augment.vertical_flip import VerticalFlip, VerticalFlipConfig, vertical_flip
from fourfold.tasks.seam import Image


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_the_chosen_pictures_and_no_others_are_turned(channels, layout, dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (16, channels, 9, 12), dtype=torch.uint8, generator=generator).to(dtype)
    images = images.contiguous(memory_format=layout)
    before = images.clone()
    chosen = VerticalFlip(0.5).draw(16, generator)
    assert 0 < chosen.sum() < 16
    turned = vertical_flip(images, chosen)
    for image, result, turn in zip(images, turned, chosen.tolist(), strict=True):
        assert torch.equal(result, torch.flip(image, [-2]) if turn else image)
    assert torch.equal(images, before)
    assert torch.equal(vertical_flip(turned, chosen), images)


def test_the_share_of_turned_pictures_is_the_probability() -> None:
    draws = VerticalFlipConfig(probability=0.3).build(Image(1, 4, 4)).draw(20_000, torch.Generator().manual_seed(0))
    assert abs(float(draws.double().mean()) - 0.3) < 0.02
