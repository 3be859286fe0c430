import pytest
import torch
from torchvision.transforms import functional as TF

from fourfold.data.augment.random_grey import RandomGrey, RandomGreyConfig, without_colours
from fourfold.tasks.seam import Image


@pytest.mark.parametrize("side", [9, 300])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_the_chosen_pictures_and_no_others_are_grey_as_torchvision_makes_them(side, layout) -> None:
    images = torch.rand(12, 3, side, side + 3, generator=torch.Generator().manual_seed(0)).contiguous(
        memory_format=layout
    )
    before = images.clone()
    chosen = RandomGrey(0.5).draw(12, torch.Generator().manual_seed(1))
    assert 0 < chosen.sum() < 12
    changed = without_colours(images, chosen)
    whole = (images * 255).round().to(torch.uint8)
    rounded = without_colours(whole, chosen)
    for i, grey in enumerate(chosen.tolist()):
        expected = TF.rgb_to_grayscale(images[i], 3) if grey else images[i]
        torch.testing.assert_close(changed[i], expected, rtol=0, atol=1e-6)
        exact = TF.rgb_to_grayscale(whole[i].double(), 3) if grey else whole[i].double()
        assert (rounded[i].double() - exact).abs().max() < 0.501
    assert torch.equal(images, before)


def test_grey_pictures_stay_as_they_are() -> None:
    images = torch.randint(0, 256, (4, 1, 5, 5), dtype=torch.uint8)
    assert torch.equal(without_colours(images, torch.ones(4, dtype=torch.bool)), images)


def test_the_share_is_the_probability() -> None:
    draws = RandomGreyConfig(probability=0.3).build(Image(3, 4, 4)).draw(20_000, torch.Generator().manual_seed(0))
    assert abs(float(draws.double().mean()) - 0.3) < 0.02
