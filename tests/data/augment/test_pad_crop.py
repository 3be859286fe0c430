import pytest
import torch
from torch.nn import functional as F
from torchvision.transforms import functional as TF

from fourfold.core.errors import InputError
from fourfold.data.augment.pad_crop import PadCrop, PadCropConfig, _by_gathering, _by_windows, pad_crop
from fourfold.tasks.seam import Image

LAYOUTS = [torch.contiguous_format, torch.channels_last]


def batch(channels: int = 3, layout=torch.channels_last) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(1, 256, (16, channels, 9, 12), dtype=torch.uint8, generator=generator)
    return images.contiguous(memory_format=layout)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("way", [_by_windows, _by_gathering])
def test_each_picture_is_padded_and_cut_at_its_corner(channels, layout, way) -> None:
    images = batch(channels, layout)
    corners = PadCrop(4).draw(16, torch.Generator().manual_seed(1))
    crops = way(images, corners, 4)
    assert crops.shape == images.shape
    assert crops.dtype == torch.uint8
    for image, crop, (y, x) in zip(images, crops, corners.tolist(), strict=True):
        assert torch.equal(crop, F.pad(image, (4, 4, 4, 4))[:, y : y + 9, x : x + 12])
        assert torch.equal(crop, TF.crop(TF.pad(image, [4]), y, x, 9, 12))


def test_the_middle_corner_leaves_a_picture_alone_and_the_first_shifts_it_down_right() -> None:
    images = batch()
    assert torch.equal(pad_crop(images, torch.full((16, 2), 4), 4), images)
    shifted = pad_crop(images, torch.zeros(16, 2, dtype=torch.int64), 4)
    assert torch.equal(shifted[:, :, 4:, 4:], images[:, :, :-4, :-4])
    assert not shifted[:, :, :4].any()
    assert not shifted[:, :, :, :4].any()


def test_corners_cover_every_place_evenly() -> None:
    corners = PadCrop(2).draw(50_000, torch.Generator().manual_seed(0))
    counts = torch.bincount(corners[:, 0] * 5 + corners[:, 1], minlength=25)
    assert len(counts) == 25
    assert (counts - 2000).abs().max() < 6 * 2000**0.5


def test_the_argument_is_not_written_to_and_a_float_batch_works_too() -> None:
    images = batch()
    before = images.clone()
    augment = PadCrop(3)
    ours = augment(images, torch.Generator().manual_seed(3))
    assert torch.equal(images, before)
    assert torch.equal(augment(images.float(), torch.Generator().manual_seed(3)), ours.float())


def test_a_padding_as_large_as_the_picture_is_refused() -> None:
    assert isinstance(PadCropConfig(pad=7).build(Image(1, 8, 8)), PadCrop)
    with pytest.raises(InputError, match="pad of 8 can leave nothing of pictures of 1x8x8"):
        PadCropConfig(pad=8).build(Image(1, 8, 8))
