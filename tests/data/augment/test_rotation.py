import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as TF

from fourfold.data.augment.rotation import Rotation, rotate


def batch(channels: int = 3, height: int = 12, width: int = 12) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (16, channels, height, width), dtype=torch.uint8, generator=generator)
    return images.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(9, 12), (20, 20), (150, 170)])
def test_each_picture_is_turned_as_torchvision_turns_it(channels, size) -> None:
    images = batch(channels, *size)
    degrees = Rotation(180).draw(16, torch.Generator().manual_seed(1))
    expected = [
        TF.rotate(image.float(), -angle, InterpolationMode.BILINEAR)
        for image, angle in zip(images, degrees.tolist(), strict=True)
    ]
    torch.testing.assert_close(rotate(images.float(), degrees), torch.stack(expected), rtol=0, atol=0.05)
    whole = rotate(images, degrees)
    assert whole.dtype == torch.uint8
    assert (whole.float() - torch.stack(expected)).abs().max() < 0.56  # rounded to the nearest


def test_quarter_turns_only_move_pixels() -> None:
    images = batch(height=12, width=12)
    degrees = torch.tensor([0.0, 90.0, 180.0, -90.0]).repeat(4)
    turned = rotate(images, degrees)
    for image, result, quarters in zip(images, turned, [0, 1, 2, 3] * 4, strict=True):
        assert torch.equal(result, torch.rot90(image, -quarters, (1, 2)))


def test_angles_are_even_up_to_the_largest_either_way() -> None:
    degrees = Rotation(20).draw(20_000, torch.Generator().manual_seed(0))
    assert degrees.abs().max() <= 20
    counts = torch.histc(degrees, 8, -20, 20)
    assert (counts - 2500).abs().max() < 6 * 2500**0.5
