import math

import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as TF

from fourfold.core.errors import InputError
from fourfold.data.augment import AUGMENTS
from fourfold.data.augment.affine import Affine, affine
from fourfold.tasks.seam import Image


@pytest.mark.parametrize("size", [(9, 12), (150, 170)])
def test_each_picture_is_moved_as_torchvision_moves_it(size) -> None:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (16, 3, *size), dtype=torch.uint8, generator=generator)
    images = images.contiguous(memory_format=torch.channels_last)
    maps = Affine(Image(3, *size), 60.0, 0.3, (0.6, 1.7), 40.0).draw(16, generator)
    expected = [
        TF.affine(image.float(), angle, [right, down], scale, [shear, 0.0], InterpolationMode.BILINEAR)
        for image, (angle, right, down, scale, shear) in zip(images, maps.tolist(), strict=True)
    ]
    torch.testing.assert_close(affine(images.float(), maps), torch.stack(expected), rtol=0, atol=0.1)
    assert (affine(images, maps).float() - torch.stack(expected)).abs().max() < 0.6


def test_a_shift_in_whole_pixels_only_moves_them() -> None:
    images = torch.arange(1, 61, dtype=torch.uint8).view(1, 1, 6, 10)
    moved = affine(images, torch.tensor([[0.0, 2.0, -1.0, 1.0, 0.0]]))
    assert torch.equal(moved[0, 0, :5, 2:], images[0, 0, 1:, :8])
    assert not moved[0, 0, 5].any()
    assert not moved[0, 0, :, :2].any()


def test_the_numbers_lie_in_their_ranges_and_reach_both_ends() -> None:
    maps = Affine(Image(1, 20, 40), 10.0, 0.25, (0.5, 1.5), 5.0).draw(20_000, torch.Generator().manual_seed(0))
    for column, (low, high) in enumerate([(-10, 10), (-10, 10), (-5, 5), (0.5, 1.5), (-5, 5)]):
        values, slack = maps[:, column], (high - low) / 100
        assert low <= values.min() < low + slack
        assert high - slack < values.max() <= high
        assert math.isclose(float(values.mean()), (low + high) / 2, abs_tol=3 * slack)
    apart = torch.corrcoef(maps.T) - torch.eye(5)
    assert apart.abs().max() < 0.05  # five numbers, not one five times


def test_a_range_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(InputError, match="scale_low of 2 is above scale_high of 1"):
        AUGMENTS.parse({"name": "affine", "scale_low": 2.0}, "data.augment.0")
