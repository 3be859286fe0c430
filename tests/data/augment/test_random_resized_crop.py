import pytest
import torch
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as TF

from fourfold.core.errors import InputError
from fourfold.data.augment import AUGMENTS
from fourfold.data.augment.random_resized_crop import (
    RandomResizedCrop,
    RandomResizedCropConfig,
    _at_once,
    _one_by_one,
    resized_crop,
)
from fourfold.tasks.seam import Image

WHOLE = (0.08, 1.0)


def batch(channels: int, height: int, width: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (16, channels, height, width), dtype=torch.uint8, generator=generator)
    return images.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [(9, 12), (32, 32), (60, 50)])
@pytest.mark.parametrize("way", [_at_once, _one_by_one])
@pytest.mark.parametrize("antialias", [False, True])  # pieces are only ever enlarged, where it changes nothing
def test_each_piece_is_enlarged_as_torchvision_enlarges_it(channels, size, way, antialias) -> None:
    images = batch(channels, *size)
    pieces = RandomResizedCrop(Image(channels, *size), WHOLE, 4 / 3).draw(16, torch.Generator().manual_seed(1))
    expected = torch.stack(
        [
            TF.resized_crop(image.float(), *piece, list(size), InterpolationMode.BILINEAR, antialias=antialias)
            for image, piece in zip(images, pieces.tolist(), strict=True)
        ]
    )
    torch.testing.assert_close(way(images.float(), pieces), expected, rtol=0, atol=0.05)
    enlarged = way(images, pieces)
    assert enlarged.dtype == torch.uint8
    assert enlarged.is_contiguous(memory_format=torch.channels_last)
    largest = 0.56 if way is _at_once else 1.01  # in whole numbers, a level more may be lost
    assert (enlarged.float() - expected).abs().max() < largest


def test_the_whole_picture_is_a_piece_that_stays_as_it_is() -> None:
    for size in ((9, 12), (60, 50)):
        images = batch(3, *size)
        assert torch.equal(resized_crop(images, torch.tensor([[0, 0, *size]]).expand(16, 4)), images)
    assert resized_crop(images[:0], torch.zeros(0, 4).long()).shape == (0, 3, 60, 50)


def test_nothing_leaks_into_a_piece_from_around_it() -> None:
    for size in (20, 60):
        images = torch.full((1, 1, size, size), 255, dtype=torch.uint8)
        images[:, :, 5:15, 4:14] = 7
        assert (resized_crop(images, torch.tensor([[5, 4, 10, 10]])) == 7).all()


def test_areas_and_shapes_are_spread_as_the_paper_has_them() -> None:
    pieces = RandomResizedCrop(Image(3, 1000, 1000), WHOLE, 4 / 3).draw(20_000, torch.Generator().manual_seed(0))
    top, _, height, width = pieces.double().unbind(1)
    area, ratio = height * width / 1e6, width / height
    assert 0.079 < area.min() < 0.085
    assert 0.99 < area.max() <= 1.0
    assert 3 / 4 - 0.01 < ratio.min() < 0.76
    assert 1.32 < ratio.max() < 4 / 3 + 0.01
    assert abs(float(ratio.log().mean())) < 0.01  # as often wide as tall
    small = area[area < 0.5]  # those always fit, and are drawn evenly
    counts = torch.histc(small, 6, 0.08, 0.5)
    assert (counts - counts.mean()).abs().max() < 6 * float(counts.mean()) ** 0.5
    room = (top / (1000 - height).clamp(min=1))[height < 900]
    assert abs(float(room.mean()) - 0.5) < 0.01


@pytest.mark.parametrize(("size", "piece"), [((10, 100), (0, 43, 10, 13)), ((100, 10), (43, 0, 13, 10))])
def test_where_nothing_fits_it_is_the_largest_piece_in_the_middle(size, piece) -> None:
    draws = RandomResizedCrop(Image(1, *size), (0.9, 1.0), 4 / 3).draw(5, torch.Generator().manual_seed(0))
    assert (draws - torch.tensor(piece)).abs().max() <= 1
    assert torch.equal(draws[:, 2:], torch.tensor([piece[2:]]).expand(5, 2))


def test_a_range_the_wrong_way_round_is_refused() -> None:
    assert isinstance(RandomResizedCropConfig().build(Image(3, 8, 8)), RandomResizedCrop)
    with pytest.raises(InputError, match=r"area_low of 0\.9 is above area_high of 0\.5"):
        AUGMENTS.parse({"name": "random_resized_crop", "area_low": 0.9, "area_high": 0.5}, "data.augment.0")
